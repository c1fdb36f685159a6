package reports

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress tells how far a run is: on a terminal in one line that is overwritten, elsewhere in a line for every tenth of
// the run. Violations are counted as they are found. The zero value with a Writer is ready; it may be used by several
// goroutines.
type Progress struct {
	Writer io.Writer
	Live   bool // the writer is a terminal
	Color  bool
	Width  int // columns of the terminal; 0 means 80

	mu      sync.Mutex
	total   int
	done    int
	counts  Summary
	shown   time.Time
	tenth   int
	visible bool
}

// interval is the shortest time between two pictures of the live line.
const interval = 80 * time.Millisecond

// Start begins a run of so many checks.
func (p *Progress) Start(total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.done, p.tenth, p.counts = total, 0, 0, Summary{}
	if p.Live {
		p.draw("")
	}
}

// Update tells that so many checks are done, and the verdict and id of the last of them.
func (p *Progress) Update(done int, verdict Verdict, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = max(done, p.done) // calls may overtake each other
	if n := p.counts.counter(verdict); n != nil {
		*n++
	}
	if p.Live {
		if now := time.Now(); now.Sub(p.shown) >= interval || p.done == p.total {
			p.shown = now
			p.draw(id)
		}
		return
	}
	if tenth := p.done * 10 / max(p.total, 1); tenth > p.tenth {
		p.tenth = tenth
		fmt.Fprintf(p.Writer, "%s\n", p.text(style{}))
	}
}

// Stop ends the run and removes the live line.
func (p *Progress) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.visible {
		io.WriteString(p.Writer, "\r\x1b[K")
		p.visible = false
	}
}

// draw overwrites the live line. A line that wraps could not be overwritten, so it is cut.
func (p *Progress) draw(id string) {
	width := p.Width
	if width <= 0 {
		width = 80
	}
	plain := p.text(style{})
	line := p.text(style{p.Color})
	if room := width - 1 - columns(plain) - 2; id != "" && room > 12 {
		line += "  " + style{p.Color}.dim(oneLine(id, room))
	} else if columns(plain) >= width {
		line = clip(plain, width-1)
	}
	io.WriteString(p.Writer, "\r\x1b[K"+line)
	p.visible = true
}

// text says "120/312 checks, 3 fail, 1 warn".
func (p *Progress) text(st style) string {
	text := fmt.Sprintf("%*d/%d checks", len(fmt.Sprint(p.total)), p.done, p.total)
	for _, v := range []Verdict{Fail, Warn, Inconclusive} {
		if n := p.counts.Count(v); n > 0 {
			text += ", " + st.verdict(v, fmt.Sprintf("%d %s", n, v))
		}
	}
	return text
}
