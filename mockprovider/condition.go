package mockprovider

import (
	"fmt"
	"path"
	"reflect"
	"strings"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// condition is `when:` of an operation: all of its parts must hold. Text is compared as a glob (* and ?), a list means any of
// them, a leading ! negates.
type condition struct {
	Endpoint     []string            `yaml:"endpoint" doc:"the endpoint's name (first part of its steps): authorize, token, userinfo …; what happens after login and consent counts as authorize, too; other for a path that leads to no endpoint"`
	Method       []string            `yaml:"method" doc:"the HTTP method"`
	Grant        []string            `yaml:"grant" doc:"grant_type as sent"`
	ResponseType []string            `yaml:"response_type" doc:"response_type of the authorization request"`
	Client       []string            `yaml:"client" doc:"identifier of the client"`
	ClientType   []string            `yaml:"client_type" doc:"public or confidential"`
	ClientKind   []string            `yaml:"client_kind" doc:"web, native or service, as registered"`
	Auth         []string            `yaml:"auth" doc:"how the client authenticates: client_secret_basic, client_secret_post, none (client_id alone), or empty"`
	User         []string            `yaml:"user" doc:"name of the resource owner"`
	Scope        []string            `yaml:"scope" doc:"a scope value that was asked for or granted"`
	Error        []string            `yaml:"error" doc:"error code of the answer, at response steps"`
	RefusedBy    []string            `yaml:"refused_by" doc:"name of the step that refused, at response steps"`
	Token        []string            `yaml:"token" doc:"kind of the token at hand: access_token, refresh_token, id_token"`
	Format       []string            `yaml:"format" doc:"form of the token at hand: opaque, jwt"`
	Path         []string            `yaml:"path" doc:"path of the request URI"`
	Param        map[string][]string `yaml:"param" doc:"a request parameter's value"`
	Query        map[string][]string `yaml:"query" doc:"a parameter in the request URI's query, whatever the endpoint makes of it"`
	Header       map[string][]string `yaml:"header" doc:"a request header field's value"`
	Present      []string            `yaml:"present" doc:"parameters that were sent with a value (all of them)"`
	Absent       []string            `yaml:"absent" doc:"parameters that were not sent, or without a value (all of them)"`
	Unsent       []string            `yaml:"unsent" doc:"parameters that were not sent, not even without a value (all of them)"`
	Empty        []string            `yaml:"empty" doc:"parameters that were sent without a value (all of them)"`
	Repeated     []string            `yaml:"repeated" doc:"parameters that were sent more than once (any of them; * for any parameter)"`
	Single       []string            `yaml:"single" doc:"parameters that were not sent more than once (all of them)"`
	Unknown      *bool               `yaml:"unknown_parameter" doc:"the request has a parameter that the endpoint does not know"`
	HasQuery     *bool               `yaml:"has_query" doc:"the request URI has a query"`
	HasBody      *bool               `yaml:"has_body" doc:"the request has a body"`
	Replay       *bool               `yaml:"replay" doc:"the code or refresh token was used before"`
	Approved     *bool               `yaml:"approved" doc:"this user approved this client and scope before"`
	PKCEMethod   []string            `yaml:"pkce_method" doc:"code_challenge_method of the code at hand: S256, plain"`
	PKCE         *bool               `yaml:"pkce" doc:"the authorization request had a code_challenge"`
	Registered   *bool               `yaml:"registered_redirect_uri" doc:"redirect_uri is exactly a registered one"`
	TLS          *bool               `yaml:"tls" doc:"the request came over TLS"`
	Nth          int                 `yaml:"nth" doc:"only the nth request for which the rest holds, counted from 1"`
	Times        int                 `yaml:"times" doc:"only the first n requests for which the rest holds"`
}

func (c *condition) matches(x *exchange) bool {
	any1 := func(globs []string, value string) bool { return len(globs) == 0 || globMatch(globs, value) }
	switch {
	case len(c.Endpoint) > 0 && !globMatchAny(c.Endpoint, x.places()), !any1(c.Method, x.r.Method), !any1(c.Grant, x.params.get("grant_type")),
		!any1(c.ResponseType, x.params.get("response_type")), !any1(c.Auth, x.auth), !any1(c.Path, x.r.URL.Path):
		return false
	}
	if len(c.Client)+len(c.ClientType)+len(c.ClientKind) > 0 {
		id, kind, of := x.params.get("client_id"), "", ""
		if x.client != nil {
			id, kind, of = x.client.ID, x.client.Type(), x.client.Kind
		}
		if !any1(c.Client, id) || !any1(c.ClientType, kind) || !any1(c.ClientKind, of) {
			return false
		}
	}
	if len(c.User) > 0 && !globMatch(c.User, x.userName()) {
		return false
	}
	if len(c.Scope) > 0 && !globMatchAny(c.Scope, x.scopes()) {
		return false
	}
	if len(c.Error)+len(c.RefusedBy) > 0 {
		code, step := "", ""
		if x.err != nil {
			code, step = x.err.Code, x.err.Step
		}
		if !any1(c.Error, code) || !any1(c.RefusedBy, step) {
			return false
		}
	}
	if len(c.PKCEMethod) > 0 && (x.code == nil || !globMatch(c.PKCEMethod, x.code.challengeMethod)) {
		return false
	}
	if len(c.Token)+len(c.Format) > 0 {
		kind, form := x.tokenKind()
		if !any1(c.Token, kind) || !any1(c.Format, form) {
			return false
		}
	}
	for name, globs := range c.Param {
		if !globMatchAny(globs, x.sent.all(name)) {
			return false
		}
	}
	for name, globs := range c.Query {
		if !globMatchAny(globs, x.query.all(name)) {
			return false
		}
	}
	for name, globs := range c.Header {
		if !globMatchAny(globs, x.r.Header.Values(name)) {
			return false
		}
	}
	for _, name := range c.Present {
		if x.sent.get(name) == "" {
			return false
		}
	}
	for _, name := range c.Absent {
		if x.sent.get(name) != "" {
			return false
		}
	}
	for _, name := range c.Unsent {
		if x.sent.has(name) {
			return false
		}
	}
	for _, name := range c.Empty {
		if value, sent := x.sent.lookup(name); !sent || value != "" {
			return false
		}
	}
	if len(c.Repeated) > 0 && !c.repeats(x) {
		return false
	}
	for _, name := range c.Single {
		if len(x.sent.all(name)) > 1 {
			return false
		}
	}
	flag := func(want *bool, is func() bool) bool { return want == nil || *want == is() }
	return flag(c.Unknown, x.hasUnknownParameter) &&
		flag(c.HasQuery, func() bool { return x.r.URL.RawQuery != "" }) &&
		flag(c.HasBody, func() bool { return x.bodyLength > 0 }) &&
		flag(c.Replay, func() bool { return x.replay }) &&
		flag(c.Approved, x.approvedBefore) &&
		flag(c.TLS, func() bool { return x.r.TLS != nil }) &&
		flag(c.PKCE, func() bool { return x.code != nil && x.code.challenge != "" || x.params.has("code_challenge") }) &&
		flag(c.Registered, func() bool { return x.client != nil && x.client.hasRedirectURI(x.params.get("redirect_uri")) })
}

// places are the endpoint's name, and authorize for what goes on after login and consent.
func (x *exchange) places() []string {
	if x.endpoint == "login" || x.endpoint == "consent" {
		return []string{x.endpoint, "authorize"}
	}
	return []string{x.endpoint}
}

func (c *condition) repeats(x *exchange) bool {
	for _, name := range c.Repeated {
		if name == "*" && x.sent.repeated() != "" || len(x.sent.all(name)) > 1 {
			return true
		}
	}
	return false
}

// globMatch reports whether value matches one of the globs; globs that begin with ! must all not match.
func globMatch(globs []string, value string) bool { return globMatchAny(globs, []string{value}) }

// globMatchAny is globMatch for several values, one of which has to match.
func globMatchAny(globs, values []string) bool {
	positive, matched := false, false
	for _, g := range globs {
		pattern, negated := strings.CutPrefix(g, "!")
		positive = positive || !negated
		for _, value := range values {
			if glob(pattern, value) {
				if negated {
					return false
				}
				matched = true
			}
		}
	}
	return matched || !positive
}

// glob is path.Match without its special treatment of slashes.
func glob(pattern, value string) bool {
	if !strings.ContainsAny(pattern, "*?[\\") {
		return pattern == value
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(value, "/", "\x00"))
	return err == nil && ok
}

func compileCondition(where string, when map[string]any) (*condition, error) {
	if len(when) == 0 {
		return nil, nil
	}
	c := new(condition)
	known := yamlFields(reflect.TypeFor[condition]())
	for _, name := range sortedKeys(when) {
		if _, ok := known[name]; !ok && profiles.Nearest(name, sortedKeys(known)) == "" {
			return nil, fmt.Errorf("%s when.%s: unknown key; known are %s (a request parameter stands under param: param: {%s: …})", where, name, strings.Join(sortedKeys(known), ", "), name)
		}
	}
	if err := decode(where+" when", when, c); err != nil {
		return nil, err
	}
	for name, n := range map[string]int{"nth": c.Nth, "times": c.Times} {
		if _, given := when[name]; given && n < 1 {
			return nil, fmt.Errorf("%s when.%s: %d; the first is 1", where, name, n)
		}
	}
	for _, name := range c.Endpoint {
		if clean := strings.TrimPrefix(name, "!"); !strings.ContainsAny(clean, "*?") && !endpointNames[clean] && clean != OtherPath {
			return nil, fmt.Errorf("%s when.endpoint: no endpoint %q%s", where, clean, suggestion(clean, endpointList()))
		}
	}
	return c, nil
}
