package rfc6749

import (
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "5.2", func(s *suites.S) {
		s.Check("token-error-status", suites.Requires("RFC6749-5.2-01"), suites.Needs(target.AnyTokenGrant),
			suites.Disturbs(suites.Client),
			onTokenErrors(func(as *target.AS, g Gomega, r *target.Response) {
				if r.ErrorCode() == "invalid_client" {
					g.Expect(r).To(HaveStatus(400, 401))
					return
				}
				if r.ErrorCode() == "" && r.Status != 200 {
					as.Inconclusive("the answer (status %d) carries no OAuth error, which other checks report", r.Status)
				}
				g.Expect(r).To(HaveStatus(400))
			}))

		s.Check("token-error-code-present", suites.Requires("RFC6749-5.2-02"), suites.Needs(target.AnyTokenGrant),
			suites.Disturbs(suites.Client),
			onTokenErrors(func(as *target.AS, g Gomega, r *target.Response) {
				requireObject(as, r)
				if _, present := rawMember(r, "error"); !present && strings.Contains(string(r.Body), `"error"`) {
					as.Inconclusive("error stands inside another member, which another check reports")
				}
				g.Expect(r).To(HaveStringMember("error"))
				if code := r.ErrorCode(); !slices.Contains(registeredTokenErrors, code) {
					as.Note("error is %q, which is no registered code", code)
				}
			}))

		s.Check("missing-parameter-error", suites.Requires("RFC6749-5.2-03"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				as.Variant("grant_type", func(g Gomega) {
					JudgeError(as, g, as.Token(target.Omit("grant_type")), Codes{Accept: []string{"invalid_request", "unsupported_grant_type"}})
				})
				for _, missing := range []struct {
					grant     target.Grant
					parameter string
				}{
					{target.AuthorizationCode, "code"}, {target.RefreshToken, "refresh_token"},
					{target.Password, "username"}, {target.Password, "password"},
				} {
					if slices.Contains(as.Grants(), missing.grant) {
						as.Variant(missing.parameter, func(g Gomega) {
							JudgeError(as, g, as.TokenBy(missing.grant, target.Omit(missing.parameter)),
								Codes{Accept: []string{"invalid_request"}, Tolerate: []string{"invalid_grant"}})
						})
					}
				}
			})

		s.Check("multiple-client-authentication", suites.Requires("RFC6749-5.2-06"),
			suites.Needs(target.AnyTokenGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				client := secretClient(as)
				for _, method := range []target.AuthMethod{target.Basic, target.Post} {
					if !as.Token(target.As(client), target.Auth(method), target.NoControl()).IssuesToken() {
						as.Skip("", "the client cannot use %s, so two methods in one request are no choice of the server's", method)
					}
				}
				for _, probe := range []struct{ name, header, body string }{
					{"both-right", client.Secret, client.Secret},
					{"header-right-body-wrong", client.Secret, wrongSecret},
					{"header-wrong-body-right", wrongSecret, client.Secret},
				} {
					as.Variant(probe.name, func(g Gomega) {
						g.Expect(as.Token(target.As(client), target.BasicCredentials(url.QueryEscape(client.ID), url.QueryEscape(probe.header)),
							target.Set("client_id", client.ID), target.Set("client_secret", probe.body))).To(RefuseToken())
					})
				}
			})

		s.Check("malformed-request-error", suites.Requires("RFC6749-5.2-07"), suites.Needs(target.ConfidentialClient, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, probe := range []struct {
					name string
					edit target.RequestEdit
					ext  bool // the server may take the body as an extension
				}{
					{"undecodable-body", target.RawForm("%ZZ=%"), false},
					{"empty-body", target.RawForm(""), false},
					{"json-body", target.JSONBody(), true},
					{"text-plain-body", target.ContentType("text/plain"), true},
				} {
					as.Variant(probe.name, func(g Gomega) { malformed(as, g, probe.edit, probe.ext) })
				}
			})

		s.Check("unknown-client-error", suites.Requires("RFC6749-5.2-08"), suites.Needs(target.AnyTokenGrant), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				const id, secret = unknownClient, "oauthcheck-unknown-secret-0123456789"
				own := cheapest(as) == target.ClientCredentials || cheapest(as) == target.Password
				for _, probe := range []struct {
					name  string
					edits []target.RequestEdit
					right []string
				}{
					{"basic", []target.RequestEdit{target.BasicCredentials(id, secret), target.Omit("client_id"), target.Omit("client_secret")}, []string{"invalid_client"}},
					{"body", []target.RequestEdit{target.Auth(target.NoClientAuth), target.Set("client_id", id), target.Set("client_secret", secret)}, []string{"invalid_client"}},
					{"no-secret", []target.RequestEdit{target.Auth(target.NoClientAuth), target.Set("client_id", id), target.Omit("client_secret")}, []string{"invalid_client", "invalid_request"}},
				} {
					as.Variant(probe.name, func(g Gomega) {
						codes := Codes{Accept: probe.right}
						if !own { // the code or refresh token was issued to another client: a second defect
							codes.Tolerate = []string{"invalid_grant"}
						}
						refusedWith(as, g, as.Token(probe.edits...), codes)
					})
				}
			})

		s.Check("missing-client-authentication-error", suites.Requires("RFC6749-5.2-09"),
			suites.Needs(target.AnyTokenGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				client := confidentialFor(as, cheapest(as))
				JudgeError(as, g, as.Token(target.As(client), target.Auth(target.NoClientAuth)), Codes{
					Accept: []string{"invalid_client"}, Tolerate: []string{"invalid_request", "unauthorized_client", "invalid_grant"},
				})
			})

		s.Check("unsupported-authentication-method-error", suites.Requires("RFC6749-5.2-10"),
			suites.Needs(target.AnyTokenGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				client := confidentialFor(as, cheapest(as))
				for _, probe := range []struct{ name, header string }{
					{"digest", `Digest username="` + client.ID + `"`}, {"unknown-scheme", "oauthcheck abc"},
				} {
					as.Variant(probe.name, func(g Gomega) {
						r := as.Token(target.As(client), target.Auth(target.NoClientAuth), target.Header("Authorization", probe.header))
						refusedWith(as, g, r, Codes{
							Accept: []string{"invalid_client"}, Tolerate: []string{"invalid_request", "unauthorized_client"},
						})
					})
				}
			})

		s.Check("basic-failure-401", suites.Requires("RFC6749-5.2-12"), suites.Needs(target.AnyTokenGrant, target.ConfidentialClient),
			suites.Disturbs(suites.Client), onBasicFailures(func(as *target.AS, g Gomega, r *target.Response) {
				if r.Status/100 != 4 {
					as.Inconclusive("status %d is no refusal, which the check of error statuses reports", r.Status)
				}
				g.Expect(r).To(HaveStatus(401))
			}))

		s.Check("basic-failure-challenge", suites.Requires("RFC6749-5.2-13"), suites.Needs(target.AnyTokenGrant, target.ConfidentialClient),
			suites.Disturbs(suites.Client), onBasicFailures(func(as *target.AS, g Gomega, r *target.Response) {
				if r.Status != 401 {
					as.Inconclusive("the failure was answered with status %d, which the check of the status reports", r.Status)
				}
				g.Expect(r).To(ChallengeWith("Basic"))
				if ok, _ := HaveChallengeParam("Basic", "realm").Match(r); !ok {
					as.Note("the challenge has no realm, which RFC 7617 section 2 demands")
				}
			}))

		s.Check("invalid-code-error", suites.Requires("RFC6749-5.2-14"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				JudgeError(as, g, as.Redeem(as.Code(), target.Set("code", as.Random(40))), invalidGrant)
			})

		s.Check("invalid-refresh-token-error", suites.Requires("RFC6749-5.2-15"), suites.Needs(target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				JudgeError(as, g, as.TokenBy(target.RefreshToken, target.Set("refresh_token", as.Random(40))), invalidGrant)
			})

		s.Check("used-code-error", suites.Requires("RFC6749-5.2-16"), suites.Needs(target.AuthorizationCode), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				code := as.Code()
				if !as.Redeem(code).IssuesToken() {
					as.Inconclusive("the first exchange of the code was refused")
				}
				JudgeError(as, g, as.Redeem(code), invalidGrant)
			})

		s.Check("redirect-uri-mismatch-error", suites.Requires("RFC6749-5.2-17"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				JudgeError(as, g, as.Redeem(as.Code(), target.Set("redirect_uri", foreignURI)), invalidGrant)
			})

		s.Check("foreign-grant-error", suites.Requires("RFC6749-5.2-18"), suites.Needs(target.AuthorizationCode, target.SecondClient),
			func(as *target.AS, g Gomega) {
				foreign := Codes{Accept: []string{"invalid_grant"}, Tolerate: []string{"invalid_client", "unauthorized_client"}}
				owner, other := twoClients(as, func(*target.Client) bool { return true })
				as.Variant("code", func(g Gomega) {
					as.TokensBy(target.AuthorizationCode, target.As(other)) // control: it can redeem a code of its own
					JudgeError(as, g, as.Redeem(as.Code(target.As(owner)), target.As(other)), foreign)
				})
				if as.Has(target.RefreshTokenGrant) {
					as.Variant("refresh-token", func(g Gomega) {
						own := as.TokensBy(target.AuthorizationCode, target.As(other))
						if own.RefreshToken == "" || !as.Refresh(own, target.NoControl()).IssuesToken() {
							as.Skip("", "clients.%s cannot refresh a token of its own", other.Name)
						}
						tokens := as.TokensBy(target.AuthorizationCode, target.As(owner))
						if tokens.RefreshToken == "" {
							as.Skip("", "clients.%s got no refresh token", owner.Name)
						}
						JudgeError(as, g, as.Refresh(tokens, target.As(other)), foreign)
					})
				}
			})

		s.Check("wrong-password-error", suites.Requires("RFC6749-5.2-19"), suites.Needs(target.PasswordGrant), suites.Destructive,
			suites.Disturbs(suites.User),
			func(as *target.AS, g Gomega) {
				r := as.TokenBy(target.Password, target.Set("password", "oauthcheck-wrong-password"))
				JudgeError(as, g, r, Codes{Accept: []string{"invalid_grant"}, Refuse: []string{"access_denied"}})
			})

		s.Check("unauthorized-grant-type", suites.Requires("RFC6749-5.2-20"), suites.Needs(target.ConfidentialClient, target.SecondClient),
			func(as *target.AS, g Gomega) {
				client, grant := clientWithoutGrant(as)
				if client == nil {
					as.Skip("clients: {second: {grants: [authorization_code]}}  # register a client without a grant type that others have",
						"every configured client may use every grant type that works")
				}
				if grant == target.AuthorizationCode && as.Authorize(target.As(client), target.NoControl()).Code() == "" {
					as.Skip("clients: {second: {grants: [authorization_code]}}  # register a client without client_credentials, say",
						"clients.%s gets no code to redeem, which another check judges, and no client is barred from another grant", client.Name)
				}
				as.Tokens(target.As(client)) // control: another grant works for it
				r := as.TokenBy(grant, target.As(client), target.NoControl())
				g.Expect(r).To(RefuseToken())
				noteCode(as, r, "unauthorized_client")
			})

		s.Check("unknown-grant-type-error", suites.Requires("RFC6749-5.2-21"), suites.Needs(target.ConfidentialClient, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				refusedWith(as, g, as.Token(target.Set("grant_type", "oauthcheck_unknown")), Codes{
					Accept: []string{"unsupported_grant_type"}, Tolerate: []string{"invalid_request", "unauthorized_client"},
				})
			})

		s.Check("invalid-scope-error", suites.Requires("RFC6749-5.2-22"), suites.Needs(target.ConfidentialClient, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				for _, grant := range []target.Grant{target.ClientCredentials, target.Password, target.RefreshToken} {
					if slices.Contains(as.Grants(), grant) {
						as.Variant(string(grant), func(g Gomega) {
							r := as.TokenBy(grant, target.Set("scope", unknownScope))
							if r.IssuesToken() {
								return // a server may ignore scope values
							}
							JudgeError(as, g, r, Codes{Accept: []string{"invalid_scope"}, Tolerate: []string{"invalid_request", "access_denied"}})
						})
					}
				}
			})

		s.Check("token-error-code-characters", suites.Requires("RFC6749-5.2-23"), suites.Needs(target.AnyTokenGrant), suites.Disturbs(suites.Client),
			onTokenErrors(func(as *target.AS, g Gomega, r *target.Response) {
				requireString(as, r, "error")
				g.Expect(r.String("error")).To(MatchCharset(NQSCHAR))
			}))

		s.Check("token-error-description-characters", suites.Requires("RFC6749-5.2-24"), suites.Needs(target.AnyTokenGrant), suites.Disturbs(suites.Client),
			onTokenErrors(func(as *target.AS, g Gomega, r *target.Response) {
				if r.String("error_description") != "" {
					g.Expect(r.String("error_description")).To(MatchCharset(NQSCHAR))
				}
			}))

		s.Check("token-error-uri", suites.Requires("RFC6749-5.2-25"), suites.Needs(target.AnyTokenGrant), suites.Disturbs(suites.Client),
			onTokenErrors(func(as *target.AS, g Gomega, r *target.Response) {
				if value, present := rawMember(r, "error_uri"); present && value != nil {
					if _, isString := value.(string); !isString {
						as.Inconclusive("error_uri is no string, which another check reports")
					}
					errorURI(as, g, present, r.String("error_uri"))
				}
			}))

		s.Check("token-error-media-type", suites.Requires("RFC6749-5.2-26"), suites.Needs(target.AnyTokenGrant), suites.Disturbs(suites.Client),
			onTokenErrors(func(as *target.AS, g Gomega, r *target.Response) {
				g.Expect(r).To(HaveMediaType("application/json"))
			}))

		s.Check("token-error-top-level-object", suites.Requires("RFC6749-5.2-27"), suites.Needs(target.AnyTokenGrant), suites.Disturbs(suites.Client),
			onTokenErrors(func(as *target.AS, g Gomega, r *target.Response) {
				g.Expect(r).To(HaveTopLevelMembers("error"))
			}))

		s.Check("token-error-string-members", suites.Requires("RFC6749-5.2-28"), suites.Needs(target.AnyTokenGrant), suites.Disturbs(suites.Client),
			onTokenErrors(func(as *target.AS, g Gomega, r *target.Response) {
				for _, name := range []string{"error_description", "error_uri"} {
					value, present := rawMember(r, name)
					if present && value == nil {
						as.Note("%s is null, which counts as absent", name)
					} else if present {
						g.Expect(r).To(HaveMember(name, BeString()))
					}
				}
			}))
	})
}

