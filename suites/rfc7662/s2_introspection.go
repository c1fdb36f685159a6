// Package rfc7662 holds the checks of RFC 7662, OAuth 2.0 Token Introspection, one file a section in the order of the text.
package rfc7662

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 7662", "1.1", func(s *suites.S) {
		s.Check("introspection-parameter-case", suites.Requires("RFC7662-1.1-01"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				token := active(as).AccessToken
				if as.Introspect("", target.Omit("token"), target.AnyStatus()).Member("active") == true {
					as.Inconclusive("a request without token is answered with active: true as well, which another check reports")
				}
				notActive(as, g, as.Introspect(token, target.Rename("token", "Token")))
			})
	})

	suites.Section("RFC 7662", "2", func(s *suites.S) {
		s.Check("introspection-endpoint-https", suites.Requires("RFC7662-2-01"), suites.Needs(target.Introspection, target.TLS),
			func(as *target.AS, g Gomega) {
				g.Expect(strings.ToLower(as.Endpoint(target.IntrospectionEndpoint))).To(HavePrefix("https://"))
				r := as.OverPlainHTTP(as.NewRequest("POST", as.Endpoint(target.IntrospectionEndpoint)).Apply(
					target.Set("token", as.Random(40)), target.Set("client_id", "oauthcheck-unknown-client"), target.Set("client_secret", "oauthcheck-made-up-secret")))
				if r.Err == nil && (r.Member("active") != nil || r.ErrorCode() == "invalid_client") {
					as.Fail("over plain HTTP the call is evaluated: %s", DescribeResponse(r))
				}
			})
	})

	suites.Section("RFC 7662", "2.1", func(s *suites.S) {
		s.Check("introspection-by-post", suites.Requires("RFC7662-2.1-01"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				token := as.IntrospectableTokens().AccessToken
				r := as.Introspect(token, target.AnyStatus())
				g.Expect(r).NotTo(HaveStatus(404, 405, 415, 501))
				if r.Status == 200 && as.Introspect(token, target.ContentType("application/x-www-form-urlencoded;charset=UTF-8")).Status != 200 {
					as.Note("with the parameter charset=UTF-8 the form is refused")
				}
			})

		s.Check("introspection-token-required", suites.Requires("RFC7662-2.1-02"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				answered(as)
				for name, edit := range map[string]target.RequestEdit{"missing": target.Omit("token"), "empty": target.Set("token", "")} {
					as.Variant(name, func(g Gomega) {
						r := as.Introspect("", edit, target.AnyStatus())
						serverError(as, g, r)
						notActive(as, g, r)
						if r.ErrorCode() == "" && r.Member("active") == nil {
							as.Note("neither an error nor an introspection response: %s", DescribeResponse(r))
						}
					})
				}
			})

		s.Check("live-access-token-active", suites.Requires("RFC7662-2.1-03"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				r := as.Introspect(as.IntrospectableTokens().AccessToken)
				if r.Status == 404 || r.Status == 405 || r.Status == 415 {
					as.Inconclusive("the call itself is refused, which another check reports: %s", DescribeResponse(r))
				}
				if r.Member("active") == false && as.Config().Introspection.Client == "" {
					as.Inconclusive("active is false; the caller may not be allowed to see the token (introspection.client names one that may)")
				}
				g.Expect(r).To(HaveStatus(200))
				g.Expect(r).NotTo(HaveMember("active", false))
			})

		s.Check("live-refresh-token-active", suites.Requires("RFC7662-2.1-04"), suites.Needs(target.Introspection, target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) {
				answered(as)
				g.Expect(as.Introspect(as.Refreshable().RefreshToken)).To(HaveStatus(200))
			})

		s.Check("introspection-wrong-hint", suites.Requires("RFC7662-2.1-05"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				token := active(as).AccessToken
				hinted := as.Introspect(token, target.Set("token_type_hint", "refresh_token"))
				isActive(as, as.Introspect(token))
				g.Expect(hinted).To(HaveMember("active", true))
			})

		s.Check("introspection-unknown-hint", suites.Requires("RFC7662-2.1-07"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				r := as.Introspect(active(as).AccessToken, target.Set("token_type_hint", "oauthcheck_bogus"))
				if slices.Contains([]string{"unsupported_token_type", "invalid_request"}, r.ErrorCode()) {
					as.Note("an unknown hint is answered %s", r.ErrorCode())
					return
				}
				g.Expect(r).NotTo(HaveMember("active", false))
			})

		s.Check("introspection-extra-parameter", suites.Requires("RFC7662-2.1-08"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				g.Expect(as.Introspect(active(as).AccessToken, target.Add("oauthcheck_extra", "1"))).To(HaveMember("active", true))
			})

		s.Check("introspection-authorization-required", suites.Requires("RFC7662-2.1-10"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				r := as.Introspect(active(as).AccessToken, target.Auth(target.NoClientAuth), target.Omit("client_id"))
				notActive(as, g, r)
				if r.Status == 200 {
					as.Note("a call without credentials is answered with active false in place of an error")
				}
			})
	})

	suites.Section("RFC 7662", "2.2", func(s *suites.S) {
		s.Check("introspection-json", suites.Requires("RFC7662-2.2-01"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onAnswers(func(as *target.AS, g Gomega, r *target.Response) {
				g.Expect(r).To(HaveStatus(200))
				g.Expect(r).To(HaveMediaType("application/json"))
				g.Expect(r).To(BeJSONObject())
			}))

		s.Check("active-boolean", suites.Requires("RFC7662-2.2-02"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onAnswers(func(as *target.AS, g Gomega, r *target.Response) { g.Expect(r).To(HaveMember("active", BeBoolean())) }))

		s.Check("introspection-scope", suites.Requires("RFC7662-2.2-04"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onMember("scope", func(as *target.AS, g Gomega, r *target.Response, tokens *target.Tokens) {
				g.Expect(r).To(HaveMember("scope", BeString()))
				told, granted := r.String("scope"), strings.Fields(tokens.Scope)
				if parts := strings.Split(told, ","); len(parts) > 1 && !slices.ContainsFunc(parts, func(p string) bool { return !slices.Contains(granted, strings.TrimSpace(p)) }) {
					as.Fail("scope %q joins the granted values by commas; expected single blanks", told)
				}
				for _, value := range strings.Fields(told) {
					if tokens.Scope != "" && !slices.Contains(granted, value) {
						as.Note("scope shows %q, beyond what was granted (%q)", value, tokens.Scope)
					}
				}
			}))

		s.Check("introspection-client-id", suites.Requires("RFC7662-2.2-05"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onMember("client_id", func(as *target.AS, g Gomega, r *target.Response, tokens *target.Tokens) {
				g.Expect(r).To(HaveMember("client_id", BeOneOf(tokens.Client.ID)))
			}))

		s.Check("introspection-username", suites.Requires("RFC7662-2.2-06"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onMember("username", func(as *target.AS, g Gomega, r *target.Response, tokens *target.Tokens) {
				g.Expect(r).To(HaveMember("username", BeString()))
				if tokens.Grant == target.ClientCredentials && r.String("username") != "" {
					as.Note("username is %q for a token without a user", r.String("username"))
				}
			}))

		s.Check("introspection-token-type", suites.Requires("RFC7662-2.2-07"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onMember("token_type", func(as *target.AS, g Gomega, r *target.Response, tokens *target.Tokens) {
				g.Expect(r).To(HaveMember("token_type", BeString()))
				if known := []string{"bearer", "dpop", "pop", "mac"}; slices.Contains(known, strings.ToLower(tokens.TokenType)) {
					g.Expect(strings.ToLower(r.String("token_type"))).To(Equal(strings.ToLower(tokens.TokenType)), "token_type")
				}
			}))

		s.Check("introspection-exp", suites.Requires("RFC7662-2.2-08"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onTime("exp", func(as *target.AS, g Gomega, exp time.Time, issued time.Time, tokens *target.Tokens) {
				g.Expect(exp).To(BeTemporally(">", issued.Add(-skew)), "exp of an active token")
				if tokens.ExpiresIn > 0 {
					g.Expect(exp).To(BeTemporally("~", issued.Add(tokens.ExpiresIn), skew), "exp against expires_in %s", tokens.ExpiresIn)
				}
			}))

		s.Check("introspection-iat", suites.Requires("RFC7662-2.2-09"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onTime("iat", func(as *target.AS, g Gomega, iat time.Time, issued time.Time, _ *target.Tokens) {
				g.Expect(iat).To(BeTemporally("~", issued, skew), "iat")
			}))

		s.Check("introspection-nbf", suites.Requires("RFC7662-2.2-10"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onTime("nbf", func(as *target.AS, g Gomega, nbf time.Time, issued time.Time, _ *target.Tokens) {
				const far = 300 * time.Second
				g.Expect(nbf).To(BeTemporally("<=", issued.Add(far)), "nbf of an active token")
				if nbf.After(issued.Add(skew)) {
					as.Note("nbf is %s ahead", nbf.Sub(issued))
				}
			}))

		s.Check("introspection-sub", suites.Requires("RFC7662-2.2-11"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onMember("sub", func(as *target.AS, g Gomega, r *target.Response, _ *target.Tokens) {
				g.Expect(r).To(HaveMember("sub", BeString()))
			}))

		s.Check("introspection-aud", suites.Requires("RFC7662-2.2-12"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onMember("aud", func(as *target.AS, g Gomega, r *target.Response, _ *target.Tokens) {
				g.Expect(r).To(HaveMember("aud", AnyOf(BeString(), BeListOfStrings())))
			}))

		s.Check("introspection-iss", suites.Requires("RFC7662-2.2-13"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onMember("iss", func(as *target.AS, g Gomega, r *target.Response, _ *target.Tokens) {
				g.Expect(r).To(HaveMember("iss", BeString()))
				if as.Metadata() != nil && r.String("iss") != as.Issuer() {
					as.Note("iss is %q, the issuer is %q", r.String("iss"), as.Issuer())
				}
			}))

		s.Check("introspection-jti", suites.Requires("RFC7662-2.2-14"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			onMember("jti", func(as *target.AS, g Gomega, r *target.Response, _ *target.Tokens) {
				g.Expect(r).To(HaveMember("jti", BeString()))
			}))

		s.Check("unknown-token-inactive", suites.Requires("RFC7662-2.2-19"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				answered(as)
				as.Variant("random", func(g Gomega) {
					r := as.Introspect(as.Random(40), target.AnyStatus())
					serverError(as, g, r)
					g.Expect(r).To(HaveStatus(200))
					notActive(as, g, r)
				})
				as.Variant("4-kib", func(g Gomega) {
					r := as.Introspect(as.Random(4096), target.AnyStatus())
					serverError(as, g, r)
					notActive(as, g, r)
					if r.Status != 200 {
						as.Note("a token of 4 KiB is answered with status %d", r.Status)
					}
				})
				as.Variant("jwt", func(g Gomega) {
					r := as.Introspect(unknownJWT, target.AnyStatus())
					serverError(as, g, r)
					notActive(as, g, r)
					if r.Status != 200 {
						as.Note("anything in the form of a JWT is answered with status %d, error %q", r.Status, r.ErrorCode())
					}
				})
			})

		s.Check("inactive-token-no-details", suites.Requires("RFC7662-2.2-20"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				answered(as)
				as.Variant("random", func(g Gomega) { nothingButActive(as, g, as.Introspect(as.Random(40))) })
				if as.Has(target.Revocation) {
					as.Variant("revoked", func(g Gomega) {
						tokens := active(as)
						as.Revoke(tokens, tokens.AccessToken)
						as.Settle()
						nothingButActive(as, g, as.Introspect(tokens.AccessToken))
					})
				}
			})
	})

	suites.Section("RFC 7662", "2.3", func(s *suites.S) {
		s.Check("introspection-wrong-secret", suites.Requires("RFC7662-2.3-01"),
			suites.Needs(target.Introspection, target.ConfidentialClient, target.AnyTokenGrant), suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				token := active(as).AccessToken
				client := caller(as)
				if client.Secret == "" {
					as.Skip("introspection: {client: primary}", "the caller has no client password")
				}
				wrong := *client
				wrong.Secret = "oauthcheck-wrong-secret-0123456789abcdef"
				r := as.Introspect(token, target.As(&wrong), target.AnyStatus())
				serverError(as, g, r)
				if r.Status == 400 && r.ErrorCode() == "invalid_client" && client.AuthOrDefault() == target.Post {
					as.Note("status 400 for credentials in the body")
					return
				}
				g.Expect(r).To(HaveStatus(401))
				switch r.ErrorCode() {
				case "invalid_client":
				case "":
					as.Note("the body carries no error code")
				default:
					as.Note("the body carries error %q", r.ErrorCode())
				}
			})

		s.Check("introspection-bad-bearer", suites.Requires("RFC7662-2.3-02"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			suites.Disturbs(suites.Client),
			func(as *target.AS, g Gomega) {
				token := active(as).AccessToken
				anonymous := []target.RequestEdit{target.Auth(target.NoClientAuth), target.Omit("client_id"), target.AnyStatus()}
				own := as.TokenBy(target.ClientCredentials, target.As(caller(as)), target.NoControl()).String("access_token")
				if own == "" || as.Introspect(token, append(anonymous, target.Bearer(own))...).Member("active") != true {
					as.Skip("", "the endpoint takes no bearer tokens as authorization")
				}
				r := as.Introspect(token, append(anonymous, target.Bearer(as.Random(40)))...)
				serverError(as, g, r)
				g.Expect(r).To(HaveStatus(401))
			})
	})

	suites.Section("RFC 7662", "4", func(s *suites.S) {
		s.Check("expired-token-inactive", suites.Requires("RFC7662-4-02"), suites.Needs(target.Introspection, target.AnyTokenGrant), suites.Slow,
			func(as *target.AS, g Gomega) {
				tokens := active(as)
				lifetime := max(tokens.ExpiresIn, as.Timing().TokenLifetime)
				const longest, more = 15 * time.Minute, 240 * time.Second
				if lifetime == 0 || lifetime > longest {
					as.Skip("timing.token_lifetime: 1m  # and a server that issues such tokens", "access tokens live %s", lifetime)
				}
				as.Wait(lifetime + skew)
				if as.Introspect(tokens.AccessToken).Member("active") != true {
					return
				}
				as.Wait(more)
				g.Expect(as.Introspect(tokens.AccessToken)).NotTo(HaveMember("active", true))
				as.Note("the token was still active a minute after it expired, and no longer after five")
			})

		s.Check("revoked-token-inactive", suites.Requires("RFC7662-4-04"),
			suites.Needs(target.Introspection, target.Revocation, target.ProtectedResource), suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				tokens := as.ResourceTokens()
				isActive(as, as.Introspect(tokens.AccessToken))
				as.Revoke(tokens, tokens.AccessToken)
				as.Settle()
				if as.Resource(tokens.AccessToken).Status/100 == 2 {
					as.Inconclusive("the revocation had no effect at the resource either")
				}
				g.Expect(as.Introspect(tokens.AccessToken)).NotTo(HaveMember("active", true))
			})

		s.Check("introspection-verifies-signature", suites.Requires("RFC7662-4-05"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				token := active(as).AccessToken
				if target.JWTClaims(token) == nil {
					as.Skip("", "access tokens are no signed JWTs")
				}
				for _, forged := range target.Forgeries(token) {
					as.Variant(forged.Name, func(g Gomega) { notActive(as, g, as.Introspect(forged.Token)) })
				}
			})

		s.Check("introspection-callers-authorized", suites.Requires("RFC7662-4-08"),
			suites.Needs(target.Introspection, target.SecondClient, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				if caller := as.Config().Introspection.Client; caller == "" || caller == "second" {
					as.Skip("introspection: {client: primary}", "the target file does not say who may introspect")
				}
				token := active(as).AccessToken
				g.Expect(as.Introspect(token, target.As(as.Second()))).NotTo(HaveMember("active", true))
			})

		s.Check("introspection-endpoint-tls", suites.Requires("RFC7662-4-11"), suites.Needs(target.Introspection, target.TLS),
			func(as *target.AS, g Gomega) {
				if as.Handshake(target.IntrospectionEndpoint, target.TLS12, target.TLS12) == nil {
					return
				}
				g.Expect(as.Handshake(target.IntrospectionEndpoint, target.TLS13, target.TLS13)).To(Succeed())
				as.Note("the server speaks TLS 1.3 only")
			})

		s.Check("introspection-by-get", suites.Requires("RFC7662-4-13"), suites.Needs(target.Introspection, target.AnyTokenGrant), suites.Destructive,
			func(as *target.AS, g Gomega) {
				if r := as.Introspect(active(as).AccessToken, target.Method("GET"), target.MoveToQuery("token"), target.AnyStatus()); r.Status == 200 {
					as.Note("GET is answered as well, so that tokens end up in logs")
				}
			})
	})
}

// skew is how far clocks may be apart.
const skew = 60 * time.Second

// unknownJWT has the form of a signed JWT that nobody issued.
const unknownJWT = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6Im9hdXRoY2hlY2sifQ" +
	".eyJpc3MiOiJodHRwczovL29hdXRoY2hlY2suZXhhbXBsZSIsInN1YiI6Im5vYm9keSIsImV4cCI6NDEwMjQ0NDgwMH0" +
	".b2F1dGhjaGVjay1uby1zaWduYXR1cmU"

// caller is the client that introspects.
func caller(as *target.AS) *target.Client {
	if c := as.Config().Clients.ByName(as.Config().Introspection.Client); c != nil {
		return c
	}
	return as.Confidential()
}

// active is a grant whose access token introspection calls active: the control of most checks.
func active(as *target.AS) *target.Tokens {
	tokens := as.IntrospectableTokens()
	isActive(as, as.Introspect(tokens.AccessToken))
	return tokens
}

func isActive(as *target.AS, r *target.Response) {
	if r.Member("active") != true {
		as.Inconclusive("introspection does not call a fresh access token active, perhaps because this caller may not see it: %s", DescribeResponse(r))
	}
}

// answered is the control that the caller's credentials are right, whether or not it may see the token.
func answered(as *target.AS) {
	if r := as.Introspect(as.IntrospectableTokens().AccessToken); r.Status != 200 {
		as.Inconclusive("introspection of a fresh access token is answered %s", DescribeResponse(r))
	}
}

// notActive judges that a request is not told of a live token.
func notActive(as *target.AS, g Gomega, r *target.Response) {
	g.Expect(r.Member("active")).NotTo(Equal(true), "active")
}

// serverError judges that a bad request is not answered as if the server had failed. 503 may come from load.
func serverError(as *target.AS, g Gomega, r *target.Response) {
	if r.Err != nil || r.Status == 503 || r.Status == 429 {
		as.Inconclusive("no answer to judge: %s", DescribeResponse(r))
	}
	g.Expect(r).NotTo(HaveStatusClass(5))
}

// nothingButActive judges the answer for an inactive token.
func nothingButActive(as *target.AS, g Gomega, r *target.Response) {
	members, err := r.JSON()
	if err != nil || members["active"] != false {
		as.Inconclusive("the answer is no introspection response with active false: %s", DescribeResponse(r))
	}
	for name := range members {
		g.Expect(name).To(Equal("active"), "a member beside active")
	}
}

// onAnswers judges the answers for a live and for an unknown token.
func onAnswers(check func(*target.AS, Gomega, *target.Response)) suites.Body {
	return func(as *target.AS, g Gomega) {
		for name, token := range map[string]string{"live-token": as.IntrospectableTokens().AccessToken, "unknown-token": as.Random(40)} {
			as.Variant(name, func(g Gomega) {
				r := as.Introspect(token)
				if r.Status >= 400 {
					as.Inconclusive("the call was refused: %s", DescribeResponse(r))
				}
				check(as, g, r)
			})
		}
	}
}

// onMember judges an optional member of the answer for a live token.
func onMember(name string, check func(*target.AS, Gomega, *target.Response, *target.Tokens)) suites.Body {
	return func(as *target.AS, g Gomega) {
		tokens := as.IntrospectableTokens()
		r := as.Introspect(tokens.AccessToken)
		isActive(as, r)
		if r.Member(name) == nil {
			return // optional
		}
		check(as, g, r, tokens)
	}
}

// onTime judges an optional time of the answer for a live token.
func onTime(name string, check func(*target.AS, Gomega, time.Time, time.Time, *target.Tokens)) suites.Body {
	return func(as *target.AS, g Gomega) {
		issued := as.Now()
		tokens := as.IntrospectableTokens()
		r := as.Introspect(tokens.AccessToken)
		isActive(as, r)
		if r.Member(name) == nil {
			return // optional
		}
		number, ok := r.Member(name).(json.Number)
		if !ok {
			as.Fail("%s is %v; expected an integer number of seconds", name, r.Member(name))
		}
		seconds, err := number.Int64()
		if err != nil {
			as.Note("%s is %s, a number with a fraction", name, number)
			f, _ := number.Float64()
			seconds = int64(f)
		}
		check(as, g, time.Unix(seconds, 0), issued, tokens)
	}
}
