// Package doctor finds what is wrong with the set-up of a run before anything is judged: endpoints that do not answer, clients
// whose credentials are refused, redirection URIs that are not registered, a login that does not succeed, a protected
// resource that does not take the tokens. Each problem comes with what to do about it.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/suites"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// State is what became of an examination.
type State string

// The states.
const (
	OK      State = "ok"
	Problem State = "problem" // keeps checks from being made
	Note    State = "note"    // worth knowing; checks can be made
	Absent  State = "absent"  // not configured and not needed for a run
)

// Finding is the outcome of one examination.
type Finding struct {
	Subject string `json:"subject"` // "metadata", "token endpoint", "clients.primary"
	State   State  `json:"state"`
	Says    string `json:"says"`
	Fix     string `json:"fix,omitempty"` // what to do about a problem
}

// Examine looks at everything that the target file (or the flags) tells of a target. It sends requests that a working set-up
// answers, and one login for each redirection URI. An error means that the context ended or the configuration is of no
// use; what is wrong with the target is a finding.
func Examine(ctx context.Context, cfg suites.Config) ([]Finding, error) {
	if cfg.Transport != nil {
		cfg.Target.Transport = cfg.Transport
	}
	e := &examination{ctx: ctx}
	config, err := cfg.Target.WithProfile(cfg.Profile)
	var info *target.Info
	if err == nil {
		info, err = target.Discover(ctx, config)
	}
	if err != nil {
		says, fix := err.Error(), "correct the target file or the flags"
		var trouble *target.DiscoveryError
		if errors.As(err, &trouble) {
			says, fix = trouble.Text, trouble.Fix
			if trouble.URL != "" && !strings.Contains(says, trouble.URL) {
				says = trouble.URL + ": " + says
			}
		}
		e.problem("target", says, fix)
		return e.findings, ctx.Err()
	}
	run, err := target.NewRun(ctx, info, target.RunOptions{Seed: cfg.Seed, Player: cfg.Player})
	if err != nil {
		return nil, err
	}
	defer run.Close()
	e.run, e.info = run, info
	e.targetFile()
	e.metadata()
	e.endpoints()
	e.clients()
	e.tokens()
	e.clean()
	return e.findings, ctx.Err()
}

// Problems counts the findings that keep checks from being made.
func Problems(findings []Finding) int {
	n := 0
	for _, f := range findings {
		if f.State == Problem {
			n++
		}
	}
	return n
}

type examination struct {
	ctx      context.Context
	run      *target.Run
	info     *target.Info
	findings []Finding
	tokenOf  *target.Tokens // of the first grant that worked
	userOf   *target.Tokens // of the first authorization code grant that worked

	stuckTold bool // that the resource owner cannot sign in is among the findings
}

func (e *examination) add(subject string, state State, says, fix string) {
	e.findings = append(e.findings, Finding{Subject: subject, State: state, Says: says, Fix: fix})
}

func (e *examination) ok(subject, format string, args ...any) {
	e.add(subject, OK, fmt.Sprintf(format, args...), "")
}

func (e *examination) problem(subject, says, fix string) { e.add(subject, Problem, says, fix) }

// clean keeps secrets out of what the findings say: servers quote what they were sent.
func (e *examination) clean() {
	secrets := e.run.Secrets()
	for i := range e.findings {
		for _, s := range secrets {
			if len(s.Value) < 4 {
				continue
			}
			f := &e.findings[i]
			f.Says = strings.ReplaceAll(f.Says, s.Value, "«"+s.Kind+"»")
		}
	}
}

// attempt runs a step with the helpers of package target and returns why it could not be made, "" if it was.
func (e *examination) attempt(name string, step func(as *target.AS)) (why string) {
	defer func() {
		if r := recover(); r != nil {
			stopped, ok := r.(stop)
			if !ok {
				panic(r)
			}
			why = string(stopped)
		}
	}()
	if err := e.ctx.Err(); err != nil {
		return "not examined: " + context.Cause(e.ctx).Error()
	}
	step(e.run.NewAS(e.ctx, "doctor "+name, judge{}))
	return ""
}

// stop unwinds a step of an examination.
type stop string

// judge is the target.Judge of a step: whatever would end a check ends the step.
type judge struct{}

func (judge) Note(string)                         {}
func (judge) Skip(enable, reason string)          { panic(stop(reason)) }
func (judge) Inconclusive(reason string)          { panic(stop(reason)) }
func (judge) Fail(reason string)                  { panic(stop(reason)) }
func (judge) Variant(string, func(gomega.Gomega)) { panic(stop("the doctor has no variants")) }

