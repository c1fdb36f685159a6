package rfc6749

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	suites.Section("RFC 6749", "3.1.2", func(s *suites.S) {
		s.Check("redirect-uri-absolute", suites.Requires("RFC6749-3.1.2-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, uri := range []string{"/cb", "//" + attackerHost + "/cb", attackerHost + "/cb", "cb"} {
					as.Variant(uri, func(g Gomega) { notSentTo(as, g, uri) })
				}
			})

		s.Check("redirect-uri-query-retained", suites.Requires("RFC6749-3.1.2-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				client, uri := clientWithQueryURI(as)
				if client == nil {
					as.Skip("clients.primary.redirect_uris: [https://client.example/cb, \"https://client.example/cb?tenant=1\"]",
						"no configured redirection URI has a query")
				}
				a := as.Authorize(target.As(client), target.RedirectURI(uri), target.NoControl())
				if a.Location == "" || a.Elsewhere() {
					as.Inconclusive("the authorization request with %s did not succeed: %s", uri, DescribeAuthorization(a))
				}
				g.Expect(a).To(BeSentTo(uri))
				if strings.HasPrefix(a.Location, uri+"?") { // a question mark inside of a value is no fault
					as.Fail("a second question mark was added: %s", DescribeAuthorization(a))
				}
			})

		s.Check("redirect-uri-no-fragment", suites.Requires("RFC6749-3.1.2-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				uri := as.ClientFor(target.AuthorizationCode).RedirectURIs[0]
				a := as.Authorize(target.RedirectURI(uri + "#frag"))
				switch {
				case a.Location != "" && !strings.Contains(a.RawFragment(), "frag"):
					as.Note("the browser is sent to the registered URI without the fragment")
				case strings.Contains(a.Location, "code="): // also where what follows the fragment is no parameter list
					as.Fail("a code was delivered to a redirection URI with a fragment: %s", DescribeAuthorization(a))
				default:
					g.Expect(a).NotTo(DeliverCode())
				}
			})
	})

	suites.Section("RFC 6749", "3.1.2.2", func(s *suites.S) {
		s.Check("public-client-redirect-uri-registered", suites.Requires("RFC6749-3.1.2.2-01"),
			suites.Needs(target.AuthorizationCode, target.PublicClient),
			func(as *target.AS, g Gomega) {
				as.Variant("foreign", func(g Gomega) {
					as.Code(target.As(as.Public())) // control
					g.Expect(as.Authorize(target.As(as.Public()), target.RedirectURI(foreignURI))).To(NotLeaveFor(foreignURI))
				})
				if as.Has(target.Registration) {
					as.Variant("registered-without", func(g Gomega) { registeredWithoutURI(as, g, "none") })
				}
			})

		s.Check("implicit-redirect-uri-registered", suites.Requires("RFC6749-3.1.2.2-02"),
			suites.Needs(target.ImplicitGrant, target.ConfidentialClient),
			func(as *target.AS, g Gomega) {
				client := as.Confidential()
				if as.Implicit(target.As(client), target.NoControl()).Param("access_token") == "" {
					as.Skip("", "the confidential client may not use the implicit grant")
				}
				g.Expect(as.Implicit(target.As(client), target.RedirectURI(foreignURI))).To(NotLeaveFor(foreignURI))
			})

		s.Check("confidential-client-redirect-uri-registered", suites.Requires("RFC6749-3.1.2.2-03"),
			suites.Needs(target.AuthorizationCode, target.ConfidentialClient, target.Registration),
			func(as *target.AS, g Gomega) { registeredWithoutURI(as, g, "client_secret_basic") })

		s.Check("redirect-uri-fully-registered", suites.Requires("RFC6749-3.1.2.2-04"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				uri := registeredURI(as)
				partial := as.ClientFor(target.AuthorizationCode).PartialRedirectURIs
				// Made-up codes and tokens are shorter than what reports cut as a secret wherever it appears, attackerHost included.
				for _, probe := range []struct{ name, uri string }{
					{"extra-query", withQuery(uri, "oauthcheck=1")},
					{"extra-path-segment", uri + "/extra"},
					{"query-with-code", withQuery(uri, "code=evil")},
					{"query-with-escaped-code", withQuery(uri, "%63ode=evil")},
					{"query-with-state", withQuery(uri, "state=attacker")},
					{"query-with-error", withQuery(uri, "error=access_denied")},
					{"query-with-iss", withQuery(uri, "iss=https://"+attackerHost)},
					{"query-with-id-token", withQuery(uri, "id_token=evil")},
					{"query-injection", uri + "&redirect_uri=" + foreignURI},
					{"query-injection-of-response-mode", uri + "&response_mode=fragment"},
					{"escaped-query-injection", uri + "%26redirect_uri=" + foreignURI},
				} {
					as.Variant(probe.name, func(g Gomega) {
						if partial && strings.HasPrefix(probe.uri, uri+"?") {
							if as.Authorize(target.RedirectURI(probe.uri)).Code() != "" {
								as.Note("a code is delivered to the URI with this query, which the registration of a part of the URI allows")
							}
							return
						}
						deliversNoCodeTo(as, g, probe.uri)
					})
				}
				as.Variant("bare-question-mark", func(g Gomega) {
					if a := as.Authorize(target.RedirectURI(uri + "?")); a.Code() != "" && !strings.Contains(uri, "?") {
						as.Note("a question mark without a query is ignored")
					}
				})
				if client, uri := clientWithLoopbackURI(as); client != nil && !client.PartialRedirectURIs {
					as.Variant("loopback-extra-query", func(g Gomega) { deliversNoCodeTo(as, g, withQuery(uri, "oauthcheck=1"), target.As(client)) })
				}
				if client, uri := clientWithQueryURI(as); client != nil && !client.PartialRedirectURIs {
					for _, probe := range otherQueries(uri) {
						if !slices.Contains(client.RedirectURIs, probe.uri) {
							as.Variant("registered-query-"+probe.name, func(g Gomega) { deliversNoCodeTo(as, g, probe.uri, target.As(client)) })
						}
					}
				}
			})

		s.Check("partial-redirect-uri-up-to-path", suites.Requires("RFC6749-3.1.2.2-05"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				client := as.ClientFor(target.AuthorizationCode)
				if !client.PartialRedirectURIs {
					as.Skip("clients."+client.Name+".partial_redirect_uris: true", "the target file does not say that only a part of the redirection URI is registered")
				}
				u, err := url.Parse(registeredURI(as))
				if err != nil || u.Host == "" {
					as.Skip("clients."+client.Name+".redirect_uris: [https://client.example/callback]", "the redirection URI has no host")
				}
				vary := func(change func(*url.URL)) string {
					other := *u
					change(&other)
					return other.String()
				}
				for _, probe := range []struct{ name, uri string }{
					{"path", vary(func(u *url.URL) { u.Path = "/oauthcheck-39y8no" })},
					{"host", vary(func(u *url.URL) { u.Host = "attacker.example" })},
					{"scheme", vary(func(u *url.URL) { u.Scheme = "oauthcheck" })},
				} {
					as.Variant(probe.name, func(g Gomega) {
						g.Expect(as.Authorize(target.RedirectURI(probe.uri))).To(NotLeaveFor(probe.uri))
					})
				}
			})

		s.Check("answer-goes-to-requested-uri", suites.Requires("RFC6749-3.1.2.2-06"),
			suites.Needs(target.AuthorizationCode, target.SecondRedirectURI),
			func(as *target.AS, g Gomega) {
				client := clientWithTwoRedirectURIs(as)
				for _, uri := range client.RedirectURIs[:2] {
					as.Variant(uri, func(g Gomega) {
						a := as.Authorize(target.As(client), target.RedirectURI(uri), target.NoControl())
						if a.Code() == "" {
							as.Inconclusive("the authorization request did not succeed: %s", DescribeAuthorization(a))
						}
						g.Expect(a).To(BeSentTo(uri))
					})
				}
			})
	})

	suites.Section("RFC 6749", "3.1.2.3", func(s *suites.S) {
		s.Check("redirect-uri-not-guessed", suites.Requires("RFC6749-3.1.2.3-01"),
			suites.Needs(target.AuthorizationCode, target.SecondRedirectURI),
			func(as *target.AS, g Gomega) {
				client := clientWithTwoRedirectURIs(as)
				as.Code(target.As(client)) // control
				a := as.Authorize(target.As(client), target.Omit("redirect_uri"))
				g.Expect(a).NotTo(DeliverCode())
				if a.Location != "" {
					as.Note("the browser is sent to a registered URI with error %q", a.Error())
				}
			})

		s.Check("single-redirect-uri-optional", suites.Requires("RFC6749-3.1.2.3-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				client := clientWithOneRedirectURI(as)
				if client == nil {
					as.Skip("clients.second: {redirect_uris: [one URI]}", "no configured client has exactly one redirection URI")
				}
				as.Code(target.As(client)) // control
				a := as.Authorize(target.As(client), target.Omit("redirect_uri"))
				if a.Code() == "" && as.Has(target.OpenID) {
					as.Note("an OpenID provider demands redirect_uri: %s", DescribeAuthorization(a))
					return
				}
				g.Expect(a).To(DeliverCode())
				g.Expect(a).To(BeSentTo(client.RedirectURIs[0]))
			})

		s.Check("unregistered-redirect-uri-refused", suites.Requires("RFC6749-3.1.2.3-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) { deliversNoCodeTo(as, g, foreignURI) })

		s.Check("redirect-uri-exact-match", suites.Requires("RFC6749-3.1.2.3-04"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, m := range redirectManipulations(registeredURI(as)) {
					as.Variant(m.name, func(g Gomega) { m.judge(as, g) })
				}
				if foreign := uriOfAnotherClient(as); foreign != "" {
					as.Variant("uri-of-another-client", func(g Gomega) {
						manipulation{value: foreign, registered: registeredURI(as)}.judge(as, g)
					})
				}
				if client, uri := clientWithLoopbackURI(as); client != nil {
					authorize := func(edits ...target.RequestEdit) *target.Authorization {
						return as.Authorize(append([]target.RequestEdit{target.As(client)}, edits...)...)
					}
					as.Variant("loopback-port-other", func(g Gomega) { freePort(as, uri, authorize) })
					for _, m := range loopbackManipulations(uri) {
						if !slices.ContainsFunc(client.RedirectURIs, m.equals) {
							as.Variant(m.name, func(g Gomega) { m.judgeBy(as, g, authorize) })
						}
					}
				}
				as.Variant("control-at-the-end", func(g Gomega) { as.Code() })
			})
	})

	suites.Section("RFC 6749", "3.1.2.4", func(s *suites.S) {
		s.Check("bad-redirect-uri-error-page", suites.Requires("RFC6749-3.1.2.4-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				tellsOwner(as, g, as.Authorize(target.RedirectURI(foreignURI)))
			})

		s.Check("no-redirect-to-invalid-uri", suites.Requires("RFC6749-3.1.2.4-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				for _, probe := range []struct{ name, uri string }{
					{"foreign", foreignURI}, {"javascript", "javascript:alert(1)"}, {"data", "data:text/html,x"},
					{"vbscript", "vbscript:msgbox(1)"}, {"file", "file:///etc/passwd"}, {"custom-scheme", "oauthcheck-unregistered:/cb"},
				} {
					as.Variant(probe.name, func(g Gomega) {
						a := as.Authorize(target.RedirectURI(probe.uri))
						g.Expect(a).To(NotLeaveFor(probe.uri))
						scheme, _, _ := strings.Cut(probe.uri, ":")
						if scheme != "https" && strings.HasPrefix(strings.ToLower(a.Location), scheme+":") && a.Via != "link" {
							as.Fail("the browser is sent to a %s URI: %s", scheme, DescribeAuthorization(a))
						}
					})
				}
				// Beside a good redirect_uri, in places where a careless server may find another one.
				as.Variant("foreign-as-array", func(g Gomega) {
					g.Expect(as.Authorize(target.Add("redirect_uri[]", foreignURI))).To(NotLeaveFor(foreignURI))
				})
				as.Variant("foreign-in-query-of-post", func(g Gomega) {
					if as.Authorize(target.Method("POST")).Code() == "" {
						as.Skip("", "POST at the authorization endpoint is not supported")
					}
					g.Expect(as.Authorize(target.Method("POST"), target.QueryParam("redirect_uri", foreignURI))).To(NotLeaveFor(foreignURI))
				})
				// With a second error in the request the server must still not report it to the bad URI.
				as.Variant("foreign-and-unknown-response-type", func(g Gomega) {
					g.Expect(as.Authorize(target.RedirectURI(foreignURI), target.Set("response_type", "oauthcheck_unknown"))).To(NotLeaveFor(foreignURI))
				})
				as.Variant("foreign-and-unknown-scope", func(g Gomega) {
					g.Expect(as.Authorize(target.RedirectURI(foreignURI), target.Set("scope", unknownScope))).To(NotLeaveFor(foreignURI))
				})
				as.Variant("foreign-and-prompt-none", func(g Gomega) {
					g.Expect(as.Authorize(target.RedirectURI(foreignURI), target.Set("prompt", "none"))).To(NotLeaveFor(foreignURI))
				})
			})
	})
}