// registeredTokenErrors are the codes of section 5.2 and of extensions registered for the token endpoint with IANA.
var registeredTokenErrors = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
	"authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_target", "invalid_dpop_proof",
	"use_dpop_nonce", "unsupported_token_type", "invalid_authorization_details", "interaction_required",
	"unmet_authentication_requirements", "login_required",
}

// invalidGrant is the judgement on what is answered to a code or refresh token that is not valid.
var invalidGrant = Codes{Accept: []string{"invalid_grant"}, Tolerate: []string{"invalid_request"}}

// refusedWith judges a request that must neither get a token nor another error code.
func refusedWith(as *target.AS, g Gomega, r *target.Response, codes Codes) {
	g.Expect(r).NotTo(IssueToken())
	JudgeError(as, g, r, codes)
}

// onTokenErrors judges the answers of the token endpoint to one bad request of every kind, each as a variant named after
// its defect. Answers that come from HTTP or a gateway are not judged.
func onTokenErrors(check func(*target.AS, Gomega, *target.Response)) suites.Body {
	return func(as *target.AS, g Gomega) {
		samples := as.TokenErrors()
		if len(samples) == 0 {
			as.Inconclusive("no bad request could be sent")
		}
		for _, sample := range samples {
			as.Variant(sample.Name, func(g Gomega) {
				g.Expect(sample.Response).NotTo(BeNil()) // a finding about a part of it rests on this answer
				r := sample.Response
				if slices.Contains([]int{405, 406, 413, 414, 415, 429}, r.Status) || r.Failed() || r.Err != nil {
					as.Inconclusive("status %d comes from HTTP or a gateway and is not judged", r.Status)
				}
				if r.IssuesToken() {
					as.Inconclusive("the request was not refused, which the check of that refusal reports")
				}
				check(as, g, r)
			})
		}
	}
}

