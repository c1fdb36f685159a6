package matrix

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/internal/mocktarget"
	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/suites"
)

// distant is a transport with a round trip of its own, which adds up what the requests took.
type distant struct {
	http.RoundTripper
	roundTrip time.Duration
	sum       *atomic.Int64
}

func (d distant) RoundTrip(r *http.Request) (*http.Response, error) {
	begin := time.Now()
	defer func() { d.sum.Add(int64(time.Since(begin))) }()
	select {
	case <-time.After(d.roundTrip):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return d.RoundTripper.RoundTrip(r)
}

// BenchmarkRun is a run of the fast lane on the strict mock: at once, and with a round trip of 50 ms. wall/requests is the share that the run
// took of the time of all its requests; one at a time would be 1.
func BenchmarkRun(b *testing.B) {
	for _, c := range []struct {
		name      string
		roundTrip time.Duration
	}{{"near", 0}, {"50ms", 50 * time.Millisecond}} {
		b.Run(c.name, func(b *testing.B) {
			var wall, sum time.Duration
			for b.Loop() {
				p, err := mockprovider.NewHandler(mockprovider.Issuer(mocktarget.InProcess), mockprovider.WithSettings(mocktarget.Optional()))
				if err != nil {
					b.Fatal(err)
				}
				var took atomic.Int64
				cfg := mocktarget.Handler(p)
				cfg.Transport = distant{cfg.Transport, c.roundTrip, &took}
				begin := time.Now()
				r, err := suites.Execute(b.Context(), suites.Config{Target: cfg})
				if err != nil || r.Summary.Fail+r.Summary.Warn > 0 {
					b.Fatalf("%v %+v", err, r)
				}
				wall, sum = wall+time.Since(begin), sum+time.Duration(took.Load())
			}
			b.ReportMetric(float64(wall)/float64(sum), "wall/requests")
		})
	}
}
