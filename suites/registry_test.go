package suites

import (
	"errors"
	"strings"
	"testing"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/suites/target"
)

func TestRegistrationsThatAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		register func(*S)
		fault    string
	}{
		"no body":             {func(s *S) { s.Check("x", Requires(must)) }, "it has no body"},
		"two bodies":          {func(s *S) { s.Check("x", Requires(must), nothing, nothing) }, "it has two bodies"},
		"another body":        {func(s *S) { s.Check("x", Requires(must), nothing, func() {}) }, "a func() is neither an option nor a body"},
		"no requirement":      {func(s *S) { s.Check("x", nothing) }, "it names no requirement"},
		"unknown requirement": {func(s *S) { s.Check("x", Requires("RFC6749-5.1-31"), nothing) }, "no requirement RFC6749-5.1-31; did you mean RFC6749-5.1-"},
		"twice":               {func(s *S) { s.Check("x", Requires(must, must), nothing) }, "it names the requirement RFC6749-5.1-13 twice"},
		"severities":          {func(s *S) { s.Check("x", Requires(must, should), nothing) }, "of different severity"},
		"not testable":        {func(s *S) { s.Check("x", Requires("RFC6749-1.6-01"), nothing) }, "cannot be tested: a permission"},
		"another spec":        {func(s *S) { s.Check("x", Requires("RFC6750-3-01"), nothing) }, "belongs to rfc6750: name it with Crosses"},
		"capability":          {func(s *S) { s.Check("x", Requires(must), Needs("teapot"), nothing) }, `no capability "teapot"`},
		"id":                  {func(s *S) { s.Check("No_Store", Requires(must), nothing) }, `"rfc6749/No_Store" is not of the form`},
		"ordinal only":        {func(s *S) { s.Check("a--b", Requires(must), nothing) }, "is not of the form"},
		"alias":               {func(s *S) { s.Check("x", Requires(must), Aliases("rfc6749/Old"), nothing) }, `"rfc6749/Old" is not of the form`},
		"duplicate":           {func(s *S) { s.Check("x", Requires(must), nothing); s.Check("x", Requires(must), nothing) }, `"rfc6749/x" is taken by the check at suites/registry_test.go:`},
		"duplicate alias":     {func(s *S) { s.Check("x", Requires(must), nothing); s.Check("y", Requires(must), Aliases("x"), nothing) }, `"rfc6749/x" is taken`},
		"trial":               {func(s *S) { s.Check("x", Requires(must), Provisional("soon"), nothing) }, "takes a month"},
		"lane":                {func(s *S) { s.Check("x", Requires(must), Lane("bus"), nothing) }, `no lane "bus"`},
		"scope":               {func(s *S) { s.Check("x", Requires(must), Disturbs("everyone"), nothing) }, `no scope "everyone"`},
		"variants":            {func(s *S) { s.Check("x", Requires(must), Variants("a", "b", "a"), nothing) }, `the variant "a" is listed twice`},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry(test.register)
			err := r.Verify()
			var fault *RegistrationError
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), test.fault) || !strings.HasPrefix(fault.Source, "suites/registry_test.go:") {
				t.Errorf("got %v, want %s", err, test.fault)
			}
			if _, err := Execute(t.Context(), Config{Registry: r}); err == nil {
				t.Error("a run accepts it")
			}
		})
	}
	for name, section := range map[string][2]string{"specification": {"RFC 1", "1"}, "section": {"RFC 6749", "5.1.1"}} {
		r := new(Registry)
		r.Section(section[0], section[1], func(s *S) { s.Check("x", Crosses(must), nothing) })
		if err := r.Verify(); err == nil || !strings.Contains(err.Error(), "the catalogue has no ") {
			t.Errorf("unknown %s: %v", name, err)
		}
	}
	err := registry(func(s *S) { s.Check("X", nothing); s.Check("Y", nothing) }).Verify()
	if n := strings.Count(err.Error(), "\n") + 1; n != 4 {
		t.Errorf("%d faults are reported, want all 4: %v", n, err)
	}
}

func TestRegistration(t *testing.T) {
	r := new(Registry)
	r.Section("RFC 6750", "3", func(s *S) {
		s.Check("later", Requires("RFC6750-3-01"), Crosses(must), nothing)
	})
	r.Section("RFC 6749", "5.1", func(s *S) {
		s.Check("first", Requires(must, otherMust), Needs(target.AnyTokenGrant, target.SecondClient), Lane(Race), Disturbs(Client, User),
			Provisional("2026-11"), Aliases("old"), Title("A title."), Sends("A request."), Variants("a", "b"), Impact("low"),
			func(*target.AS, gomega.Gomega) {})
		s.Check("second", Requires(should), Slow, nothing)
	})
	if err := r.Verify(); err != nil {
		t.Fatal(err)
	}
	checks := r.Checks()
	if len(checks) != 3 || checks[2].ID != "rfc6750/later" {
		t.Fatalf("not in catalogue order: %+v", checks)
	}
	c := checks[0]
	if c.ID != "rfc6749/first" || c.Level() != "MUST" || c.Impact() != "low" || c.Lane != Race || c.Title() != "A title." || c.Sent() != "A request." || c.Aliases[0] != "rfc6749/old" {
		t.Errorf("%+v %s %s", c, c.Level(), c.Impact())
	}
	if c := checks[1]; c.Lane != Slow || c.Impact() == "" || c.Title() == "" || c.Sent() == "" || c.Level() != "SHOULD" {
		t.Errorf("%+v", c)
	}
}