// onBasicFailures judges the answers to failed client authentication by Basic.
func onBasicFailures(check func(*target.AS, Gomega, *target.Response)) suites.Body {
	return func(as *target.AS, g Gomega) {
		client := confidentialFor(as, cheapest(as))
		for _, probe := range []struct{ name, id, secret string }{
			{"wrong-secret", client.ID, wrongSecret},
			{"unknown-client", unknownClient, "oauthcheck-unknown-secret-0123456789"},
		} {
			as.Variant(probe.name, func(g Gomega) {
				r := as.Token(target.As(client), target.BasicCredentials(url.QueryEscape(probe.id), probe.secret))
				if r.IssuesToken() {
					as.Inconclusive("the wrong credentials were taken, which the check of client authentication reports")
				}
				if probe.id != client.ID && r.ErrorCode() == "invalid_grant" {
					as.Inconclusive("the code or refresh token belongs to another client: a second defect, which came first")
				}
				check(as, g, r)
			})
		}
	}
}

// malformed judges a request that nobody can read, or that is not in the RFC's encoding.
func malformed(as *target.AS, g Gomega, edit target.RequestEdit, extension bool) {
	r := as.Token(edit, target.AnyStatus())
	switch {
	case r.Err != nil || r.Status == 429 || r.Status == 503:
		as.Inconclusive("no answer to judge: status %d, %v", r.Status, r.Err)
	case r.Status >= 500:
		for range 3 {
			as.ControlAgain(cheapest(as))
			if r = as.Token(edit, target.AnyStatus()); r.Status < 500 {
				as.Inconclusive("a server error that did not come again")
			}
		}
		g.Expect(r).To(HaveStatus(400))
	case r.IssuesToken() && extension:
		as.Note("the body was read although it is not in the encoding of RFC 6749")
	case r.IssuesToken():
		g.Expect(r).To(RefuseToken())
	case r.Status != 415:
		noteCode(as, r, "invalid_request", "unsupported_grant_type", "invalid_client")
	}
}

// noteCode tells of a refusal whose code is not the expected one, where nothing is violated by that.
func noteCode(as *target.AS, r *target.Response, codes ...string) {
	if !slices.Contains(codes, r.ErrorCode()) {
		as.Note("refused with status %d and error %q; expected %s", r.Status, r.ErrorCode(), strings.Join(codes, " or "))
	}
}

// requireObject leaves a check of members inconclusive where the body is no JSON object, the finding of another check.
func requireObject(as *target.AS, r *target.Response) {
	if _, err := r.JSON(); err != nil {
		as.Inconclusive("%v, which the check of the body reports", err)
	}
}

// requireString leaves a check inconclusive where a member is no string, the finding of another check.
func requireString(as *target.AS, r *target.Response, name string) {
	requireObject(as, r)
	if r.String(name) == "" {
		as.Inconclusive("%s is absent or no string, which another check reports", name)
	}
}
