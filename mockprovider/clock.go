package mockprovider

import (
	"sync/atomic"
	"time"
)

// Clock is the provider's idea of the time: the real time plus what a test advanced it by, or a fixed instant.
// All methods may be called at any time from any goroutine.
type Clock struct {
	offset atomic.Int64              // nanoseconds ahead of the real clock
	fixed  atomic.Pointer[time.Time] // not nil: time stands still here (plus offset)
	source func() time.Time          // the real clock
}

func newClock(source func() time.Time) *Clock {
	if source == nil {
		source = time.Now
	}
	return &Clock{source: source}
}

// Now is the provider's present.
func (c *Clock) Now() time.Time {
	base := c.fixed.Load()
	if base == nil {
		return c.source().Add(time.Duration(c.offset.Load()))
	}
	return base.Add(time.Duration(c.offset.Load()))
}

// Advance moves the time forward (or back, with a negative d).
func (c *Clock) Advance(d time.Duration) { c.offset.Add(int64(d)) }

// Reset goes back to the real time.
func (c *Clock) Reset() {
	c.fixed.Store(nil)
	c.offset.Store(0)
}

// Set stops the time at t; Advance moves it from there.
func (c *Clock) Set(t time.Time) {
	c.offset.Store(0)
	c.fixed.Store(&t)
}