// targetFile notes what the target file holds in vain.
func (e *examination) targetFile() {
	for _, section := range e.info.Config.Unread() {
		e.add("target file", Note, fmt.Sprintf("the section %s is set aside and has no effect in this version", section), "")
	}
}

func (e *examination) metadata() {
	switch {
	case e.info.Metadata != nil:
		e.ok("metadata", "found at %s", e.info.Metadata.URL)
		e.clock()
	case len(e.info.Facts) == 0: // else they say it
		e.add("metadata", Note, "no document at the well-known places; endpoints come from the target file", "")
	}
	for _, fact := range e.info.Facts {
		e.add("metadata", Note, fact, "")
	}
}

// skewTolerance is a difference of clocks that no lifetime is shorter than.
const skewTolerance = 30 * time.Second

// clock compares the server's clock with ours, by the Date field of an answer.
func (e *examination) clock() {
	x := e.info.Metadata.Exchange
	if x == nil {
		return
	}
	date, err := http.ParseTime(x.Response.Headers.Get("Date"))
	if err != nil {
		return
	}
	if skew := e.info.Discovered.Sub(date).Abs(); skew > skewTolerance {
		e.add("clock", Note, fmt.Sprintf("the server's clock and this machine's differ by %s: signed tokens and lifetimes may look wrong", skew.Round(time.Second)),
			"set both clocks by a time server")
	}
}

// endpoints sends each endpoint a request without parameters: any answer but 404 means that something is there.
func (e *examination) endpoints() {
	known := e.info.Endpoints
	for _, endpoint := range []struct{ name, method, url string }{
		{"authorization", http.MethodGet, known.Authorization},
		{"token", http.MethodPost, known.Token},
		{"revocation", http.MethodPost, known.Revocation},
		{"introspection", http.MethodPost, known.Introspection},
		{"userinfo", http.MethodGet, known.Userinfo},
		{"jwks", http.MethodGet, known.JWKS},
	} {
		subject := endpoint.name + " endpoint"
		if endpoint.url == "" {
			e.missingEndpoint(endpoint.name)
			continue
		}
		fix := fmt.Sprintf("correct endpoints.%s in the target file, or the server's metadata", endpoint.name)
		var resp *target.Response
		why := e.attempt(subject, func(as *target.AS) {
			req := as.NewRequest(endpoint.method, endpoint.url)
			target.AnyStatus()(req)
			resp = as.Send(req)
		})
		switch {
		case why != "":
			e.problem(subject, endpoint.url+": "+why, fix)
		case resp.Err != nil:
			e.problem(subject, fmt.Sprintf("%s does not answer: %v", endpoint.url, resp.Err), fix)
		case resp.Status == http.StatusNotFound && endpoint.name != "authorization":
			e.problem(subject, fmt.Sprintf("%s answers 404 to %s", endpoint.url, endpoint.method), fix)
		case resp.Status >= 500:
			e.add(subject, Note, fmt.Sprintf("%s answers %d to a request without parameters", endpoint.url, resp.Status), "")
		default:
			e.ok(subject, "%s answers (%d to a request without parameters)", endpoint.url, resp.Status)
		}
	}
}

func (e *examination) missingEndpoint(name string) {
	switch name {
	case "token":
		e.problem("token endpoint", "none is known", "add endpoints: {token: https://…} to the target file")
	case "authorization":
		e.add("authorization endpoint", Absent, "none is known; checks of the authorization code grant are skipped", "add endpoints: {authorization: https://…} if the server has one")
	default:
		e.add(name+" endpoint", Absent, "none is known; its checks are skipped", "")
	}
}

// answer names a response by status, error code and description.
func answer(resp *target.Response) string {
	if resp.Err != nil {
		return "no answer: " + resp.Err.Error()
	}
	text := fmt.Sprintf("%d %s", resp.Status, http.StatusText(resp.Status))
	if code := resp.ErrorCode(); code != "" {
		text += " " + code
	}
	if says := resp.String("error_description"); says != "" {
		if runes := []rune(says); len(runes) > 120 {
			says = string(runes[:120]) + "…"
		}
		text += fmt.Sprintf(" (%q)", says)
	}
	return text
}

func first(list []string, fallback string) string {
	if len(list) > 0 {
		return list[0]
	}
	return fallback
}
