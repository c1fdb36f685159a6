package target

import (
	"bytes"
	"slices"
	"sync"

	"github.com/onsi/gomega"

	"github.com/oauthcheck/oauthcheck/reports"
)

// TokenSample is a response of the token endpoint that several checks judge, each for another requirement.
type TokenSample struct {
	Name     string // the grant, or the defect of the request
	Response *Response
}

// RedirectSample is the end of an authorization request that several checks judge, each for another requirement.
type RedirectSample struct {
	Name          string // the defect of the request
	Authorization *Authorization
}

// SampleUnknownResponseType names the sample whose response type the server cannot know.
const SampleUnknownResponseType = "unknown-response-type"

// samples are made once per run, by the first check that asks, and judged by many: they spare the target hundreds of
// requests that would all be alike.
type samples struct {
	responses, errors                  sample[TokenSample]
	redirects                          sample[RedirectSample]
	implicit                           sample[RedirectSample]
	accessTokens, codes, refreshTokens sample[string]
}

// sample is one series with its evidence.
type sample[T any] struct {
	once      sync.Once
	series    []T
	exchanges []*reports.Exchange
}

// take makes the series if nobody has yet, and adds its evidence to the check's own.
func (s *sample[T]) take(as *AS, name string, make func(*AS) []T) []T {
	s.once.Do(func() {
		maker := as.run.NewAS(as.run.ctx, name, silent{})
		s.series = make(maker)
		s.exchanges = maker.recorded
	})
	for _, x := range s.exchanges {
		as.recordCopy(x)
	}
	return s.series
}

// TokenResponses are successful token responses of this run: one of every grant that works, refresh and token exchange included. A 2xx
// answer that hands out tokens in another form than the RFC's, or that is a token response but for the token, is one as well.
func (as *AS) TokenResponses() []TokenSample {
	return as.run.samples.responses.take(as, "token-responses", func(as *AS) []TokenSample {
		var out []TokenSample
		grants := as.Grants()
		if as.Has(TokenExchange) {
			grants = append(slices.Clone(grants), TokenExchange)
		}
		for _, grant := range grants {
			attempt(func() {
				if r := as.TokenBy(grant, NoControl()); r.IssuesToken() || r.Success() && meansToken(r) {
					out = append(out, TokenSample{string(grant), r})
				}
			})
		}
		return out
	})
}

// meansToken reports whether a successful answer of any form names what a token response has.
func meansToken(r *Response) bool {
	body := bytes.ReplaceAll(r.Body, []byte{0}, nil) // UTF-16 as well
	return bytes.Contains(body, []byte("access_token")) || bytes.Contains(body, []byte("token_type"))
}

// TokenErrors are the answers of the token endpoint to bad requests in the RFC's encoding, one of every kind. Whether each was
// refused at all is for the check to look at.
func (as *AS) TokenErrors() []TokenSample {
	return as.run.samples.errors.take(as, "token-errors", func(as *AS) []TokenSample {
		var out []TokenSample
		add := func(name string, send func() *Response) {
			attempt(func() { out = append(out, TokenSample{name, send()}) })
		}
		add("missing-grant-type", func() *Response { return as.Token(Omit("grant_type"), AnyStatus()) })
		add("unknown-grant-type", func() *Response { return as.Token(Set("grant_type", "oauthcheck_unknown"), AnyStatus()) })
		add("grant-type-with-odd-characters", func() *Response { return as.Token(Set("grant_type", oddCharacters), AnyStatus()) })
		add("scope-with-odd-characters", func() *Response { return as.Token(Set("scope", oddCharacters), AnyStatus()) })
		var client *Client
		attempt(func() { client = as.ClientFor(as.cheapest(nil)) })
		if client != nil && client.Confidential() {
			add("wrong-secret", func() *Response {
				return as.Token(BasicCredentials(client.ID, "oauthcheck-wrong-secret-0123456789abcdef"), AnyStatus())
			})
			add("missing-client-authentication", func() *Response { return as.Token(Auth(NoClientAuth), AnyStatus()) })
		}
		if slices.Contains(as.Grants(), Grant(AuthorizationCode)) {
			add("invalid-code", func() *Response { return as.TokenBy(AuthorizationCode, Set("code", as.Random(40)), AnyStatus()) })
			add("missing-code", func() *Response { return as.TokenBy(AuthorizationCode, Omit("code"), AnyStatus()) })
		}
		if slices.Contains(as.Grants(), RefreshToken) {
			add("invalid-refresh-token", func() *Response { return as.TokenBy(RefreshToken, Set("refresh_token", as.Random(40)), AnyStatus()) })
		}
		return out
	})
}

