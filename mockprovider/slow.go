package mockprovider

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"
)

// drips is in how many pieces a slow body comes.
const drips = 8

// pause waits, but not longer than the client and the provider do.
func (x *exchange) pause(d time.Duration) {
	if d > 0 && !x.sleep(x.r.Context(), d) {
		panic(http.ErrAbortHandler)
	}
}

// sleep waits; false if the context or the provider ended before.
func (x *exchange) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-x.p.root.done:
	}
	return false
}

// waitAt holds the request at a latch, but not longer than the client and the provider wait.
func (x *exchange) waitAt(l *Latch) {
	if l.hold(x.r.Context(), x.p.root.done) != nil {
		panic(http.ErrAbortHandler)
	}
}

// reset breaks the connection off as a peer does that crashed: with a TCP reset where the connection can be had (not in process, not in
// HTTP/2), else by closing it.
func (x *exchange) reset() {
	if conn, _, err := http.NewResponseController(x.w).Hijack(); err == nil {
		if secure, ok := conn.(*tls.Conn); ok {
			conn = secure.NetConn() // whose end is not announced
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		conn.Close()
	}
	panic(http.ErrAbortHandler)
}

// sendSlowly puts an answer, or as much of its body as is given, on the wire with pauses between the lines of its header and between the pieces of its body. A connection that
// cannot be written to line by line (the in-process transport) gets the whole header late.
func (x *exchange) sendSlowly(a *answer, body []byte, trickle, drip time.Duration) {
	if trickle > 0 && x.hijacked(a, body, trickle, drip) {
		return
	}
	if trickle > 0 {
		x.pause(trickle)
	}
	x.w.WriteHeader(a.status)
	if !bodyAllowed(a.status) || x.r.Method == http.MethodHead {
		return
	}
	flush := http.NewResponseController(x.w)
	for i, piece := range pieces(body, drip) {
		if i > 0 {
			x.pause(drip)
		}
		x.w.Write(piece)
		flush.Flush()
	}
}

// pieces cuts a body for drip; without it the body is one.
func pieces(body []byte, drip time.Duration) [][]byte {
	if drip <= 0 || len(body) < 2 {
		return [][]byte{body}
	}
	var list [][]byte
	size := max(1, (len(body)+drips-1)/drips)
	for len(body) > size {
		list = append(list, body[:size])
		body = body[size:]
	}
	return append(list, body)
}

// hijacked takes the connection over, because net/http writes a header in one go, and ends it. False where that is not possible.
func (x *exchange) hijacked(a *answer, body []byte, trickle, drip time.Duration) bool {
	conn, buffer, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return false
	}
	defer conn.Close()
	ctx := context.Background() // net/http does not look after the client any more; a write that fails tells that it is gone
	write := func(b []byte) bool {
		buffer.Write(b)
		return buffer.Flush() == nil
	}
	var header bytes.Buffer
	fmt.Fprintf(&header, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	if _, suppressed := a.header["Date"]; !suppressed {
		a.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	a.header.Set("Connection", "close")
	if a.header.Write(&header) != nil {
		return true
	}
	for line := range bytes.Lines(header.Bytes()) {
		if !write(line) || !x.sleep(ctx, trickle) {
			return true
		}
	}
	if !write([]byte("\r\n")) || !bodyAllowed(a.status) || x.r.Method == http.MethodHead {
		return true
	}
	for i, piece := range pieces(body, drip) {
		if i > 0 && !x.sleep(ctx, drip) || !write(piece) {
			return true
		}
	}
	return true
}
