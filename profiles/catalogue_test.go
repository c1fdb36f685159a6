package profiles

import (
	"strings"
	"testing"
)

func TestCountsPerSpecification(t *testing.T) {
	for slug, want := range map[string]Counts{
		"rfc6749": {Server: 276, BlackBox: 159, Conditional: 72, NotTestable: 45},
		"rfc6750": {Server: 58, BlackBox: 29, Conditional: 24, NotTestable: 5},
	} {
		if got := CountRequirements(slug); got != want {
			t.Errorf("%s: %+v, want %+v", slug, got, want)
		}
	}
}

func TestRequirementsComeInCatalogueOrder(t *testing.T) {
	var slugs []string
	for _, s := range Specs() {
		slugs = append(slugs, s.Slug)
		if s.Name == "" || s.Title == "" || !strings.HasPrefix(s.URL, "https://") {
			t.Errorf("%s: incomplete: %+v", s.Slug, s)
		}
	}
	want := "rfc6749 rfc6750 rfc7009 rfc7523 rfc7591 rfc7636 rfc7662 rfc8252 rfc8414 rfc8628 rfc8693 rfc8707 rfc9068 rfc9126 rfc9207 rfc9449 rfc9700 mcp-authorization oauth21"
	if got := strings.Join(slugs, " "); got != want {
		t.Errorf("specifications %s\nwant           %s", got, want)
	}
	if got := len(Requirements("")); got != 1271 {
		t.Errorf("%d requirements in all", got)
	}
	first := Requirements("rfc6749")[0]
	if first.ID != "RFC6749-1.5-01" || first.Spec != "rfc6749" {
		t.Errorf("the first requirement of RFC 6749 is %+v", first)
	}
	if Requirements("rfc1") != nil {
		t.Error("an unknown specification has requirements")
	}
}

func TestLookupRequirement(t *testing.T) {
	for _, r := range Requirements("") {
		got, ok := LookupRequirement(r.ID)
		if !ok || got.ID != r.ID || got.Spec != r.Spec {
			t.Errorf("%s: found %v, %s of %s", r.ID, ok, got.ID, got.Spec)
		}
	}
	r, _ := LookupRequirement("RFC6749-5.1-13")
	if r.Level != Must || r.Fault != "token-response-cacheable" || len(r.Needs) != 1 || r.Needs[0] != "any_token_grant" {
		t.Errorf("RFC6749-5.1-13 lost something: %+v", r)
	}
	if _, ok := LookupRequirement("RFC6749-5.1-99"); ok {
		t.Error("found what does not exist")
	}
	if got := NearestRequirement("RFC6749-5.1-1"); got != "RFC6749-5.1-10" && got != "RFC6749-5.1-01" {
		t.Errorf("nearest to RFC6749-5.1-1: %q", got)
	}
}

func TestRequirementURL(t *testing.T) {
	for id, want := range map[string]string{
		"RFC6749-5.1-13":         "https://www.rfc-editor.org/rfc/rfc6749#section-5.1",
		"RFC6749-A.1-01":         "https://www.rfc-editor.org/rfc/rfc6749#appendix-A.1",
		"OAUTH21-1.4.1-01":       "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1-16#section-1.4.1",
		"MCPAUTH-overview-01":    "https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization",
		"MCPAUTH-cimd-4.2-01":    "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document-02#section-4.2",
		"MCPAUTH-rfc9728-3-01":   "https://www.rfc-editor.org/rfc/rfc9728#section-3",
		"RFC9700-4.14.2-02":      "https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2",
		"no such requirement: ?": "",
	} {
		r, _ := LookupRequirement(id)
		if got := r.URL(); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[Level][3]bool{
		Must: {true, false, false}, MustNot: {true, false, false}, Should: {false, true, false}, ShouldNot: {false, true, false}, May: {false, false, true}, "": {},
	} {
		if got := [3]bool{level.IsMust(), level.IsShould(), level.IsMay()}; got != want {
			t.Errorf("%q: %v", level, got)
		}
	}
}

func TestDeviationsFollowTheCatalogue(t *testing.T) {
	all := Deviations()
	position := map[string]int{}
	for i, r := range Requirements("") {
		position[r.ID] = i
	}
	for i, d := range all {
		if got, ok := LookupDeviation(d.Name); !ok || got.Name != d.Name || got.Source == "" || len(got.Do) == 0 {
			t.Errorf("%s: incomplete: %+v", d.Name, got)
		}
		if i == 0 {
			continue
		}
		if before := all[i-1]; before.Fault && !d.Fault || !before.Fault && !d.Fault && position[before.Breaks] > position[d.Breaks] {
			t.Errorf("%s stands before %s", before.Name, d.Name)
		}
	}
	d, _ := LookupDeviation("token-response-wrong-status")
	if d.Source != "rfc6749_s5.yaml" || d.Do[0].At != "token.response" || d.Do[0].Args["status"] != "$status" {
		t.Errorf("token-response-wrong-status lost something: %+v", d)
	}
	if got := NearestDeviation("token-response-cachable"); got != "token-response-cacheable" {
		t.Errorf("nearest to token-response-cachable: %q", got)
	}
}

// BenchmarkLoadAll decodes all that is embedded, as a process does at most once (`oauthcheck list`).
func BenchmarkLoadAll(b *testing.B) {
	for b.Loop() {
		for _, kind := range []string{"requirements", "deviations", "vendors"} {
			for _, name := range generatedFiles(kind) {
				switch kind {
				case "requirements":
					loadSection(name, baseName(name))
				case "deviations":
					var file DeviationsFile
					decodeGenerated(name, &file)
				case "vendors":
					var profile Profile
					decodeGenerated(name, &profile)
				}
			}
		}
	}
}

// BenchmarkLoadOne decodes the largest specification.
func BenchmarkLoadOne(b *testing.B) {
	for b.Loop() {
		loadSection("generated/requirements/rfc6749.bin", "rfc6749")
	}
}