func TestSelect(t *testing.T) {
	r := new(Registry)
	r.Section("RFC 6749", "2.3.1", func(s *S) { s.Check("wrong-secret", Requires("RFC6749-2.3.1-01"), nothing) })
	r.Section("RFC 6749", "5.1", func(s *S) {
		s.Check("no-store", Requires(must), Aliases("cacheable"), nothing)
		s.Check("status", Requires(otherMust), nothing)
	})
	r.Section("RFC 6750", "3", func(s *S) { s.Check("challenge", Requires("RFC6750-3-01"), nothing) })
	const secret, noStore, status, challenge = "rfc6749/wrong-secret", "rfc6749/no-store", "rfc6749/status", "rfc6750/challenge"
	all := []string{secret, noStore, status, challenge}
	for _, test := range []struct {
		specs, include, exclude []string
		want                    []string
	}{
		{nil, nil, nil, all},
		{[]string{"rfc6750"}, nil, nil, []string{challenge}},
		{[]string{"RFC 6750"}, nil, nil, []string{challenge}},
		{nil, []string{"rfc6749/no-store"}, nil, []string{noStore}},
		{nil, []string{"no-store"}, nil, []string{noStore}},
		{nil, []string{"cacheable", "rfc6749/cacheable"}, nil, nil},
		{nil, []string{"rfc6749/cacheable"}, nil, []string{noStore}},
		{nil, []string{"rfc6749/5.1"}, nil, []string{noStore, status}},
		{nil, []string{"rfc6749/5"}, nil, []string{noStore, status}},
		{nil, []string{"rfc6749/2.3"}, nil, []string{secret}},
		{nil, []string{"rfc6749/5.1/status"}, nil, []string{status}},
		{nil, []string{"rfc6749/*"}, nil, []string{secret, noStore, status}},
		{nil, []string{"*s*t*"}, nil, []string{secret, noStore, status}},
		{nil, []string{"RFC6749-5.1-13"}, nil, []string{noStore}},
		{nil, []string{"rfc6749-5.1-*"}, nil, []string{noStore, status}},
		{nil, nil, []string{"rfc6749/5.1", "challenge"}, []string{secret}},
		{[]string{"rfc6749"}, []string{"*st*"}, []string{"status"}, []string{noStore}},
	} {
		checks := r.sorted()
		filtered, err := choose(checks, test.specs, test.include, test.exclude)
		if test.want == nil {
			if err == nil {
				t.Errorf("%v: no error", test)
			}
			continue
		}
		var got []string
		for _, c := range checks {
			if _, out := filtered[c]; !out {
				got = append(got, c.ID)
			}
		}
		if err != nil || strings.Join(got, " ") != strings.Join(test.want, " ") {
			t.Errorf("%v: got %v (%v)", test, got, err)
		}
	}

	for pattern, near := range map[string]string{
		"rfc6749/no-stroe": noStore, "rfc6749/5.2": "rfc6749/5.1", "RFC6749-5.1-31": "RFC6749-5.1-13", "rfc6479": "rfc6749", "statsu": "status", "qqqqqqqq": "",
	} {
		for _, cfg := range []Config{{Include: []string{pattern}}, {Exclude: []string{pattern}}, {Specs: []string{pattern}}} {
			cfg.Registry = r
			cfg.Target = against(&fakeAS{}, nobody).Target
			_, err := Execute(t.Context(), cfg)
			var none *NoMatchError
			var usage *UsageError
			if !errors.As(err, &none) || !errors.As(err, &usage) || StatusOf(err) != StatusUsage || none.Pattern != pattern {
				t.Fatalf("%s: %v", pattern, err)
			}
			if near != "" && (len(none.Nearest) == 0 || none.Nearest[0] != near) {
				t.Errorf("%s: %v, want %s", pattern, none.Nearest, near)
			}
		}
	}
	if _, err := choose(r.sorted(), nil, []string{"status"}, []string{"status"}); StatusOf(err) != StatusUsage {
		t.Errorf("filters that leave nothing: %v", err)
	}
}

// nobody registers nothing.
func nobody(*S) {}

func TestConfigMistakes(t *testing.T) {
	for want, cfg := range map[string]Config{
		`no judge "strickt"; did you mean strict?`:  {Judge: "strickt"},
		`no fail-on "shuold"; did you mean should?`: {FailOn: "shuold"},
		`no lane "slwo"; did you mean slow?`:        {Lanes: []string{"slwo"}},
		`choose from fast, slow, race, destructive`: {Lanes: []string{"xxxxxxxxxx"}},
	} {
		cfg.Registry = registry(func(s *S) { s.Check("x", Requires(must), nothing) })
		if _, err := Execute(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) || StatusOf(err) != StatusUsage {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	cfg := config(func(s *S) { s.Check("x", Requires(must), nothing) })
	cfg.Target = target.Config{}
	if _, err := Execute(t.Context(), cfg); StatusOf(err) != StatusUsage {
		t.Errorf("no target: %v", err)
	}
}
