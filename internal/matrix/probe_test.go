package matrix

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/oauthcheck/oauthcheck/internal/mocktarget"
	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites"
	_ "github.com/oauthcheck/oauthcheck/suites/all"
)

var dump = flag.String("dump", "", "check to dump")

func TestStrictIsSilent(t *testing.T) {
	p, err := mockprovider.NewHandler(mockprovider.Issuer(mocktarget.InProcess), mockprovider.WithSettings(map[string]any{"implicit": true}))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	r, err := suites.Execute(context.Background(), suites.Config{Target: mocktarget.Handler(p), Lanes: []string{"all"}})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%+v %v requests=%d\n", r.Summary, time.Since(start), r.Run.Requests)
	for _, c := range r.Checks {
		if c.Verdict != reports.Pass {
			fmt.Printf("%-12s %-60s %s | %s | %s\n", c.Verdict, c.ID, c.Message, c.Actual, c.Enable)
			for _, v := range c.Variants {
				if v.Verdict != reports.Pass {
					fmt.Printf("        %-10s %s: %s | %s\n", v.Verdict, v.Name, v.Message, v.Actual)
				}
			}
		}
		if c.ID == *dump {
			for _, x := range c.Exchanges {
				fmt.Fprintf(os.Stdout, "%s %s %v\n%s\n--> %d %v\n%.600s\n", x.Request.Method, x.Request.URL, x.Request.Headers, x.Request.Body, x.Response.Status, x.Response.Headers, x.Response.Body)
			}
		}
	}
}
