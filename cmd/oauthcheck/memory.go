package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much garbage may lie, in percent of what is in use (see debug.SetGCPercent). At rest a server beside other people's tests takes little
// room. With much to do it may take up to roomForGarbage octets for it, so that less of its time goes into collecting.
const (
	garbageAtRest  = 75
	garbageBusy    = 400
	roomForGarbage = 32 << 20
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
	percent := garbageAtRest
	debug.SetGCPercent(percent)
	looks := time.NewTicker(lookInterval)
	defer looks.Stop()
	var l load
	l.look(memory())
	for {
		select {
		case <-ctx.Done():
			return
		case <-looks.C:
		}
		was := l.busy
		if now := l.look(memory()); now != percent {
			percent = now
			debug.SetGCPercent(percent)
		}
		if was && !l.busy {
			debug.FreeOSMemory()
		}
	}
}

// memory is how many octets the process has allocated since its start, and how many of them were in use at the last collection.
func memory() (allocated, used uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64(), samples[1].Value.Uint64()
}

// load tells from what is allocated whether a process is busy.
type load struct {
	busy      bool
	calm      int    // looks since the last busy one
	allocated uint64 // at the last look
}

// look takes what has been allocated by now and what is in use, and returns how much garbage may lie, in percent.
func (l *load) look(allocated, used uint64) int {
	if allocated-l.allocated >= busyOctets {
		l.busy, l.calm = true, 0
	} else if l.calm++; l.calm >= calmLooks {
		l.busy = false
	}
	l.allocated = allocated
	if !l.busy {
		return garbageAtRest
	}
	return int(min(garbageBusy, max(garbageAtRest, 100*roomForGarbage/max(used, 1))))
}
