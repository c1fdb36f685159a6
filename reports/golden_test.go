package reports

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// writers are all formats of the sample.
func writers() map[string]func(io.Writer, *Report) error {
	return map[string]func(io.Writer, *Report) error{
		"report.json":     WriteJSON,
		"report.xml":      WriteJUnit,
		"report.html":     WriteHTML,
		"report.sarif":    WriteSARIF,
		"report.md":       WriteMarkdown,
		"console.txt":     Console{}.Write,
		"console-all.txt": Console{Color: true, Width: 80, Verbose: true}.Write,
		"console-q.txt":   Console{Quiet: true}.Write,
	}
}

func TestGolden(t *testing.T) {
	for name, write := range writers() {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(&got, redactedSample()); err != nil {
				t.Fatal(err)
			}
			golden(t, name, got.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s changed; if that is right, go test ./reports -update. First difference at byte %d: %q", path, firstDifference(got, want), around(got, firstDifference(got, want)))
	}
}

func firstDifference(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func around(b []byte, i int) []byte { return b[max(0, i-40):min(len(b), i+40)] }
