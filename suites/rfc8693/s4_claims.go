package rfc8693

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oauthcheck/oauthcheck/suites"
	. "github.com/oauthcheck/oauthcheck/suites/matchers"
	"github.com/oauthcheck/oauthcheck/suites/target"
	. "github.com/onsi/gomega"
)

func init() {
	delegates := suites.Needs(target.TokenExchange, target.Delegation, target.ClientCredentialsGrant)

	suites.Section("RFC 8693", "4.1", func(s *suites.S) {
		s.Check("act-object", suites.Requires("RFC8693-4.1-01"), delegates,
			func(as *target.AS, g Gomega) {
				act := delegated(as).act
				if _, ok := act.(map[string]any); !ok {
					as.Fail("act is %s; expected a JSON object", kind(act))
				}
			})

		s.Check("act-identifies-actor", suites.Requires("RFC8693-4.1-02"), delegates,
			func(as *target.AS, g Gomega) {
				d := delegated(as)
				act := object(as, "act", d.act)
				if len(act) == 0 {
					as.Fail("act is an empty object; expected what identifies the actor")
				}
				if d.subject == "" || d.actor == "" || d.subject == d.actor {
					return // nothing to compare
				}
				g.Expect(act["sub"]).NotTo(Equal(d.subject), "act.sub, with the subject %q and the actor %q", d.subject, d.actor)
				if act["sub"] != nil && act["sub"] != d.actor {
					as.Note("act.sub is %v, the actor token's sub is %q", act["sub"], d.actor)
				}
			})

		s.Check("act-identity-only", suites.Requires("RFC8693-4.1-03"), delegates,
			func(as *target.AS, g Gomega) {
				for act := object(as, "act", delegated(as).act); act != nil; act, _ = act["act"].(map[string]any) {
					identityOnly(as, g, "act", act)
				}
			})

		s.Check("act-chain-order", suites.Requires("RFC8693-4.1-04"), delegates, suites.Needs(target.SecondClient),
			func(as *target.AS, g Gomega) {
				one, two := as.ActorToken(), as.ActorToken(target.As(as.Second()))
				first := exchange(as, actor(one, target.AccessTokenType))
				second := as.TokenBy(target.TokenExchange, target.As(as.Second()), actor(two, target.AccessTokenType),
					subject(first.String("access_token"), first.String("issued_token_type")))
				if !first.IssuesToken() || !second.IssuesToken() {
					as.Inconclusive("the server does not delegate twice: %s, then %s", DescribeResponse(first), DescribeResponse(second))
				}
				old, current := partySub(as, one, as.ClientFor(target.TokenExchange)), partySub(as, two, as.Second())
				if old == current {
					as.Inconclusive("both actors have the sub %q: they cannot be told apart", old)
				}
				claims := visible(as, second.String("access_token"))
				if claims["act"] == nil {
					as.Skip("", "the token of the second exchange has no act")
				}
				if _, list := claims["act"].([]any); list {
					as.Fail("act is an array; expected an object with the current actor, and earlier ones inside")
				}
				act := object(as, "act", claims["act"])
				g.Expect(act["sub"]).NotTo(Equal(old), "act.sub after the delegation to %q", current)
				if act["sub"] != current {
					as.Note("act.sub is %v, the current actor's sub is %q", act["sub"], current)
				}
				if inner, ok := act["act"].(map[string]any); !ok || inner["sub"] != old {
					as.Note("the earlier actor %q is not inside of act", old)
				}
			})

		s.Check("introspection-act", suites.Requires("RFC8693-4.1-06"), delegates, suites.Needs(target.Introspection),
			func(as *target.AS, g Gomega) {
				token, claims := signed(as, delegation(as))
				r := as.Introspect(token)
				if r.Member("active") != true {
					as.Inconclusive("introspection does not call the token active")
				}
				sameParty(as, "act", claims["act"], r.Member("act"))
			})
	})

	suites.Section("RFC 8693", "4.2", func(s *suites.S) {
		s.Check("scope-claim-string", suites.Requires("RFC8693-4.2-01"), suites.Needs(target.TokenExchange),
			func(as *target.AS, g Gomega) {
				one, two := twoScopes(as)
				_, claims := signed(as, target.Set("scope", one+" "+two))
				if claims["scope"] == nil {
					as.Skip("", "the JWTs that the server issues have no scope claim")
				}
				if plain := target.JWTClaims(as.Tokens().AccessToken)["scope"]; plain != nil && !spaced(plain) {
					as.Inconclusive("the access tokens of other grants have the same defect, which other checks report")
				}
				if !spaced(claims["scope"]) {
					as.Fail("scope is %s; expected a string of values with single spaces between them", encoded(claims["scope"]))
				}
			})
	})

	suites.Section("RFC 8693", "4.3", func(s *suites.S) {
		s.Check("client-id-of-exchanging-client", suites.Requires("RFC8693-4.3-01"), suites.Needs(target.TokenExchange, target.SecondClient),
			func(as *target.AS, g Gomega) {
				client, other := as.ClientFor(target.TokenExchange), as.Second()
				if client == other {
					other = as.Primary()
				}
				token := as.SubjectTokens(target.As(other)).AccessToken
				r := exchange(as, subject(token, target.AccessTokenType))
				if !r.IssuesToken() {
					as.Skip("", "the token of another client is not exchanged: %s", DescribeResponse(r))
				}
				id := visible(as, r.String("access_token"))["client_id"]
				if id == nil {
					as.Skip("", "the issued token has no client_id that could be seen")
				}
				if plain := seen(as, token); plain["client_id"] != other.ID {
					as.Inconclusive("client_id of the subject token is not that of its client, which other checks report")
				}
				g.Expect(id).To(Equal(client.ID), "client_id of a token that %s got for a token of %s", client.ID, other.ID)
			})
	})

	suites.Section("RFC 8693", "4.4", func(s *suites.S) {
		s.Check("may-act-object", suites.Requires("RFC8693-4.4-01"), suites.Needs(target.OpenID, target.AnyTokenGrant),
			onMayAct(func(as *target.AS, g Gomega, mayAct any) {
				if _, ok := mayAct.(map[string]any); !ok {
					as.Fail("may_act is %s; expected a JSON object", kind(mayAct))
				}
			}))

		s.Check("may-act-identifies-party", suites.Requires("RFC8693-4.4-02"), suites.Needs(target.OpenID, target.AnyTokenGrant),
			onMayAct(func(as *target.AS, g Gomega, mayAct any) {
				if len(object(as, "may_act", mayAct)) == 0 {
					as.Fail("may_act is an empty object; expected what identifies a party")
				}
			}))

		s.Check("may-act-identity-only", suites.Requires("RFC8693-4.4-03"), suites.Needs(target.OpenID, target.AnyTokenGrant),
			onMayAct(func(as *target.AS, g Gomega, mayAct any) {
				identityOnly(as, g, "may_act", object(as, "may_act", mayAct))
			}))

		s.Check("may-act-respected", suites.Requires("RFC8693-4.4-04"), suites.Needs(target.TokenExchange, target.SecondClient, target.ClientCredentialsGrant),
			func(as *target.AS, g Gomega) {
				usual := as.TokenRequest(target.TokenExchange)
				mayAct := object(as, "may_act", visible(as, usual.Get("subject_token"))["may_act"])
				stranger := as.ActorToken(target.As(as.Second()))
				if mayAct["sub"] == nil || mayAct["sub"] == partySub(as, stranger, as.Second()) {
					as.Skip("", "there is no other party than the one that may act")
				}
				if works(as, actor(stranger, target.AccessTokenType)) {
					as.Note("may_act of the subject token names %v, and %s acts all the same", mayAct["sub"], as.Second().ID)
				}
			})

		s.Check("introspection-may-act", suites.Requires("RFC8693-4.4-05"), suites.Needs(target.Introspection, target.AnyTokenGrant),
			func(as *target.AS, g Gomega) {
				tokens := grantOfUser(as)
				r := as.Introspect(tokens.AccessToken)
				claim := cmpOr(target.JWTClaims(tokens.AccessToken)["may_act"], target.JWTClaims(tokens.IDToken)["may_act"])
				if r.Member("may_act") == nil || claim == nil {
					as.Skip("", "may_act is not both in a JWT and in introspection")
				}
				sameParty(as, "may_act", claim, r.Member("may_act"))
			})
	})
}

