package mockprovider

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxBody bounds a request's body.
const maxBody = 1 << 20

// exchange is one request on its way through the steps, with what has been found out about it so far.
type exchange struct {
	p        *Provider
	w        http.ResponseWriter
	r        *http.Request
	endpoint string    // "authorize", "token", …: the first part of the names of its steps
	program  program   // the deviations in force when the request arrived
	now      time.Time // one instant for the whole request

	query  params // parameters of the request URI
	sent   params // the parameters that the endpoint reads, as sent, with those that have no value
	params params // the same without those that have no value, which count as omitted (RFC 6749 section 3.1, 3.2)

	form            params // the fields of a login or consent form; sent and params are the authorization request's then
	bodyLength      int
	client          *RegisteredClient
	auth            string     // the client authentication method; "" before client authentication
	assertion       *assertion // client_assertion, nil for none
	user            *ResourceOwner
	session         *session
	code            *code  // the authorization code that is redeemed
	token           *token // the token that is presented
	replay          bool   // the code or refresh token was used before
	redirectURI     string // where the authorization response goes
	unknownMetadata bool   // the registration has members that the mock does not know
	granted         []string
	err             *oauthError // what is being answered, at error steps

	base     string            // where the provider is, as this request is told: the issuer without a slash at the end
	planned  *programmedAnswer // the programmed answer that the request gets
	decision *Decision         // what a program decided for the resource owner
	extra    map[string]any    // claims that users, clients and tests add to the tokens of this exchange
	lifetime *time.Duration    // of tokens that a program mints

	status  int // of the answer
	firedBy []string
	counted map[*op]int64
}

// userName is the login name of the resource owner, or "".
func (x *exchange) userName() string {
	if x.user == nil {
		return ""
	}
	return x.user.Username
}

// scopes are the scope values at hand: granted, else asked for.
func (x *exchange) scopes() []string {
	if x.granted != nil {
		return x.granted
	}
	return words(x.params.get("scope"))
}

// tokenKind describes the token at hand for `when: {token:, format:}`.
func (x *exchange) tokenKind() (kind, format string) {
	if x.token == nil {
		return "", ""
	}
	format = "opaque"
	if strings.Count(x.token.value, ".") == 2 {
		format = "jwt"
	}
	return x.token.kind, format
}

// knownParameters are the parameters that each endpoint understands, in the specifications that the mock implements.
var knownParameters = map[string][]string{
	"authorize": {"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "response_mode",
		"nonce", "prompt", "max_age", "display", "ui_locales", "claims_locales", "id_token_hint", "login_hint", "acr_values", "claims",
		"request", "request_uri", "resource", "authorization_details", "dpop_jkt"},
	"token": {"grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "client_assertion", "client_assertion_type",
		"refresh_token", "scope", "username", "password", "assertion", "device_code", "resource", "audience", "requested_token_type",
		"subject_token", "subject_token_type", "actor_token", "actor_token_type", "authorization_details"},
	"device_authorization": {"client_id", "client_secret", "client_assertion", "client_assertion_type", "scope", "resource"},
	"introspection":        {"token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type"},
	"revocation":           {"token", "token_type_hint", "client_id", "client_secret", "client_assertion", "client_assertion_type"},
	"device":               {"user_code"},
	"userinfo":             {"access_token"},
	"end_session":          {"id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"},
	"tokeninfo":            {"access_token"},
	"resource":             {"access_token"},
}

func (x *exchange) hasUnknownParameter() bool {
	if x.endpoint == "registration" {
		return x.unknownMetadata
	}
	known := knownParameters[x.endpoint]
	return slices.ContainsFunc(x.sent, func(p param) bool { return !slices.Contains(known, p.name) })
}

// readParameters reads the request's parameters from the query (queryToo, or GET and HEAD) or from the form in the body.
// What the strict server reads, deviations of the step ENDPOINT.parameters change.
func (x *exchange) readParameters(fromQuery bool) *oauthError {
	step := x.endpoint + ".parameters"
	dialect := formDialect{}
	deviated := len(x.program) != 0
	if deviated {
		dialect.plusLiteral = x.mode(step, "plus-literal")
		dialect.percentLiteral = x.mode(step, "percent-literal")
		dialect.latin1 = x.mode(step, "latin1")
	}
	query, queryOK := parseForm(x.r.URL.RawQuery, dialect)
	x.query = query
	wellFormed := true
	if fromQuery {
		x.sent, wellFormed = query, queryOK
	} else {
		body, err := x.readBody()
		if err != nil {
			var tooLarge *http.MaxBytesError
			if errors.As(err, &tooLarge) {
				return &oauthError{Code: "invalid_request", Description: "request body too large", Status: http.StatusRequestEntityTooLarge}
			}
			return invalidRequest("request body could not be read")
		}
		x.bodyLength = len(body)
		if e := x.local(".content_type", func() *oauthError { return x.checkContentType(len(body)) }); e != nil {
			return e
		}
		contentType := x.r.Header.Get("Content-Type")
		json := deviated && x.mode(step, "json") && isJSON(contentType)
		if !json && !isForm(contentType) && x.localMode(".content_type", "other-ignored") {
			body = nil
		}
		if json {
			x.sent, wellFormed = parseJSONParameters(body)
		} else {
			x.sent, wellFormed = parseForm(string(body), dialect)
		}
		if deviated {
			x.readQueryToo(step, query)
		}
	}
	if deviated {
		x.sent = x.normaliseNames(step, x.sent)
	}
	x.omitEmpty(step)
	if e := x.local(".syntax", func() *oauthError {
		if !wellFormed {
			return invalidRequest("malformed parameters")
		}
		return nil
	}); e != nil {
		return e
	}
	return x.local(".unknown_parameter", func() *oauthError { return nil })
}

