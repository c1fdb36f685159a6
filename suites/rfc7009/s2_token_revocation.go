package rfc7009

import (
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7009", "2", func(s *suites.S) {
		s.Check("refresh-token-revoked", suites.Requires("RFC7009-2-01"), suites.Needs(target.Revocation, target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				tokens := proven(as)
				r := as.Revoke(tokens, tokens.RefreshToken)
				if r.ErrorCode() != "unsupported_token_type" && r.Status/100 != 2 {
					as.Inconclusive("the revocation was answered %s", DescribeResponse(r))
				}
				g.Expect(r).NotTo(HaveErrorCode("unsupported_token_type"))
				dies(as, g, tokens, "after a revocation")
			})

		s.Check("access-token-revoked", suites.Requires("RFC7009-2-02"), suites.Needs(target.Revocation, target.AnyTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				tokens := as.AliveTokens()
				r := as.Revoke(tokens, tokens.AccessToken)
				if r.ErrorCode() == "unsupported_token_type" {
					as.Fail("access tokens cannot be revoked: %s", DescribeResponse(r))
				}
				if r.Status/100 != 2 {
					as.Inconclusive("the revocation was answered %s", DescribeResponse(r))
				}
				as.Settle()
				if alive, how := as.Alive(tokens.AccessToken); alive {
					as.Fail("after a revocation the access token still works: %s", how)
				}
			})

		s.Check("revocation-by-post", suites.Requires("RFC7009-2-03"), suites.Needs(target.Revocation, target.AnyTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				tokens := as.Tokens()
				for name, token := range map[string]string{"live-token": tokens.AccessToken, "unknown-token": as.Random(40)} {
					as.Variant(name, func(g Gomega) {
						g.Expect(as.Revoke(tokens, token, target.AnyStatus())).NotTo(HaveStatus(404, 405, 501))
					})
				}
			})

		s.Check("revocation-endpoint-no-fragment", suites.Requires("RFC7009-2-04"), suites.Needs(target.Revocation),
			func(as *target.AS, g Gomega) {
				for _, uri := range []string{as.Endpoint(target.RevocationEndpoint), as.Metadata().String("revocation_endpoint")} {
					g.Expect(uri).NotTo(ContainSubstring("#"), "revocation_endpoint")
				}
			})

		s.Check("revocation-endpoint-https", suites.Requires("RFC7009-2-05"), suites.Needs(target.Revocation, target.TLS),
			func(as *target.AS, g Gomega) {
				g.Expect(strings.ToLower(as.Endpoint(target.RevocationEndpoint))).To(HavePrefix("https://"))
			})

		s.Check("revocation-endpoint-tls", suites.Requires("RFC7009-2-06"), suites.Needs(target.Revocation, target.TLS),
			func(as *target.AS, g Gomega) {
				g.Expect(as.Handshake(target.RevocationEndpoint, target.TLS12, target.TLS13)).To(Succeed())
			})
	})

	suites.Section("RFC 7009", "2.1", func(s *suites.S) {
		s.Check("revocation-parameters-in-body", suites.Requires("RFC7009-2.1-01"), suites.Needs(target.Revocation, target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				fresh := victims(as)
				as.Variant("body", func(g Gomega) {
					v := fresh()
					r := as.Revoke(v.Tokens, v.token)
					if r.Status == 404 || r.Status == 405 || r.ErrorCode() == "unsupported_token_type" {
						as.Inconclusive("the revocation is refused for another reason than its form, which another check reports: %s", DescribeResponse(r))
					}
					if r.Status/100 != 2 {
						for _, hint := range []string{"refresh_token", "access_token"} {
							if as.Revoke(v.Tokens, v.token, target.Set("token_type_hint", hint)).Status/100 == 2 {
								as.Inconclusive("without token_type_hint the revocation is refused, which another check reports")
							}
						}
						if refusesClient(v.Client, r) {
							as.Inconclusive("the client is refused, which says nothing of where the parameters are read: %s", DescribeResponse(r))
						}
					}
					g.Expect(r).To(HaveStatusClass(2))
				})
				charset := fresh()
				if r := as.Revoke(charset.Tokens, charset.token, target.ContentType("application/x-www-form-urlencoded;charset=UTF-8")); r.Status != 200 {
					as.Note("with the parameter charset=UTF-8 the form is refused: %s", DescribeResponse(r))
				}
				if query := fresh(); query.Client.AuthOrDefault() == target.Basic {
					if as.Revoke(query.Tokens, query.token, target.MoveToQuery("token")); !query.alive(as) {
						as.Note("the token is taken from the query of the URL as well")
					}
				}
			})

		s.Check("revocation-token-required", suites.Requires("RFC7009-2.1-02"), suites.Needs(target.Revocation, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				tokens := as.Tokens()
				as.Variant("missing", func(g Gomega) {
					r := as.Revoke(tokens, "", target.Omit("token"), target.AnyStatus())
					notServerError(as, g, r)
					if r.Status == 200 {
						as.Note("a request without token is answered with 200")
					} else {
						JudgeError(as, g, r, Codes{Accept: []string{"invalid_request"}, Tolerate: TokenErrors()})
					}
				})
				as.Variant("empty", func(g Gomega) { notServerError(as, g, as.Revoke(tokens, "", target.AnyStatus())) })
			})

		s.Check("revocation-hint-optional", suites.Requires("RFC7009-2.1-03"), suites.Needs(target.Revocation, target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				hinted := as.Refreshable()
				as.Revoke(hinted, hinted.RefreshToken, target.Set("token_type_hint", "refresh_token"))
				as.Settle()
				if refreshWorks(as, hinted) {
					as.Inconclusive("a revocation with the right hint has no effect either, which another check reports")
				}
				tokens := as.Refreshable()
				r := as.Revoke(tokens, tokens.RefreshToken)
				g.Expect(r).NotTo(HaveStatus(400))
				dies(as, g, tokens, "after a revocation without hint")
			})

		s.Check("revocation-wrong-hint", suites.Requires("RFC7009-2.1-04"), suites.Needs(target.Revocation, target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				as.Variant("refresh-token-as-access-token", func(g Gomega) {
					killsRefreshTokens(as)
					tokens := as.Refreshable()
					g.Expect(as.Revoke(tokens, tokens.RefreshToken, target.Set("token_type_hint", "access_token"))).To(HaveStatusClass(2))
					dies(as, g, tokens, "after a revocation with the hint access_token")
				})
				as.Variant("access-token-as-refresh-token", func(g Gomega) {
					if !killsAccessTokens(as) {
						as.Skip("", "a plain revocation of an access token has no effect that can be seen")
					}
					tokens := as.AliveTokens()
					g.Expect(as.Revoke(tokens, tokens.AccessToken, target.Set("token_type_hint", "refresh_token"))).To(HaveStatusClass(2))
					as.Settle()
					if alive, how := as.Alive(tokens.AccessToken); alive {
						as.Fail("after a revocation with the hint refresh_token the access token still works: %s", how)
					}
				})
			})

		s.Check("revocation-wrong-secret", suites.Requires("RFC7009-2.1-07"),
			suites.Needs(target.Revocation, target.RefreshTokenGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				tokens := confidential(as)
				client := tokens.Client
				if client.Secret == "" {
					as.Skip("clients.primary: {secret: …}", "the client has no client password")
				}
				wrong := *client
				wrong.Secret = "oauthcheck-wrong-secret-0123456789abcdef"
				r := as.Revoke(tokens, tokens.RefreshToken, target.As(&wrong))
				g.Expect(r).NotTo(HaveStatusClass(2))
				survives(as, g, tokens, "after a revocation with a wrong secret")
			})

		s.Check("revocation-authentication-required", suites.Requires("RFC7009-2.1-08"),
			suites.Needs(target.Revocation, target.RefreshTokenGrant, target.ConfidentialClient), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				fresh := victims(as, target.As(confidential(as).Client))
				for _, probe := range []struct {
					name  string
					edits []target.RequestEdit
				}{
					{"client-id-alone", []target.RequestEdit{target.Auth(target.NoClientAuth)}},
					{"no-client", []target.RequestEdit{target.Auth(target.NoClientAuth), target.Omit("client_id")}},
				} {
					as.Variant(probe.name, func(g Gomega) {
						v := fresh()
						if r := as.Revoke(v.Tokens, v.token, probe.edits...); r.Status/100 == 2 {
							as.Note("answered with status %d although no client authenticated", r.Status)
						}
						if !v.alive(as) {
							as.Fail("after a revocation without client authentication: the token is dead")
						}
					})
				}
			})

		s.Check("public-client-revokes", suites.Requires("RFC7009-2.1-09"), suites.Needs(target.Revocation, target.PublicClient, target.AuthorizationCode),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				if as.Has(target.RefreshTokenGrant) {
					killsRefreshTokens(as)
				}
				tokens := as.TokensBy(target.AuthorizationCode, target.As(as.Public()))
				token := tokens.RefreshToken
				if token == "" {
					token = tokens.AccessToken
				}
				r := as.Revoke(tokens, token)
				methods, listed := as.Metadata().Strings("revocation_endpoint_auth_methods_supported")
				if r.ErrorCode() == "invalid_client" && listed && !strings.Contains(" "+strings.Join(methods, " ")+" ", " none ") {
					as.Note("public clients cannot revoke, as the metadata says")
					return
				}
				g.Expect(r).NotTo(HaveErrorCode("invalid_client"))
				if tokens.RefreshToken != "" && r.Status == 200 {
					dies(as, g, tokens, "after a revocation by the public client that owns it")
				}
			})

		s.Check("foreign-token-not-revoked", suites.Requires("RFC7009-2.1-10"),
			suites.Needs(target.Revocation, target.RefreshTokenGrant, target.SecondClient), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				own := as.Refreshable(target.As(as.Second()))
				if r := as.Revoke(own, own.RefreshToken); r.Status/100 != 2 {
					as.Inconclusive("the second client cannot revoke a token of its own: %s", DescribeResponse(r))
				}
				tokens := as.Refreshable()
				as.Revoke(tokens, tokens.RefreshToken, target.As(as.Second()))
				survives(as, g, tokens, "after a revocation by another client")
			})

		s.Check("foreign-token-error", suites.Requires("RFC7009-2.1-11"),
			suites.Needs(target.Revocation, target.RefreshTokenGrant, target.SecondClient), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				tokens := as.Refreshable()
				if r := as.Revoke(tokens, tokens.RefreshToken, target.As(as.Second())); r.Status == 200 {
					as.Note("another client's token is answered with 200; some servers do that so as not to tell which tokens exist")
				}
			})

		s.Check("revocation-cascades", suites.Requires("RFC7009-2.1-15"), suites.Needs(target.Revocation, target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				if !killsAccessTokens(as) {
					as.Skip("", "access tokens cannot be revoked here, or their state cannot be seen")
				}
				killsRefreshTokens(as)
				tokens := as.Refreshable()
				if alive, how := as.Alive(tokens.AccessToken); !alive {
					as.Inconclusive("the access token does not work before the revocation: %s", how)
				}
				as.Revoke(tokens, tokens.RefreshToken)
				as.Settle()
				if alive, how := as.Alive(tokens.AccessToken); alive {
					as.Fail("after the revocation of its refresh token the access token still works: %s", how)
				}
			})
	})

	suites.Section("RFC 7009", "2.2", func(s *suites.S) {
		s.Check("revocation-status-200", suites.Requires("RFC7009-2.2-01"), suites.Needs(target.Revocation, target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				v := victims(as)()
				r := as.Revoke(v.Tokens, v.token, target.AnyStatus())
				if v.alive(as) {
					as.Inconclusive("the revocation had no effect, which another check reports: %s", DescribeResponse(r))
				}
				g.Expect(r).To(HaveStatus(200))
			})

		s.Check("unknown-token-200", suites.Requires("RFC7009-2.2-02"), suites.Needs(target.Revocation, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				tokens := acquainted(as)
				as.Variant("random", func(g Gomega) { answeredWith200(as, g, as.Revoke(tokens, as.Random(40), target.AnyStatus())) })
				as.Variant("unknown-jwt", func(g Gomega) {
					r := as.Revoke(tokens, unknownJWT, target.AnyStatus())
					if r.Status == 400 && r.ErrorCode() == "unsupported_token_type" {
						as.Note("anything in the form of a JWT is answered unsupported_token_type")
						return
					}
					answeredWith200(as, g, r)
				})
			})

		s.Check("revoked-token-200", suites.Requires("RFC7009-2.2-03"), suites.Needs(target.Revocation, target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				v := victims(as)()
				if r := as.Revoke(v.Tokens, v.token); r.Status/100 != 2 {
					as.Inconclusive("the first revocation was answered %s", DescribeResponse(r))
				}
				answeredWith200(as, g, as.Revoke(v.Tokens, v.token, target.AnyStatus()))
			})

		s.Check("unknown-hint-ignored", suites.Requires("RFC7009-2.2-04"), suites.Needs(target.Revocation, target.RefreshTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				fresh := victims(as)
				control := fresh()
				if r := as.Revoke(control.Tokens, control.token); r.Status/100 != 2 || control.alive(as) {
					as.Inconclusive("a plain revocation has no effect, which another check reports: %s", DescribeResponse(r))
				}
				v := fresh()
				g.Expect(as.Revoke(v.Tokens, v.token, target.Set("token_type_hint", "oauthcheck_bogus"))).To(HaveStatusClass(2))
				if v.alive(as) {
					as.Fail("after a revocation with an unknown hint: the token still works")
				}
			})
	})

	suites.Section("RFC 7009", "2.2.1", func(s *suites.S) {
		s.Check("revocation-error-response", suites.Requires("RFC7009-2.2.1-01"), suites.Needs(target.Revocation, target.AnyTokenGrant),
			suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				tokens := as.Tokens()
				as.Variant("missing-token", func(g Gomega) {
					errorResponse(as, g, as.Revoke(tokens, "", target.Omit("token"), target.AnyStatus()))
				})
				as.Variant("wrong-secret", func(g Gomega) {
					if tokens.Client.Secret == "" {
						as.Skip("", "the client has no client password")
					}
					wrong := *tokens.Client
					wrong.Secret = "oauthcheck-wrong-secret-0123456789abcdef"
					errorResponse(as, g, as.Revoke(tokens, as.Random(40), target.As(&wrong), target.AnyStatus()))
				})
			})

		s.Check("revocation-not-pretended", suites.Requires("RFC7009-2.2.1-02"), suites.Needs(target.Revocation, target.AnyTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				tokens := as.AliveTokens()
				r := as.Revoke(tokens, tokens.AccessToken)
				if r.Status/100 != 2 {
					return
				}
				as.Settle()
				alive, how := as.Alive(tokens.AccessToken)
				if alive && target.JWTClaims(tokens.AccessToken) != nil {
					as.Note("answered with %d, and the self-contained token still works: %s", r.Status, how)
				} else if alive {
					as.Fail("answered with %d, and the token still works: %s; expected unsupported_token_type", r.Status, how)
				}
			})
	})

	suites.Section("RFC 7009", "2.3", func(s *suites.S) {
		s.Check("revocation-jsonp", suites.Requires("RFC7009-2.3-03"), suites.Needs(target.Revocation, target.PublicClient),
			func(as *target.AS, g Gomega) {
				if !as.Config().Declares.RevocationJSONP {
					as.Skip("declares: {revocation_jsonp: true}", "the target file does not say that the server offers JSONP")
				}
				script := func(callback string, edits ...target.RequestEdit) *target.Response {
					r := as.NewRequest("GET", as.Endpoint(target.RevocationEndpoint)).Apply(target.QueryParam("token", as.Random(40)),
						target.QueryParam("client_id", as.Public().ID), target.QueryParam("callback", callback))
					return as.Send(r.Apply(edits...))
				}
				as.Variant("success", func(g Gomega) {
					g.Expect(string(script("package.myCallback").Body)).To(MatchRegexp(`^\s*(/\*\*/)?\s*package\.myCallback\(\s*\)\s*;?\s*$`), "the script")
				})
				as.Variant("callback-is-no-name", func(g Gomega) {
					const callback = "oauthcheck(1);oauthcheck"
					g.Expect(string(script(callback, target.AnyStatus()).Body)).NotTo(ContainSubstring(callback), "the answer")
				})
			})
	})

	suites.Section("RFC 7009", "5", func(s *suites.S) {
		s.Check("revocation-unknown-client", suites.Requires("RFC7009-5-04"), suites.Needs(target.Revocation, target.RefreshTokenGrant),
			suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				tokens := as.Refreshable()
				r := as.Revoke(tokens, tokens.RefreshToken, target.Auth(target.NoClientAuth), target.Set("client_id", "oauthcheck-unknown-client"))
				if r.Status/100 == 2 {
					as.Note("answered with %d although the client does not exist", r.Status)
				}
				survives(as, g, tokens, "after a revocation by a client that does not exist")
			})
	})
}