// composite is the product of a delegation: its act claim, and the sub of the subject and of the actor token, "" where they cannot be
// seen.
type composite struct {
	act            any
	claims         map[string]any
	subject, actor string
}

// delegated is a token from a delegation, else the check is inconclusive, or skipped where it has no act.
func delegated(as *target.AS) composite {
	edit := delegation(as)
	request := as.TokenRequest(target.TokenExchange, edit)
	r := as.Send(request)
	if !r.IssuesToken() {
		as.Inconclusive("the exchange with an actor token does not succeed: %s", DescribeResponse(r))
	}
	c := composite{claims: visible(as, r.String("access_token"))}
	if c.act = c.claims["act"]; c.act == nil {
		as.Skip("", "the token has no act: the server does not issue composite tokens")
	}
	c.subject, _ = seen(as, request.Get("subject_token"))["sub"].(string)
	c.actor, _ = seen(as, request.Get("actor_token"))["sub"].(string)
	return c
}

// partySub is the sub of a client's own token, else its identifier.
func partySub(as *target.AS, token string, client *target.Client) string {
	if sub, ok := seen(as, token)["sub"].(string); ok {
		return sub
	}
	return client.ID
}

// object is a claim that is an object; what is none leaves the check inconclusive, what is absent skips it.
func object(as *target.AS, name string, claim any) map[string]any {
	if claim == nil {
		as.Skip("", "there is no %s that could be seen", name)
	}
	members, ok := claim.(map[string]any)
	if !ok {
		as.Inconclusive("%s is no object, which another check reports", name)
	}
	return members
}