// oddCharacters holds what no error text may hold (RFC 6749 section 5.2): servers that echo a parameter betray themselves.
const oddCharacters = "oauthcheck\"\\\n\u00e4"

// ErrorRedirects are the ends of bad authorization requests with a good client and redirection URI, one of every kind. A server may
// answer each with a page instead of a redirect; a bad scope may also be ignored.
func (as *AS) ErrorRedirects() []RedirectSample {
	return as.run.samples.redirects.take(as, "error-redirects", func(as *AS) []RedirectSample {
		return as.badRequests(as.Authorize,
			badRequest{SampleUnknownResponseType, Set("response_type", "oauthcheck_unknown")},
			badRequest{"missing-response-type", Omit("response_type")},
			badRequest{"response-type-with-odd-characters", Set("response_type", oddCharacters)})
	})
}

// ImplicitErrors are the same for response_type=token (RFC 6749 section 4.2.2.1).
func (as *AS) ImplicitErrors() []RedirectSample {
	return as.run.samples.implicit.take(as, "implicit-errors", func(as *AS) []RedirectSample { return as.badRequests(as.Implicit) })
}

// badRequest is one defect of an authorization request.
type badRequest struct {
	name string
	edit RequestEdit
}

// badRequests sends the bad requests that any flow allows and more; what grants access after all is left out.
func (as *AS) badRequests(authorize func(...RequestEdit) *Authorization, more ...badRequest) []RedirectSample {
	requests := append(more,
		badRequest{"unknown-scope", Set("scope", "oauthcheck_unknown_scope")},
		badRequest{"repeated-scope", Repeat("scope")},
		badRequest{"scope-with-odd-characters", Set("scope", oddCharacters)},
		badRequest{"prompt-with-odd-characters", Set("prompt", oddCharacters)})
	if as.Has(UserConsent) {
		requests = append(requests, badRequest{"denial", Deny()})
	}
	var out []RedirectSample
	for _, bad := range requests {
		attempt(func() {
			a := authorize(Set("state", as.Random(32)+"-._~%+/="), bad.edit)
			if a.Code() == "" && a.Param("access_token") == "" {
				out = append(out, RedirectSample{bad.name, a})
			}
		})
	}
	return out
}

// Sizes of the samples that predictability is judged from (RFC 6749 section 10.10).
const (
	accessTokenSample = 50
	codeSample        = 20
)

// AccessTokenSample are the access tokens of 50 grants, in the order of their issue.
func (as *AS) AccessTokenSample() []string {
	return as.run.samples.accessTokens.take(as, "access-token-sample", func(as *AS) []string {
		return collect(accessTokenSample, func() string { return as.Tokens().AccessToken })
	})
}

// CodeSample are the codes of 20 authorization requests, in the order of their issue.
func (as *AS) CodeSample() []string {
	return as.run.samples.codes.take(as, "code-sample", func(as *AS) []string {
		return collect(codeSample, func() string { return as.Code().Value })
	})
}

// RefreshTokenSample are the refresh tokens of 20 grants, in the order of their issue.
func (as *AS) RefreshTokenSample() []string {
	return as.run.samples.refreshTokens.take(as, "refresh-token-sample", func(as *AS) []string {
		return collect(codeSample, func() string { return as.Refreshable().RefreshToken })
	})
}

// collect makes values until one cannot be made.
func collect(n int, next func() string) []string {
	var out []string
	for range n {
		if why := attempt(func() { out = append(out, next()) }); why != "" {
			break
		}
	}
	return out
}

// silent is the Judge of what no check runs: whatever keeps a sample from being made only leaves it out.
type silent struct{}

// unwound is what a silent judge unwinds with.
type unwound struct{ why string }

func (silent) Note(string)                         {}
func (silent) Skip(_, reason string)               { panic(unwound{reason}) }
func (silent) Inconclusive(reason string)          { panic(unwound{reason}) }
func (silent) Fail(message string)                 { panic(unwound{message}) }
func (silent) Variant(string, func(gomega.Gomega)) {}

// attempt runs a body whose judge is silent and reports what unwound it, "" if nothing did.
func attempt(body func()) (why string) {
	defer func() {
		if p := recover(); p != nil {
			u, ok := p.(unwound)
			if !ok {
				panic(p)
			}
			why = u.why
		}
	}()
	body()
	return ""
}