// registeredURI is the redirection URI that manipulations start from: one that is no loopback URI where there is a choice,
// since libraries relax those by more than the port that RFC 8252 frees.
func registeredURI(as *target.AS) string {
	uris := as.ClientFor(target.AuthorizationCode).RedirectURIs
	for _, uri := range uris {
		if u, err := url.Parse(uri); err == nil && u.Scheme == "https" && u.RawQuery == "" {
			return uri
		}
	}
	return uris[0]
}

// clientWithQueryURI is a configured client with a redirection URI that has a query; nil if there is none.
func clientWithQueryURI(as *target.AS) (*target.Client, string) {
	for _, client := range as.Config().Clients.All() {
		for _, uri := range client.RedirectURIs {
			if strings.Contains(uri, "?") && client.MayUse("authorization_code") {
				return client, uri
			}
		}
	}
	return nil, ""
}

// clientWithLoopbackURI is a configured client with an http redirection URI on a loopback IP address; nil if there is none.
func clientWithLoopbackURI(as *target.AS) (*target.Client, string) {
	for _, client := range as.Config().Clients.All() {
		for _, uri := range client.RedirectURIs {
			if u, err := url.Parse(uri); err == nil && u.Scheme == "http" && net.ParseIP(u.Hostname()).IsLoopback() && client.MayUse("authorization_code") {
				return client, uri
			}
		}
	}
	return nil, ""
}

