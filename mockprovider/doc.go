// Package mockprovider is a fake OAuth 2.0 authorization server for tests. It conforms strictly by default (RFC 6749,
// 6750, 7009, 7636, 7662, 8252, 8414, 9068, 9207 and the usual parts of OpenID Connect Core), and can be told to misbehave
// in named ways.
//
//	idp := mockprovider.New(t)                                  // on a free loopback port, closed with the test
//	idp := mockprovider.New(t, mockprovider.Deviations("code-replay-accepted"))
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
//
// It is a test double: it keeps everything in memory, its keys are published with its source, and it refuses to listen on
// an address that others can reach unless it is told to (AllowRemote).
package mockprovider
