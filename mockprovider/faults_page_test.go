package mockprovider

import (
	"fmt"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// wanted are the deviations that testers of clients order most, beside the faults.
var wanted = []string{
	"missing-access-token", "missing-access-token-null", "missing-token-type", "unregistered-token-type", "missing-expires-in", "expires-in-as-string",
	"expires-in-not-an-integer", "expires-in-negative", "duplicate-json-member", "scope-as-json-array", "token-response-broken-json", "token-response-form-encoded",
	"token-response-enveloped", "token-response-wrong-content-type", "token-response-wrong-status", "token-error-wrong-content-type-html",
	"metadata-issuer-mismatch", "metadata-jwks-uri-http", "metadata-endpoint-404", "jwks-without-keys", "jwks-without-keys-html", "jwks-use-missing",
	"state-not-returned", "state-altered", "iss-missing-on-success", "iss-wrong-value", "invalid-token-not-401",
	"invalid-tls-certificate", "old-tls-version-accepted",
}

// faultsPage is docs/faults.md: the faults of the catalogue by where they act, with the bugs that they stand for.
func faultsPage() string {
	var b strings.Builder
	b.WriteString(`# Faults of the mock provider

What a client meets when a server, or something between the two, is out of order. Each fault is ordered by its name:
[mock.md](mock.md#faults-for-tests-of-clients) tells how, from Go, the command line, YAML and over HTTP. A fault changes one thing and leaves all else valid, so that
a client's refusal can be put down to one check. ` + "`oauthcheck explain NAME`" + ` says the same as this page.

Beside its own parameters every fault and every deviation takes these, which narrow it to some requests (` + "`NAME:times=2,client=web-app`" + `):

| parameter | meaning |
|---|---|
`)
	for _, m := range profiles.Matchers() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", m.Name, m.Doc)
	}
	b.WriteString(`
A request that names no client, such as one for the JWKS, is of none. A fault that acts in several places counts in each of them by itself.
`)
	byFile := map[string][]profiles.Deviation{}
	for _, d := range profiles.Deviations() {
		if d.Fault || d.Source == "faults_breaking.yaml" {
			byFile[d.Source] = append(byFile[d.Source], d)
		}
	}
	for _, group := range []struct{ file, title, text string }{
		{"faults_id_token.yaml", "ID tokens and JWT access tokens", "The checks are those of OpenID Connect Core section 3.1.3.7 and RFC 9068 section 4. Faults of access tokens make JWTs of them."},
		{"faults_documents.yaml", "Discovery, keys, userinfo", ""},
		{"faults_token_response.yaml", "Token responses", ""},
		{"faults_transport.yaml", "Connections", "The parameter `endpoint` says where."},
		{"faults_breaking.yaml", "Broken answers", "These break a requirement, so the harness detects them; they are made for testers of clients all the same."},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n", group.title)
		if group.text != "" {
			fmt.Fprintf(&b, "%s\n\n", group.text)
		}
		b.WriteString("| fault | parameters | what happens | stands for |\n|---|---|---|---|\n")
		for _, d := range byFile[group.file] {
			var params []string
			for _, p := range d.Params {
				params = append(params, fmt.Sprintf("`%s=%s` %s", p.Name, p.Default, p.Doc))
			}
			for _, key := range sortedKeys(d.Setup) {
				params = append(params, fmt.Sprintf("needs the setting `%s: %s`", key, toText(d.Setup[key])))
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.Name, strings.Join(params, "<br>"), d.Summary, d.Stands)
		}
		delete(byFile, group.file)
	}
	for file := range byFile {
		fmt.Fprintf(&b, "\n%s is not on this page.\n", file)
	}
	b.WriteString(`
## Deviations that clients should survive or refuse

A deviation breaks a requirement, and so a client may meet it on a real server. These are the ones that testers of clients want most; ` + "`oauthcheck list deviations`" + ` has
all.

| deviation | breaks | what happens |
|---|---|---|
`)
	for _, name := range wanted {
		d, ok := profiles.LookupDeviation(name)
		if !ok || d.Fault {
			d.Summary = "is no deviation of the catalogue"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, d.Breaks, d.Summary)
	}
	return b.String()
}
