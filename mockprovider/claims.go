package mockprovider

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Claims are members of tokens, userinfo and introspection answers, by name. A time.Time becomes seconds since 1970, nil removes a claim
// that would be there. Texts may have templates (docs/mock-steps.md), such as ${request:tenant} for a parameter of the token
// request or, where that has none of the name, of the authorization request.
type Claims map[string]any

// ClaimRule gives claims to the tokens that its condition chooses.
type ClaimRule struct {
	When map[string]any `yaml:"when" json:"when,omitempty" doc:"condition on the request, the client and the user (see Conditions)"`
	Set  Claims         `yaml:"set" json:"set" doc:"the claims; null removes one"`
}

// claimRule is a compiled ClaimRule. A rule for the next tokens is dropped when it was used.
type claimRule struct {
	when  *condition
	set   map[string]any
	from  func(Request) Claims // in place of set
	once  bool
	stays bool // it is of the configuration, not of a call
}

func compileClaimRule(where string, r ClaimRule) (*claimRule, error) {
	if len(r.Set) == 0 {
		return nil, fmt.Errorf("%s: no claims are set", where)
	}
	when, err := compileClaimCondition(where, r.When)
	if err != nil {
		return nil, err
	}
	set := plain(r.Set).(map[string]any)
	for _, name := range sortedKeys(set) {
		if _, err := json.Marshal(set[name]); err != nil {
			return nil, fmt.Errorf("%s.set.%s: a token cannot have it: %w", where, name, err)
		}
	}
	if err := checkTemplates(where+".set", set); err != nil {
		return nil, err
	}
	return &claimRule{when: when, set: set}, nil
}

func compileClaimCondition(where string, data map[string]any) (*condition, error) {
	when, err := compileCondition(where, data)
	if err == nil && when != nil && (when.Nth != 0 || when.Times != 0) {
		err = fmt.Errorf("%s: when.nth and when.times are for answers, not for claims", where)
	}
	return when, err
}