// unknownJWT has the form of a signed JWT that nobody issued.
const unknownJWT = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Im9hdXRoY2hlY2sifQ" +
	".eyJpc3MiOiJodHRwczovL29hdXRoY2hlY2suZXhhbXBsZSIsInN1YiI6Im5vYm9keSIsImV4cCI6NDEwMjQ0NDgwMH0" +
	".b2F1dGhjaGVjay1uby1zaWduYXR1cmU"

// confidential is a grant with a refresh token that a confidential client holds.
func confidential(as *target.AS) *target.Tokens {
	client := as.Confidential()
	if c := as.ClientFor(target.RefreshToken); c.Confidential() {
		client = c
	}
	tokens := as.Refreshable(target.As(client))
	tokens.Client = client
	return tokens
}

// notServerError judges that a bad request is not answered as if the server had failed. 503 may come from load.
func notServerError(as *target.AS, g Gomega, r *target.Response) {
	if r.Err != nil || r.Status == 503 || r.Status == 429 {
		as.Inconclusive("no answer to judge: %s", DescribeResponse(r))
	}
	g.Expect(r).NotTo(HaveStatusClass(5))
}

// answeredWith200 judges the answer to a token that is not valid.
func answeredWith200(as *target.AS, g Gomega, r *target.Response) {
	if r.Err != nil || r.Status == 503 || r.Status == 429 {
		as.Inconclusive("no answer to judge: %s", DescribeResponse(r))
	}
	g.Expect(r).To(HaveStatus(200))
}

// errorResponse judges the form of an error.
func errorResponse(as *target.AS, g Gomega, r *target.Response) {
	if r.Err != nil || r.Status == 503 || r.Status == 429 {
		as.Inconclusive("no answer to judge: %s", DescribeResponse(r))
	}
	if r.Status/100 == 2 {
		as.Inconclusive("the request was not refused")
	}
	g.Expect(r).NotTo(HaveStatusClass(5))
	g.Expect(r).To(HaveMediaType("application/json"))
	g.Expect(r).To(HaveStringMember("error"))
}