// readBody reads the body in one piece where its length is known.
func (x *exchange) readBody() ([]byte, error) {
	limited := http.MaxBytesReader(x.w, x.r.Body, maxBody)
	if n := x.r.ContentLength; n >= 0 && n <= maxBody {
		body := make([]byte, n)
		_, err := io.ReadFull(limited, body)
		return body, err
	}
	return io.ReadAll(limited)
}

func (x *exchange) checkContentType(bodyLength int) *oauthError {
	contentType := x.r.Header.Get("Content-Type")
	if bodyLength == 0 && contentType == "" || contentType == formType {
		return nil
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil && mediaType == "" || mediaType != formType {
		if x.localMode(".parameters", "json") && isJSON(contentType) || x.localMode(".content_type", "other-ignored") {
			return nil
		}
		return invalidRequest("the content type is " + formType)
	}
	if len(parameters) > 0 && x.localMode(".content_type", "exact") {
		return invalidRequest("the content type takes no parameters")
	}
	return nil
}

const formType = "application/x-www-form-urlencoded"

func isForm(contentType string) bool {
	if contentType == formType {
		return true
	}
	mediaType, _, _ := mime.ParseMediaType(contentType)
	return mediaType == formType
}

func isJSON(contentType string) bool {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// readQueryToo merges parameters of the request URI into those of the body, where a deviation wants it.
func (x *exchange) readQueryToo(step string, query params) {
	for _, mode := range []string{"query", "query-only"} {
		o := x.modeOp(step, mode)
		if o == nil {
			continue
		}
		if mode == "query-only" {
			x.sent = nil
		}
		for _, p := range query {
			if len(o.Names) == 0 || slices.Contains(o.Names, p.name) {
				x.sent = append(x.sent, p)
			}
		}
	}
}

// normaliseNames applies the modes that change which parameters are seen.
func (x *exchange) normaliseNames(step string, ps params) params {
	named := func(o *op, name string) bool { return len(o.Names) == 0 || slices.Contains(o.Names, name) }
	if o := x.modeOp(step, "case-insensitive"); o != nil {
		for i := range ps {
			if lower := strings.ToLower(ps[i].name); named(o, lower) {
				ps[i].name = lower
			}
		}
	}
	if o := x.modeOp(step, "trim"); o != nil {
		for i := range ps {
			if named(o, ps[i].name) {
				ps[i].value = strings.TrimSpace(ps[i].value)
			}
		}
	}
	if o := x.modeOp(step, "ignore"); o != nil {
		ps = slices.DeleteFunc(ps, func(p param) bool { return named(o, p.name) })
	}
	return ps
}

// omitEmpty leaves out what was sent without a value (RFC 6749 section 3.1 and 3.2).
func (x *exchange) omitEmpty(step string) {
	x.params = x.sent
	last := x.mode(step, "last") // of a repeated parameter the last value counts
	if !last && !slices.ContainsFunc(x.sent, func(p param) bool { return p.value == "" }) {
		x.mergeRepeated(step)
		return
	}
	keepEmpty := x.modeOp(step, "keep-empty")
	kept := make(params, 0, len(x.sent))
	for _, p := range x.sent {
		if p.value != "" || keepEmpty != nil && (len(keepEmpty.Names) == 0 || slices.Contains(keepEmpty.Names, p.name)) {
			kept = append(kept, p)
		}
	}
	if last {
		slices.Reverse(kept)
	}
	x.params = kept
	x.mergeRepeated(step)
}

// mergeRepeated applies the modes that make one value, or none, of a repeated parameter.
func (x *exchange) mergeRepeated(step string) {
	if len(x.program) == 0 {
		return
	}
	for mode, merge := range map[string]func(values []string) (string, bool){
		"join-comma":    func(values []string) (string, bool) { return strings.Join(values, ","), true },
		"join-space":    func(values []string) (string, bool) { return strings.Join(values, " "), true },
		"drop-repeated": func([]string) (string, bool) { return "", false },
	} {
		if o := x.modeOp(step, mode); o != nil {
			x.params = x.params.merge(o.Names, merge)
		}
	}
}

// checkRepeated is the rule of RFC 6749 section 3.1 and 3.2: no parameter more than once, apart from those that their own
// specification lets repeat (resource, RFC 8707; audience, RFC 8693).
func (x *exchange) checkRepeated() *oauthError {
	return x.local(".repeated_parameter", func() *oauthError {
		if name := x.params.repeated("resource", "audience"); name != "" {
			return invalidRequest("parameter " + printable(name) + " occurs more than once")
		}
		return nil
	})
}

// checkMethod refuses all methods but those named.
func (x *exchange) checkMethod(allowed ...string) *oauthError {
	return x.local(".method", func() *oauthError {
		method := x.r.Method
		if method == http.MethodHead && slices.Contains(allowed, http.MethodGet) {
			method = http.MethodGet
		}
		switch {
		case x.localMode(".method", "any"):
			return nil
		case x.localMode(".method", "no-get"):
			allowed = slices.DeleteFunc(slices.Clone(allowed), func(m string) bool { return m == http.MethodGet })
		case x.localMode(".method", "no-post"):
			allowed = slices.DeleteFunc(slices.Clone(allowed), func(m string) bool { return m == http.MethodPost })
		}
		if slices.Contains(allowed, method) {
			return nil
		}
		return methodNotAllowed(strings.Join(allowed, ", "))
	})
}

// printable keeps what may stand in an error_description (RFC 6749 section 4.1.2.1, 5.2) and shortens it.
func printable(s string) string {
	s = keep(s, func(r rune) bool { return r >= 0x20 && r <= 0x7e && r != '"' && r != '\\' })
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return s
}
