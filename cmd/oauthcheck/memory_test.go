package main

import "testing"

// A burst of a thousand tokens (about 12 MiB) leaves a mock small; a lasting load does not, and a pause in it is no end.
func TestLoad(t *testing.T) {
	const mib = 1 << 20
	var l load
	var allocated uint64
	for i, step := range []struct {
		mib  uint64
		busy bool
	}{{3, false}, {12, false}, {0, false}, {40, true}, {40, true}, {0, true}, {1, true}, {0, true}, {40, true}, {0, true}, {0, true}, {0, true}, {0, false}, {12, false}, {0, false}} {
		allocated += step.mib * mib
		if busy := l.look(allocated); busy != step.busy {
			t.Errorf("look %d, after %d MiB: busy %v, want %v", i, step.mib, busy, step.busy)
		}
	}
	if a, b := new(load), allocatedBy(func() { sink = make([]byte, 2*busyOctets) }); !a.look(b) {
		t.Errorf("%d octets allocated are not busy", b)
	}
}

var sink []byte

func allocatedBy(f func()) uint64 {
	before := allocated()
	f()
	return allocated() - before
}