// freePort tells where a loopback URI does not work with another port. RFC 8252 section 7.3 asks for that of servers with native
// applications; whether a client is one does not show.
func freePort(as *target.AS, registered string, authorize func(...target.RequestEdit) *target.Authorization) {
	u, err := url.Parse(registered)
	if err != nil {
		return
	}
	u.Host = net.JoinHostPort(u.Hostname(), ephemeralPort)
	if a := authorize(target.RedirectURI(u.String())); a.Code() == "" || !a.SentTo(u.String()) {
		as.Note("a loopback URI works with the registered port only, which native applications cannot choose (RFC 8252 section 7.3)")
	}
}

// ephemeralPort is one that a native application may happen to get.
const ephemeralPort = "49173"

// uriOfAnotherClient is a redirection URI that is registered for another client and not for the usual one; "" if there is none.
func uriOfAnotherClient(as *target.AS) string {
	usual := as.ClientFor(target.AuthorizationCode)
	for _, client := range as.Config().Clients.All() {
		for _, uri := range client.RedirectURIs {
			if client.ID != usual.ID && strings.HasPrefix(uri, "https:") && !slices.Contains(usual.RedirectURIs, uri) {
				return uri
			}
		}
	}
	return ""
}

// otherQueries are URIs that differ from a registered one in the query alone.
func otherQueries(registered string) []namedURI {
	base, query, _ := strings.Cut(registered, "?")
	parameters := strings.Split(query, "&")
	name, _, _ := strings.Cut(parameters[0], "=")
	others := strings.Join(parameters[1:], "&")
	out := []namedURI{
		{"missing", base},
		{"other-value", base + "?" + strings.Trim(name+"=oauthcheck&"+others, "&")},
		{"repeated", registered + "&" + parameters[0]},
		{"extended", registered + "&oauthcheck=1"},
	}
	if len(parameters) > 1 {
		out = append(out, namedURI{"reordered", base + "?" + others + "&" + parameters[0]})
	}
	return out
}

