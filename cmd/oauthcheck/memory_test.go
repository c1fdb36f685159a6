package main

import (
	"runtime"
	"testing"
)

// A burst of a thousand tokens (about 12 MiB) leaves a mock small; a lasting load does not, and a pause in it is no end. What is in use bounds
// what may lie beside it.
func TestLoad(t *testing.T) {
	const mib = 1 << 20
	var l load
	var allocated uint64
	for i, step := range []struct {
		allocated, used uint64 // MiB
		percent         int
	}{
		{3, 2, 75}, {12, 3, 75}, {0, 3, 75}, {40, 4, 400}, {40, 4, 400}, {0, 4, 400}, {1, 4, 400}, {0, 4, 400}, {40, 4, 400}, {40, 16, 200},
		{40, 100, 75}, {0, 16, 200}, {0, 16, 200}, {0, 16, 200}, {0, 16, 75}, {12, 3, 75}, {0, 3, 75},
	} {
		allocated += step.allocated * mib
		if percent := l.look(allocated, step.used*mib); percent != step.percent {
			t.Errorf("look %d, after %d MiB: %d %%, want %d %%", i, step.allocated, percent, step.percent)
		}
	}
}

func TestMemory(t *testing.T) {
	runtime.GC() // what is in use is known after a collection only
	before, _ := memory()
	sink = make([]byte, busyOctets)
	after, used := memory()
	if after-before < busyOctets || used == 0 {
		t.Errorf("%d octets allocated, want %d or more; %d in use", after-before, busyOctets, used)
	}
}

var sink []byte
