package suites

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/reports"
	"github.com/oauthcheck/oauthcheck/suites/target"
)

// Planned says what a run would do: every check of the registry in catalogue order, whether it runs, and if not why and
// what would make it run.
type Planned struct {
	Target reports.Target `json:"target"`
	Facts  []string       `json:"facts,omitempty"` // what discovery noticed
	Checks []PlannedCheck `json:"checks"`
	Runs   int            `json:"runs"`   // how many checks run
	Logins int            `json:"logins"` // about how often the user logs in; an estimate
	Info   *target.Info   `json:"-"`

	checks []*Check // parallel to Checks
}

// PlannedCheck is one check of a plan.
type PlannedCheck struct {
	ID       string  `json:"id"`
	Section  string  `json:"section"`
	Level    string  `json:"level"`
	Lane     string  `json:"lane"`
	Title    string  `json:"title"`
	Runs     bool    `json:"runs"`
	Because  Because `json:"because,omitempty"`  // why it does not run
	Why      string  `json:"why,omitempty"`      // the same in words
	Enable   string  `json:"enable,omitempty"`   // the line that would make it run
	Disturbs bool    `json:"disturbs,omitempty"` // it runs alone
	Setup    string  `json:"setup,omitempty"`    // the further set-up of the target that it runs in
}

// Because is the kind of reason for which a check does not run.
type Because string

// The reasons.
const (
	Filtered Because = "filtered"   // by Specs, Include or Exclude; it does not appear in the report
	OffLane  Because = "lane"       // its lane was not chosen
	Missing  Because = "capability" // the target lacks what it needs
	Broken   Because = "broken"     // what it needs is configured, but a trial failed
)

// TargetError says that the target could not be tested at all; its exit status is 3.
type TargetError struct{ Err error }

func (e *TargetError) Error() string { return "the target cannot be tested: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *TargetError) Unwrap() error { return e.Err }

// Plan discovers the target and says what a run would do. It sends discovery's requests and no others. Errors are of
// type *UsageError (a filter that selects nothing, a word that does not exist), *TargetError (discovery failed) or
// *RegistrationError (joined: the checks themselves are wrong).
func Plan(ctx context.Context, cfg Config) (*Planned, error) {
	r, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	if r.main, err = r.discover(ctx, r.cfg.Target); err != nil {
		return nil, &TargetError{Err: err}
	}
	p := r.plan()
	if err := r.planSetups(ctx, p); err != nil {
		return nil, err
	}
	return p, nil
}

// plan decides which checks run on the target as it is known now.
func (r *run) plan() *Planned {
	info := r.main.info
	p := &Planned{Info: info, Facts: slices.Clone(info.Facts), Target: reportTarget(info)}
	for _, c := range r.checks {
		pc := PlannedCheck{ID: c.ID, Section: c.Section, Level: string(c.Level()), Lane: string(c.Lane), Title: c.Title(), Disturbs: len(c.Disturbs) > 0}
		pc.Because, pc.Why, pc.Enable = r.obstacle(info, c)
		pc.Runs = pc.Because == ""
		if pc.Runs {
			p.Runs++
			p.Logins += logins(c, info)
		}
		p.Checks = append(p.Checks, pc)
		p.checks = append(p.checks, c)
	}
	return p
}

// obstacle says why a check does not run on a target; "" if it does.
func (r *run) obstacle(info *target.Info, c *Check) (because Because, why, enable string) {
	if why, ok := r.filtered[c]; ok {
		return Filtered, why, ""
	}
	if !slices.Contains(r.cfg.Lanes, string(c.Lane)) {
		return OffLane, fmt.Sprintf("the lane %s was not chosen", c.Lane), "--lane " + string(c.Lane)
	}
	for _, capability := range c.Needs {
		switch d := info.Detection(capability); {
		case d.State != target.Missing:
		case d.Failed && basic(capability):
			return Broken, fmt.Sprintf("needs %s: %s; oauthcheck doctor says what is wrong with the set-up", capability, d.Because), ""
		default:
			return Missing, fmt.Sprintf("needs %s: %s", capability, d.Because), d.Enable
		}
	}
	return "", "", ""
}

// basic reports whether a capability is what clients and users are configured for: where its trial fails, the set-up is
// wrong or the target is out of order, and a run that skipped everything else would look like a success.
func basic(capability target.Capability) bool {
	return capability == target.AuthorizationCode || capability == target.AnyTokenGrant
}

// reportTarget is what is known of a target in the report's shape.
func reportTarget(info *target.Info) reports.Target {
	endpoints := map[string]string{}
	e := info.Endpoints
	for name, url := range map[string]string{
		"authorization": e.Authorization, "token": e.Token, "revocation": e.Revocation, "introspection": e.Introspection,
		"userinfo": e.Userinfo, "jwks": e.JWKS, "registration": e.Registration, "device_authorization": e.DeviceAuthorization,
		"pushed_authorization_request": e.PushedAuthorization, "end_session": e.EndSession, "metadata": e.Metadata,
	} {
		if url != "" {
			endpoints[name] = url
		}
	}
	capabilities := info.Report()
	if capabilities == nil {
		capabilities = []reports.Capability{}
	}
	return reports.Target{URL: info.Config.Target, Issuer: info.Issuer, Endpoints: endpoints, Capabilities: capabilities}
}

// logins estimates how often a check makes the user log in.
func logins(c *Check, info *target.Info) int {
	if !slices.ContainsFunc(c.Needs, func(n target.Capability) bool { return takesLogin(n, info) }) {
		return 0
	}
	return max(1, len(c.Variants))
}

// takesLogin reports whether a use of the capability begins with an authorization in the browser.
func takesLogin(capability target.Capability, info *target.Info) bool {
	switch capability {
	case target.AuthorizationCode, target.ImplicitGrant, target.UserConsent, target.SecondRedirectURI, target.PKCE,
		target.OpenID, target.PushedAuthorization, target.DeviceAuthorization:
		return true
	case target.RefreshTokenGrant:
		return !info.Has(target.PasswordGrant)
	case target.AnyTokenGrant, target.ProtectedResource, target.Introspection, target.Revocation:
		return !info.Has(target.ClientCredentialsGrant) && !info.Has(target.PasswordGrant)
	}
	return false
}

// String writes the plan for people: what runs, then what does not, by reason.
func (p *Planned) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d checks run, about %d logins\n", p.Target.URL, p.Runs, len(p.Checks), p.Logins)
	for _, fact := range p.Facts {
		fmt.Fprintf(&b, "  note: %s\n", fact)
	}
	b.WriteString("\nRun:\n")
	for _, c := range p.Checks {
		if c.Runs {
			fmt.Fprintf(&b, "  %-10s %s", c.Level, c.ID)
			if c.Setup != "" {
				fmt.Fprintf(&b, "  (further set-up: %s)", c.Setup)
			}
			b.WriteString("\n")
		}
	}
	type reason struct{ why, enable string }
	var order []reason
	byReason := map[reason][]string{}
	for _, c := range p.Checks {
		if c.Runs {
			continue
		}
		key := reason{c.Why, c.Enable}
		if byReason[key] == nil {
			order = append(order, key)
		}
		byReason[key] = append(byReason[key], c.ID)
	}
	for _, key := range order {
		fmt.Fprintf(&b, "\nSkip, %s", key.why)
		if key.enable != "" {
			fmt.Fprintf(&b, "; to run them: %s", key.enable)
		}
		b.WriteString("\n")
		for _, id := range byReason[key] {
			fmt.Fprintf(&b, "  %s\n", id)
		}
	}
	return b.String()
}