// plain turns what a test writes into what the JSON writer and templates know: Claims into maps, times into seconds.
func plain(v any) any {
	switch v := v.(type) {
	case Claims:
		return plain(map[string]any(v))
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			out[name] = plain(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case time.Time:
		return v.Unix()
	}
	return v
}

// SetClaims puts claims into all tokens that are issued from now on to the requests, clients and users that the match chooses: ID
// tokens and JWT access tokens, and what userinfo and introspection tell about them. Later calls win over earlier ones, all of them over the user's own claims.
func (p *Provider) SetClaims(m Match, claims Claims) error {
	p.tester().Helper()
	return p.mistake(p.addClaims(ClaimRule{m.when(), claims}, false))
}

// SetClaimsFunc is SetClaims with claims that a function says, for each answer that issues or tells of tokens. The request is the one that is
// being answered, with the parameters of the authorization request that led to it, and its User is the one that the tokens are about. The
// function is called from the goroutines of requests; texts are taken as they are, without templates.
func (p *Provider) SetClaimsFunc(m Match, claims func(Request) Claims) error {
	p.tester().Helper()
	if claims == nil {
		return p.mistake(errors.New("claims: the function is nil"))
	}
	when, err := compileClaimCondition("claims", m.when())
	if err == nil {
		err = p.addClaimRule(&claimRule{when: when, from: claims})
	}
	return p.mistake(err)
}

// NextToken is SetClaims for the next tokens only: those of the next answer that issues any.
func (p *Provider) NextToken(claims Claims) error {
	p.tester().Helper()
	return p.mistake(p.addClaims(ClaimRule{nil, claims}, true))
}

// ForgetClaims drops what SetClaims, SetClaimsFunc and NextToken set. The claims of the configuration stay.
func (p *Provider) ForgetClaims() {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	rules := slices.DeleteFunc(slices.Clone(*p.claimRules.Load()), func(r *claimRule) bool { return !r.stays })
	p.claimRules.Store(&rules)
}

// maxClaimRules bounds the claims that are set.
const maxClaimRules = 4096

func (p *Provider) addClaims(r ClaimRule, once bool) error {
	compiled, err := compileClaimRule("claims", r)
	if err != nil {
		return err
	}
	compiled.once = once
	return p.addClaimRule(compiled)
}

func (p *Provider) addClaimRule(compiled *claimRule) error {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	rules := append(slices.Clone(*p.claimRules.Load()), compiled) // copied on write: readers need no lock
	if len(rules) > maxClaimRules {
		return fmt.Errorf("claims: more than %d rules are set", maxClaimRules)
	}
	p.claimRules.Store(&rules)
	return nil
}

// dropClaimRule takes a rule away; false if somebody else was faster.
func (p *Provider) dropClaimRule(r *claimRule) bool {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	rules := *p.claimRules.Load()
	i := slices.Index(rules, r)
	if i < 0 {
		return false
	}
	next := slices.Delete(slices.Clone(rules), i, i+1)
	p.claimRules.Store(&next)
	return true
}

// standardClaims are those of OpenID Connect Core section 5.1, which scopes ask for. Others of a user are in all of its tokens.
var standardClaims = map[string]bool{"sub": true, "name": true, "given_name": true, "family_name": true, "middle_name": true, "nickname": true,
	"preferred_username": true, "profile": true, "picture": true, "website": true, "email": true, "email_verified": true, "gender": true,
	"birthdate": true, "zoneinfo": true, "locale": true, "phone_number": true, "phone_number_verified": true, "address": true, "updated_at": true}

// extraClaims are the claims that users, clients and tests add to the tokens of this exchange: the user's own that no scope asks for, the
// client's, those of the settings, those of SetClaims and NextToken. Nil for none.
func (x *exchange) extraClaims(g *grant) map[string]any {
	if x.extra != nil {
		return x.extra
	}
	var extra map[string]any
	set := func(name string, value any) {
		if extra == nil {
			extra = make(map[string]any)
		}
		extra[name] = value
	}
	if g.user != nil {
		for name, value := range g.user.Claims {
			if !standardClaims[name] {
				set(name, value)
			}
		}
	}
	client := x.p.client(g.client)
	if client != nil {
		for name, value := range client.Claims {
			set(name, value)
		}
	}
	if rules := *x.p.root.claimRules.Load(); len(rules) > 0 {
		back := x.withAuthorization(g, client)
		for _, r := range rules {
			if r.when != nil && !r.when.matches(x) || r.once && !x.p.dropClaimRule(r) {
				continue
			}
			for name, value := range r.set {
				set(name, x.expandAny(value))
			}
			if r.from != nil {
				e := x.entry()
				for name, value := range r.from(e.request()) {
					set(name, plain(value))
				}
			}
		}
		back()
	}
	x.extra = extra
	return extra
}

// withAuthorization lets conditions and templates see the parameters of the authorization request beside those of the token request.
func (x *exchange) withAuthorization(g *grant, client *RegisteredClient) (back func()) {
	sent, parameters, user, before := x.sent, x.params, x.user, x.client
	for _, p := range g.request {
		if !sent.has(p.name) {
			x.sent = append(slices.Clip(x.sent), p)
			x.params = append(slices.Clip(x.params), p)
		}
	}
	if g.user != nil {
		x.user = g.user
	}
	if x.client == nil {
		x.client = client
	}
	return func() { x.sent, x.params, x.user, x.client = sent, parameters, user, before }
}

// with returns the object with extra claims in it, nil ones removed, except for the names in skip.
func (o object) with(extra map[string]any, skip ...string) object {
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		switch {
		case slices.Contains(skip, name):
		case extra[name] == nil:
			o = o.remove(name)
		default:
			o = o.set(name, extra[name])
		}
	}
	return o
}

// tokenOnly are claims about a token, not about its user.
var tokenOnly = []string{"iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "at_hash", "c_hash", "auth_time", "acr", "amr", "client_id", "scope"}
