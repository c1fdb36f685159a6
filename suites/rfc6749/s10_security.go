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
	suites.Section("RFC 6749", "10.1", func(s *suites.S) {
		s.Check("native-client-secret", suites.Requires("RFC6749-10.1-02"), suites.Needs(target.Registration),
			func(as *target.AS, g Gomega) {
				r := as.Register(map[string]any{
					"client_name": "oauthcheck native", "application_type": "native", "token_endpoint_auth_method": "none",
					"redirect_uris": []string{"http://127.0.0.1/cb"},
				}, target.AnyStatus())
				if r.String("client_secret") != "" {
					as.Note("a native application that registered for the method none was given a client_secret")
				}
			})
	})

	suites.Section("RFC 6749", "10.2", func(s *suites.S) {
		s.Check("public-client-not-approved-silently", suites.Requires("RFC6749-10.2-05"), suites.Needs(target.AuthorizationCode, target.PublicClient),
			func(as *target.AS, g Gomega) {
				public := as.Public()
				if len(public.RedirectURIs) == 0 || strings.HasPrefix(public.RedirectURIs[0], "https://") {
					as.Skip("clients.public.redirect_uris: [http://127.0.0.1/callback]", "a claimed https redirection URI is a measure of its own")
				}
				// A scope of its own, so that no other check has obtained consent for it before.
				var edits []target.RequestEdit
				if scopes := as.ScopesFor(target.AuthorizationCode); len(scopes) > 1 {
					edits = []target.RequestEdit{target.Scope(scopes[len(scopes)-1])}
				}
				edits = append(edits, target.As(public))
				browser := as.NewBrowser()
				first := browser.Authorize(edits...)
				if first.Code() == "" || !first.ConsentShown {
					as.Skip("", "the first request is not approved by a consent page")
				}
				// Some servers remember an approval by the token that came of it.
				as.Redeem(as.CodeOf(first), target.NoControl())
				if second := browser.Authorize(edits...); second.Code() != "" && !second.ConsentShown && !second.LoginShown {
					g.Expect(second).NotTo(DeliverCode(), "the second request of the same session was approved without any interaction")
				}
			})
	})

	suites.Section("RFC 6749", "10.3", func(s *suites.S) {
		s.Check("access-token-not-forgeable", suites.Requires("RFC6749-10.3-03"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				token := as.AliveTokens().AccessToken
				for _, forged := range target.Forgeries(token) {
					as.Variant(forged.Name, func(g Gomega) {
						if alive, how := as.Alive(forged.Token); alive {
							as.Fail("the forged token is taken: %s", how)
						}
					})
				}
			})
	})

	suites.Section("RFC 6749", "10.4", func(s *suites.S) {
		s.Check("public-refresh-token-replay-detected", suites.Requires("RFC6749-10.4-06"),
			suites.Needs(target.RefreshTokenGrant, target.PublicClient), suites.Destructive, suites.Disturbs(suites.Grant),
			func(as *target.AS, g Gomega) {
				first := as.TokensBy(target.AuthorizationCode, target.As(as.Public()))
				if first.RefreshToken == "" {
					as.Skip("", "the public client gets no refresh token")
				}
				second := as.TokensOf(as.Refresh(first, target.NoControl()))
				if second.RefreshToken != "" {
					as.Refresh(second, target.NoControl())
				}
				as.Wait(as.Timing().RotationGrace)
				g.Expect(as.Refresh(first, target.NoControl())).NotTo(IssueToken())
			})
	})

	suites.Section("RFC 6749", "10.5", func(s *suites.S) {
		s.Check("code-over-secure-channel", suites.Requires("RFC6749-10.5-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				probed := false
				for _, client := range as.Config().Clients.All() {
					for _, uri := range client.RedirectURIs {
						u, err := url.Parse(uri)
						if err != nil || u.Scheme != "http" || isLoopback(u.Hostname()) || !client.MayUse("authorization_code") {
							continue
						}
						probed = true
						as.Variant(uri, func(g Gomega) {
							g.Expect(as.Authorize(target.As(client), target.RedirectURI(uri), target.NoControl())).NotTo(DeliverCode())
						})
					}
				}
				if !probed {
					as.Skip("clients.primary.redirect_uris: [\"http://client.example/callback\"]",
						"every configured redirection URI is secure, so that nothing could go wrong")
				}
			})
	})

	suites.Section("RFC 6749", "10.9", func(s *suites.S) {
		s.Check("tls-certificate-valid", suites.Requires("RFC6749-10.9-01"), suites.Needs(target.TLS),
			func(as *target.AS, g Gomega) {
				for _, endpoint := range []target.Endpoint{target.AuthorizationEndpoint, target.TokenEndpoint} {
					as.Variant(string(endpoint), func(g Gomega) {
						if as.Config().TLS.InsecureSkipVerify {
							as.Skip("drop --insecure-skip-verify, or name the authority with --ca-file", "the verification of certificates is switched off")
						}
						if err := as.VerifyCertificate(endpoint); err != nil {
							as.Fail("the certificate is not trusted: %v", err)
						}
					})
				}
			})
	})

	suites.Section("RFC 6749", "10.10", func(s *suites.S) {
		s.Check("access-token-unpredictable", suites.Requires("RFC6749-10.10-02"), suites.Needs(target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				sample := as.AccessTokenSample()
				if len(sample) > 1 && !areJWTs(sample) && duplicates(sample) == len(sample)-1 && slices.Contains(sample, tokenOfAnotherClient(as)) {
					as.Fail("two clients were given the same access token")
				}
				unpredictable(as, sample, entropyMust)
			})

		s.Check("code-unpredictable", suites.Requires("RFC6749-10.10-03"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				if n := duplicates(as.CodeSample()); n > 0 {
					as.Fail("%d of %d codes came more than once", n, len(as.CodeSample()))
				}
				unpredictable(as, as.CodeSample(), entropyMust)
			})

		s.Check("refresh-token-unpredictable", suites.Requires("RFC6749-10.10-04"), suites.Needs(target.RefreshTokenGrant),
			func(as *target.AS, g Gomega) { unpredictable(as, as.RefreshTokenSample(), entropyMust) })

		s.Check("client-secret-unpredictable", suites.Requires("RFC6749-10.10-05"), suites.Needs(target.Registration), suites.Destructive,
			func(as *target.AS, g Gomega) {
				var secrets []string
				for range 20 {
					secret := registered(as).String("client_secret")
					if secret == "" {
						as.Skip("", "the registration gives no client_secret")
					}
					secrets = append(secrets, secret)
				}
				unpredictable(as, secrets, entropyMust)
			})

		s.Check("160-bits-of-entropy", suites.Requires("RFC6749-10.10-06"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				as.Variant("access-token", func(g Gomega) { unpredictable(as, as.AccessTokenSample(), entropyShould) })
				as.Variant("code", func(g Gomega) { unpredictable(as, as.CodeSample(), entropyShould) })
				if as.Has(target.RefreshTokenGrant) {
					as.Variant("refresh-token", func(g Gomega) { unpredictable(as, as.RefreshTokenSample(), entropyShould) })
				}
			})
	})

	suites.Section("RFC 6749", "10.11", func(s *suites.S) {
		s.Check("login-pages-tls", suites.Requires("RFC6749-10.11-02"), suites.Needs(target.AuthorizationCode, target.TLS),
			func(as *target.AS, g Gomega) {
				a := as.Authorize(target.NoControl())
				pages := make([]string, 0, len(a.Steps)+1)
				for _, step := range a.Steps {
					pages = append(pages, step.Exchange.Request.URL)
				}
				if a.Elsewhere() { // to a page to go on with
					pages = append(pages, a.Location)
				}
				for _, page := range pages {
					if u, err := url.Parse(page); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
						as.Fail("a page of the interaction is served over plain HTTP: %s", page)
					}
				}
			})
	})

	suites.Section("RFC 6749", "10.12", func(s *suites.S) {
		s.Check("consent-form-not-forgeable", suites.Requires("RFC6749-10.12-01"), suites.Needs(target.AuthorizationCode, target.UserConsent),
			func(as *target.AS, g Gomega) {
				// One request for all sessions, so that only what belongs to a session differs between their forms.
				request := as.AuthorizationRequest(target.StopAtConsent())
				victim, form := consentForm(as, request)
				if own := victim.Submit(form); own.Code() == "" {
					as.Inconclusive("the consent form itself delivers no code: %s", DescribeAuthorization(own))
				}
				as.Variant("form-without-its-secrets", func(g Gomega) {
					forged(as, func() (*target.Browser, *target.ConsentForm) {
						victim, form := consentForm(as, request)
						_, other := consentForm(as, request)
						if !form.Editable() {
							as.Inconclusive("the fields of the consent form cannot be told apart")
						}
						return victim, form.CommonWith(other)
					})
				})
				as.Variant("form-of-another-session", func(g Gomega) {
					victim, _ := consentForm(as, request)
					_, other := consentForm(as, request)
					if victim.SubmitFrom(attackerSite, other, false).Code() != "" {
						as.Note("the consent form of another session is taken; whether for the user of that session or of this one does not show with one user")
					}
				})
			})

		s.Check("explicit-consent", suites.Requires("RFC6749-10.12-02"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				browser := as.NewBrowser()
				first := browser.Authorize()
				if first.Code() == "" {
					as.Inconclusive("the first request of the session did not succeed: %s", DescribeAuthorization(first))
				}
				consentShown(as, first)
			})

		s.Check("consent-by-signed-in-browser", suites.Requires("RFC6749-10.12-02"), suites.Needs(target.AuthorizationCode, target.UserConsent),
			suites.Title("Only the browser in which the resource owner signed in can give the consent."),
			suites.Sends("begin an authorization request in a browser A and leave it at the login page; open that page by its URL in a browser B, "+
				"sign in there and stop at the consent page; send the approving form from A, with those of its values that A has seen and those "+
				"that all such forms have in common. Control: the form of a request with one browser delivers a code"),
			func(as *target.AS, g Gomega) {
				browser, other := consentForm(as, as.AuthorizationRequest(target.StopAtConsent()))
				if own := browser.Submit(other); own.Code() == "" {
					as.Inconclusive("the consent form itself delivers no code: %s", DescribeAuthorization(own))
				}
				attacker := as.NewBrowser()
				begun := attacker.Authorize(target.StopAtLogin())
				if begun.Page == nil || begun.Page.Request.Method != "GET" {
					as.Inconclusive("no login page is shown that has a URL: %s", DescribeAuthorization(begun))
				}
				joined := as.NewBrowser().Join(begun)
				switch {
				case joined.Code() != "":
					as.Inconclusive("no consent form is shown: %s", DescribeAuthorization(joined))
				case joined.Consent == nil || !joined.LoginShown:
					return // the request belongs to the browser that began it
				case !joined.Consent.Editable():
					as.Inconclusive("the fields of the consent form cannot be told apart")
				}
				if a := attacker.SubmitUnattended(joined.Consent.KnownTo(begun, other)); a.Code() != "" {
					as.Fail("a browser in which nobody signed in gives the consent, with what it saw before the owner signed in elsewhere: %s", DescribeAuthorization(a))
				}
			})
	})

	suites.Section("RFC 6749", "10.13", func(s *suites.S) {
		s.Check("pages-not-frameable", suites.Requires("RFC6749-10.13-01"), suites.Needs(target.AuthorizationCode),
			func(as *target.AS, g Gomega) {
				pages := 0
				for _, step := range as.Authorize().Steps {
					if step.Status == 200 && step.ContentType() == "text/html" {
						pages++
						g.Expect(step).To(ForbidFraming())
					}
				}
				if pages == 0 {
					as.Skip("login: {method: form}", "no page is shown during the authorization")
				}
			})
	})

	suites.Section("RFC 6749", "10.14", func(s *suites.S) {
		s.Check("reflected-input-inert", suites.Requires("RFC6749-10.14-01"), suites.Needs(target.AuthorizationCode), suites.Destructive,
			func(as *target.AS, g Gomega) {
				const markup = `"><oauthcheck>`
				for _, probe := range []struct {
					name string
					edit target.RequestEdit
				}{
					{"state", target.Set("state", as.State()+markup)},
					{"redirect-uri", target.RedirectURI("https://x.example/" + markup)},
					{"client-id", target.Set("client_id", markup)},
					{"line-break-in-state", target.Set("state", as.State()+"\r\nX-Oauthcheck:1")},
				} {
					as.Variant(probe.name, func(g Gomega) {
						for _, step := range as.Authorize(probe.edit, target.AnyStatus()).Steps {
							if step.Header.Get("X-Oauthcheck") != "" {
								as.Fail("the line break in state became a header of the response")
							}
							if step.HasElement("oauthcheck") {
								as.Fail("markup in %s became an element of the page (status %d)", probe.name, step.Status)
							}
						}
					})
				}
			})
	})
}