// identityOnly judges that a claim about a party has no claims about the token.
func identityOnly(as *target.AS, g Gomega, name string, members map[string]any) {
	for _, member := range []string{"exp", "nbf", "aud"} {
		g.Expect(slices.Sorted(maps.Keys(members))).NotTo(ContainElement(member), "members of %s", name)
	}
	for _, member := range []string{"iat", "jti"} {
		if members[member] != nil {
			as.Note("%s has a member %s, which says nothing of the party", name, member)
		}
	}
}

// sameParty judges a member of an introspection response against the claim of the same name in the JWT.
func sameParty(as *target.AS, name string, claim, member any) {
	if member == nil {
		return
	}
	if _, ok := claim.(map[string]any); !ok {
		as.Inconclusive("the JWT has no %s that is an object", name)
	}
	if got, want := encoded(member), encoded(claim); got != want {
		as.Fail("introspection shows %s %s, the JWT has %s; expected the same", name, got, want)
	}
}

// onMayAct judges the may_act claims of the user's tokens, wherever they can be seen; without any the check is skipped.
func onMayAct(judge func(*target.AS, Gomega, any)) suites.Body {
	return func(as *target.AS, g Gomega) {
		tokens := grantOfUser(as)
		found := map[string]any{"id-token": target.JWTClaims(tokens.IDToken)["may_act"], "access-token": seen(as, tokens.AccessToken)["may_act"]}
		maps.DeleteFunc(found, func(_ string, claim any) bool { return claim == nil })
		if len(found) == 0 {
			as.Skip("", "no token of the user has a may_act that could be seen")
		}
		for name, mayAct := range found {
			as.Variant(name, func(g Gomega) { judge(as, g, mayAct) })
		}
	}
}

// grantOfUser are tokens with a user behind them.
func grantOfUser(as *target.AS) *target.Tokens {
	for _, grant := range []target.Grant{target.Password, target.AuthorizationCode} {
		if slices.Contains(as.Grants(), grant) {
			return as.TokensBy(grant)
		}
	}
	as.Skip("user: {username: …, password: …}", "no grant has a user behind it")
	return nil
}

// spaced reports whether a scope claim is a string of values with single spaces between them.
func spaced(claim any) bool {
	scope, ok := claim.(string)
	return ok && !strings.Contains(scope, ",") && strings.Join(strings.Fields(scope), " ") == scope
}

// encoded is a claim as JSON.
func encoded(claim any) string {
	text, err := json.Marshal(claim)
	if err != nil {
		return fmt.Sprint(claim)
	}
	return string(text)
}

// kind names the JSON type of a claim.
func kind(claim any) string {
	switch claim.(type) {
	case string:
		return "a string"
	case []any:
		return "an array"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	}
	return "an object"
}

func cmpOr(claims ...any) any {
	for _, claim := range claims {
		if claim != nil {
			return claim
		}
	}
	return nil
}
