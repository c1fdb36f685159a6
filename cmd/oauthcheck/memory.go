package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much garbage may lie, in percent of what is in use (see debug.SetGCPercent). At rest a server beside other people's tests takes little
// room; with much to do it takes a tenth more of the speed instead.
const (
	garbageAtRest = 75
	garbageBusy   = 400
)

// A server is busy that allocates busyOctets between two looks, some 3,000 tokens in a second; it is at rest again after calmLooks with less.
const (
	lookInterval = 500 * time.Millisecond
	busyOctets   = 20 << 20
	calmLooks    = 4
)

// beSmall gives up memory that only the start needed, and minds the rest until the context ends. GOGC in the environment has precedence.
func beSmall(ctx context.Context) {
	releaseStartup()
	if _, chosen := os.LookupEnv("GOGC"); chosen {
		<-ctx.Done()
		return
	}
	debug.SetGCPercent(garbageAtRest)
	looks := time.NewTicker(lookInterval)
	defer looks.Stop()
	load := load{allocated: allocated()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-looks.C:
		}
		switch was, is := load.busy, load.look(allocated()); {
		case is && !was:
			debug.SetGCPercent(garbageBusy)
		case was && !is:
			debug.SetGCPercent(garbageAtRest)
			debug.FreeOSMemory()
		}
	}
}

// allocated is how many octets the process has allocated since its start.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// load tells from what is allocated whether a process is busy.
type load struct {
	busy      bool
	calm      int    // looks since the last busy one
	allocated uint64 // at the last look
}

// look takes what has been allocated by now, and returns whether the process is busy.
func (l *load) look(allocated uint64) bool {
	if allocated-l.allocated >= busyOctets {
		l.busy, l.calm = true, 0
	} else if l.calm++; l.calm >= calmLooks {
		l.busy = false
	}
	l.allocated = allocated
	return l.busy
}
