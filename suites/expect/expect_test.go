package expect_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/suites/expect"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// judge remembers how a body ended.
type judge struct{ failed string }

func (j *judge) Note(string)                         {}
func (j *judge) Skip(_, reason string)               { panic("skip: " + reason) }
func (j *judge) Inconclusive(reason string)          { panic("inconclusive: " + reason) }
func (j *judge) Fail(message string)                 { j.failed = message; panic(j) }
func (j *judge) Variant(string, func(gomega.Gomega)) {}

func TestResponse(t *testing.T) {
	resp := &target.Response{
		Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"token_type":"Bearer","access_token":"x"}`),
	}
	for _, c := range []struct {
		name  string
		check func(*target.AS)
		fails string
	}{
		{"holds", func(as *target.AS) {
			expect.Response(as, resp).Status(200).JSON().Object().HasValue("token_type", "Bearer").ContainsKey("access_token")
		}, ""},
		{"fails", func(as *target.AS) { expect.Response(as, resp).JSON().Object().ContainsKey("refresh_token") }, "refresh_token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, err := target.NewRun(t.Context(), &target.Info{}, target.RunOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer run.Close()
			j := new(judge)
			func() {
				defer func() {
					if p := recover(); p != nil && p != any(j) {
						t.Error(p)
					}
				}()
				c.check(run.NewAS(t.Context(), "expect", j))
			}()
			if (c.fails == "") != (j.failed == "") || !strings.Contains(j.failed, c.fails) {
				t.Errorf("failed with %q, want %q", j.failed, c.fails)
			}
		})
	}
}
