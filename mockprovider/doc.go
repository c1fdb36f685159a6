// Package mockprovider is a fake OAuth 2.0 authorization server for tests. It conforms strictly by default (RFC 6749,
// 6750, 7009, 7523, 7591, 7592, 7636, 7662, 8252, 8414, 8628, 8693, 9068, 9207 and the usual parts of OpenID Connect Core), and can be
// told to misbehave in named ways.
//
//	idp := mockprovider.New(t, mockprovider.Client("shop", "shop-secret", "https://shop.example/callback"))
//	config.Issuer = idp.Issuer()                      // a free loopback port, closed with the test
//	callback := idp.Approve(t, authorizeURL, "alice") // a login without a browser
//
// Clients and users are ready-made, too (Describe tells them); options add some of your own.
//
// # What a test does with it
//
//   - Start: [New] in a test, [Start] without one, [NewHandler] without a socket; [Profile] for the likeness of a vendor, [ConfigFile]
//     for everything in YAML.
//   - Log in: [Provider.Approve] and [Provider.Deny] play the browser and the user, [Provider.ApproveDevice] the user of a device;
//     [Provider.Mint] makes tokens without any flow; [AutoLogin] leaves the pages out; without it they are there for browser tests.
//   - Say what tokens say: [User], [Provider.SetClaims], [Provider.SetClaimsFunc], [Provider.NextToken], [JWTAccessTokens], [SignWith].
//   - Order errors: [Provider.Next] for the next requests at an endpoint, [Provider.On] for those that a [Match] chooses, with answers such as
//     [Error], [Respond], [Members], [Delay], [Reset], [Truncate] and [Misbehave].
//   - Order misbehaviour by name: [Deviations] from the start, [Provider.Deviate] from now on, [Provider.Conform] for its end. The names are listed
//     by `oauthcheck list deviations` and `oauthcheck list faults`.
//   - Let time pass: [Provider.Clock]. Change keys: [Provider.RotateKeys]. Revoke: [Provider.Revoke].
//   - Look at what came: [Provider.Requests] with helpers to choose, count and wait; a test that fails prints them, without secrets.
//   - Make races come out the same way: [Provider.Hold], [Provider.Latch].
//   - Run beside other tests: any number of providers in one process, or [Provider.Namespace] for several under one address.
//
// It is a test double: it keeps everything in memory, its keys are published with its source, and it refuses to listen on
// an address that others can reach unless it is told to ([AllowRemote]). Nothing is random unless asked for, but codes and tokens, which
// [Seed] makes repeatable.
//
// # How it is built
//
// A request becomes an exchange (exchange.go), which goes through named steps. The steps are a table (steps.go): checks that
// the strict server makes (guards), values that it chooses, answers that it gives, claims that it signs. A deviation is data:
// operations on steps, compiled once (compile.go) and looked up where the step is taken (engine.go), so that the code of an
// endpoint reads like the text of its RFC and nothing else:
//
//	x.guard("token.method", func() *oauthError { … })
//
// Start reading at authorize.go and token.go.
package mockprovider
