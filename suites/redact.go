package suites

import (
	"maps"
	"slices"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// newRedactor returns a redactor that knows the secrets of the configuration and leaves readable what is public in it.
func newRedactor(cfg target.Config) *reports.Redactor {
	secrets := []reports.Secret{{Kind: "password", Value: cfg.User.Password}}
	var public []string
	for _, client := range cfg.Clients.All() {
		secrets = append(secrets, reports.Secret{Kind: "client_secret", Value: client.Secret})
		public = append(append(public, client.ID), client.RedirectURIs...)
	}
	redactor := reports.NewRedactor(slices.DeleteFunc(secrets, func(s reports.Secret) bool { return s.Value == "" }))
	redactor.Public(append(public, cfg.Scopes...)...)
	return redactor
}

// learn tells the redactor what the run has been issued or has made up since.
func (r *run) learn() {
	if r.target == nil {
		return
	}
	for _, s := range r.target.Secrets() {
		r.redactor.Learn(reports.Secret(s))
	}
}

// redact makes a report fit to leave the package.
func (r *run) redact(report *reports.Report) {
	r.learn()
	r.redactor.Redact(report)
}

// text is the block of a finished check for a test framework's output.
func (r *run) text(c reports.Check) string {
	r.learn()
	r.redactor.RedactCheck(&c)
	return reports.FailureBlock(c, named([]reports.Check{c}))
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