// tokenOfAnotherClient is an access token by the cheapest grant for another client than the usual one; "" if there is none.
func tokenOfAnotherClient(as *target.AS) string {
	grant := cheapest(as)
	usual := as.ClientFor(grant)
	for _, client := range as.Config().Clients.All() {
		if client.ID != usual.ID && client.Confidential() == usual.Confidential() && client.MayUse(grant.Type()) && (grant != target.AuthorizationCode || redirects(client)) {
			if token := as.TokenBy(grant, target.As(client), target.NoControl()).String("access_token"); token != "" {
				return token
			}
		}
	}
	return ""
}

// attackerSite is another site that makes the browser send a form.
const attackerSite = "https://attacker.example"

// consentForm plays a browser of its own from an authorization request up to the consent page.
func consentForm(as *target.AS, request *target.Request) (*target.Browser, *target.ConsentForm) {
	browser := as.NewBrowser()
	a := browser.Open(request.Clone())
	if a.Consent == nil {
		as.Inconclusive("no consent form is shown: %s", DescribeAuthorization(a))
	}
	return browser, a.Consent
}

// forged judges a form that another site makes the victim's browser send: first as a browser does, which keeps cookies with
// SameSite=Lax or Strict back, then with all of them.
func forged(as *target.AS, form func() (*target.Browser, *target.ConsentForm)) {
	victim, guess := form()
	if a := victim.SubmitFrom(attackerSite, guess, false); a.Code() != "" {
		as.Fail("the consent form is taken from another site, without what only its page knows: %s", DescribeAuthorization(a))
	}
	victim, guess = form()
	if victim.SubmitFrom(attackerSite, guess, true).Code() != "" {
		as.Note("only the SameSite attribute of the session cookie keeps another site from submitting the consent form")
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