type namedURI struct{ name, uri string }

// withQuery appends a parameter to a URI.
func withQuery(uri, query string) string {
	if strings.Contains(uri, "?") {
		return uri + "&" + query
	}
	return uri + "?" + query
}

// notSentTo judges that the browser does not go to a value that is no registered URI, nor to what it resolves to.
func notSentTo(as *target.AS, g Gomega, uri string) {
	a := as.Authorize(target.RedirectURI(uri))
	g.Expect(a).To(NotLeaveFor(uri))
	for _, step := range a.Steps { // the browser resolves it against the server's own origin, and does not leave that
		location := step.Header.Get("Location")
		if rest, ok := strings.CutPrefix(location, uri); ok && (rest == "" || rest[0] == '?' || rest[0] == '#') {
			g.Expect(step).NotTo(BeNil()) // the finding rests on this answer, not on what the browser did next
			as.Fail("the browser is redirected to %q", location)
		}
	}
	if base, err := url.Parse(as.Endpoint(target.AuthorizationEndpoint)); err == nil {
		if resolved, err := base.Parse(uri); err == nil {
			g.Expect(a).To(NotLeaveFor(resolved.String()))
		}
	}
}

// deliversNoCodeTo judges that a URI that was not registered gets no code. A redirect there without a code is the finding of
// the check of section 3.1.2.4.
func deliversNoCodeTo(as *target.AS, g Gomega, uri string, edits ...target.RequestEdit) {
	a := as.Authorize(append(edits, target.RedirectURI(uri))...)
	own := url.Values{}
	if u, err := url.Parse(uri); err == nil {
		own = u.Query()
	}
	codes := slices.DeleteFunc(slices.Clone(a.Params()["code"]), func(code string) bool { return slices.Contains(own["code"], code) })
	switch {
	case len(codes) == 0: // what looks like a code may be part of the URI that we sent
	case !a.SentTo(uri) && atRegistered(a):
		as.Note("a code was delivered, but to a registered URI: %s", DescribeAuthorization(a))
	default:
		g.Expect(a).NotTo(DeliverCode())
	}
}

// registeredWithoutURI judges what becomes of a client that registers for the code grant without redirection URIs.
func registeredWithoutURI(as *target.AS, g Gomega, method string) {
	r := as.Register(map[string]any{
		"client_name": "oauthcheck without redirection URI", "grant_types": []string{"authorization_code"},
		"response_types": []string{"code"}, "token_endpoint_auth_method": method,
	}, target.AnyStatus())
	id := r.String("client_id")
	if id == "" {
		return // the registration was refused
	}
	client := &target.Client{ID: id, Secret: r.String("client_secret"), RedirectURIs: []string{foreignURI}}
	g.Expect(as.Authorize(target.As(client), target.RedirectURI(foreignURI), target.NoControl())).To(NotLeaveFor(foreignURI))
}
