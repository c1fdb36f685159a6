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
