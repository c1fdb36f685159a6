package suites

import (
	"maps"
	"slices"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// newRedactor returns a redactor that knows the secrets of the configuration and leaves readable what is public in it.
func newRedactor(cfg target.Config, checks []*Check) *reports.Redactor {
	secrets := []reports.Secret{{Kind: "password", Value: cfg.User.Password}}
	for _, client := range cfg.Clients.All() {
		secrets = append(secrets, reports.Secret{Kind: "client_secret", Value: client.Secret})
	}
	redactor := reports.NewRedactor(slices.DeleteFunc(secrets, func(s reports.Secret) bool { return s.Value == "" }))
	redactor.Public(public(cfg)...)
	redactor.Public(ownNames(checks)...)
	return redactor
}

// public is what need not be hidden of a configuration.
func public(cfg target.Config) []string {
	var out []string
	for _, client := range cfg.Clients.All() {
		out = append(append(out, client.ID), client.RedirectURIs...)
	}
	return append(out, cfg.Scopes...)
}

// ownNames are the names of checks and variants, which messages repeat, and made-up values that are no secrets but begin as
// made-up secrets do.
func ownNames(checks []*Check) []string {
	out := []string{"oauthcheck", "oauthcheck-unknown-client", "oauthcheck-unregistered", "oauthcheck_unknown_scope"}
	for _, c := range checks {
		out = append(append(out, c.Name), c.Variants...)
	}
	return out
}

// learn tells the redactor what the run has been issued or has made up since.
func (r *run) learn() {
	for _, on := range r.stages() {
		for _, s := range on.secrets() {
			r.redactor.Learn(s)
		}
	}
}

// redact makes a report fit to leave the package.
func (r *run) redact(report *reports.Report) {
	r.learn()
	restore := hideOwnWords(report)
	r.redactor.Redact(report)
	restore()
}

// hideOwnWords takes our own texts out of a report and returns how to put them back: they hold no secret, but examples that
// look like one ("Basic base64(…)") and names that are a part of a made-up one ("wrong-secret").
func hideOwnWords(report *reports.Report) (restore func()) {
	type words struct {
		title, sent string
		variants    []string
	}
	kept := make([]words, len(report.Checks))
	requirements, reproduce := report.Requirements, report.Run.Reproduce
	report.Requirements, report.Run.Reproduce = nil, ""
	for i := range report.Checks {
		c := &report.Checks[i]
		kept[i] = words{title: c.Title, sent: c.Sent}
		c.Title, c.Sent = "", ""
		for j := range c.Variants {
			kept[i].variants = append(kept[i].variants, c.Variants[j].Name)
			c.Variants[j].Name = ""
		}
	}
	return func() {
		report.Requirements, report.Run.Reproduce = requirements, reproduce
		for i := range report.Checks {
			c := &report.Checks[i]
			c.Title, c.Sent = kept[i].title, kept[i].sent
			for j := range c.Variants {
				c.Variants[j].Name = kept[i].variants[j]
			}
		}
	}
}

// text is the block of a finished check for a test framework's output.
func (r *run) text(c reports.Check) string {
	r.learn()
	report := &reports.Report{Checks: []reports.Check{c}}
	restore := hideOwnWords(report)
	r.redactor.RedactCheck(&report.Checks[0]) // not Redact, which indexes all secrets anew: once a run is enough
	restore()
	return reports.FailureBlock(report.Checks[0], named(report.Checks))
}

// own copies exchanges so that nothing in them is shared with a body, another check, or the target: the headers of a
// control are recorded for every check that relies on it.
func own(exchanges []reports.Exchange) []reports.Exchange {
	out := slices.Clone(exchanges)
	for i := range out {
		out[i].Request.Headers = cloneHeader(out[i].Request.Headers)
		out[i].Response.Headers = cloneHeader(out[i].Response.Headers)
	}
	return out
}

func cloneHeader[H ~map[string][]string](h H) H {
	out := maps.Clone(h)
	for name, values := range out {
		out[name] = slices.Clone(values)
	}
	return out
}
