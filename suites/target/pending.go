package target

import (
	"github.com/gavv/httpexpect/v2"
)

func (as *AS) cheapest(edits []RequestEdit) Grant { return ClientCredentials }

// TokenBy sends a token request of a grant: what the grant needs (a fresh code, refresh token, subject token) is fetched,
// the edits are applied to the complete request. With edits the grant without them must have succeeded in this run, else
// the check is inconclusive.
func (as *AS) TokenBy(grant Grant, edits ...RequestEdit) *Response { return nil }

// TokensBy is a successful issuance by a grant, else the check is inconclusive.
func (as *AS) TokensBy(grant Grant, edits ...RequestEdit) *Tokens { return nil }

// TokenRequest is the request that TokenBy would send, for Race.
func (as *AS) TokenRequest(grant Grant, edits ...RequestEdit) *Request { return nil }

// Code is a fresh authorization code, through a full authorization in a browser of its own; else the check is
// inconclusive. The edits change the authorization request.
func (as *AS) Code(edits ...RequestEdit) *Code { return nil }

// Redeem exchanges a code for tokens (RFC 6749 section 4.1.3). As(client) sends it by another client, which must then be
// able to redeem codes of its own.
func (as *AS) Redeem(code *Code, edits ...RequestEdit) *Response { return nil }

// RedeemRequest is the request that Redeem would send, for Race.
func (as *AS) RedeemRequest(code *Code, edits ...RequestEdit) *Request { return nil }

// TokensOf are the tokens of a successful response, else the check is inconclusive.
func (as *AS) TokensOf(resp *Response) *Tokens { return nil }

// Refreshable is a successful issuance that comes with a refresh token, else the check is skipped.
func (as *AS) Refreshable(edits ...RequestEdit) *Tokens { return nil }

// Refresh uses the refresh token of tokens (RFC 6749 section 6).
func (as *AS) Refresh(tokens *Tokens, edits ...RequestEdit) *Response { return nil }

// RefreshRequest is the request that Refresh would send, for Race.
func (as *AS) RefreshRequest(tokens *Tokens, edits ...RequestEdit) *Request { return nil }

// ControlAgain sends the unedited request of a grant once more, at the end of a series of negative probes; where it does
// not succeed the check is inconclusive.
func (as *AS) ControlAgain(grant Grant, edits ...RequestEdit) {}

// ExchangeToken sends a token exchange request (RFC 8693 section 2.1) with a fresh subject token of a kind that the target
// exchanges. It is TokenBy(TokenExchange, …).
func (as *AS) ExchangeToken(edits ...RequestEdit) *Response { return nil }

// Introspect asks the introspection endpoint about a token (RFC 7662 section 2.1) as introspection.client, else as the
// first confidential client.
func (as *AS) Introspect(token string, edits ...RequestEdit) *Response { return nil }

// Revoke sends a revocation request (RFC 7009 section 2.1) as the client that the tokens belong to.
func (as *AS) Revoke(tokens *Tokens, token string, edits ...RequestEdit) *Response { return nil }

// Resource asks the protected resource (resource.url, else userinfo) with a bearer token in the header; "" sends none.
func (as *AS) Resource(token string, edits ...RequestEdit) *Response { return nil }

// Userinfo asks the userinfo endpoint with a bearer token in the header; "" sends none.
func (as *AS) Userinfo(token string, edits ...RequestEdit) *Response { return nil }

// Register sends a client registration request (RFC 7591 section 3.1) with the metadata document.
func (as *AS) Register(document map[string]any, edits ...RequestEdit) *Response { return nil }

// Push sends the parameters of an authorization request to the pushed authorization request endpoint (RFC 9126 section 2.1).
func (as *AS) Push(edits ...RequestEdit) *Response { return nil }

// Alive reports whether an access token works, by the protected resource, else by introspection, and how that was found
// out. Where the target offers neither, the check is skipped.
func (as *AS) Alive(accessToken string) (alive bool, how string) { return false, "" }

// Device is the answer of the device authorization endpoint (RFC 8628 section 3.2).
type Device struct {
	DeviceCode, UserCode      string
	VerificationURI, Complete string
	Interval, ExpiresIn       int // seconds; the interval's default is 5
	Client                    *Client
	Response                  *Response
}

// DeviceAuthorization sends a device authorization request (RFC 8628 section 3.1).
func (as *AS) DeviceAuthorization(edits ...RequestEdit) *Response { return nil }

// Device is a fresh device code, else the check is inconclusive.
func (as *AS) Device(edits ...RequestEdit) *Device { return nil }

// Decide plays the resource owner at the verification page: approves, or with Deny() denies.
func (as *AS) Decide(d *Device, edits ...RequestEdit) *Authorization { return nil }

// Poll sends a token request with the device code (RFC 8628 section 3.4).
func (as *AS) Poll(d *Device, edits ...RequestEdit) *Response { return nil }

// Authorize plays the browser, with an empty cookie jar, from an authorization request through login and consent until it
// leaves the authorization server or stops at a page. With edits the request without them must have succeeded in this
// run, else the check is inconclusive.
func (as *AS) Authorize(edits ...RequestEdit) *Authorization { return nil }

// Implicit is Authorize with response_type=token (RFC 6749 section 4.2) by the client for the implicit grant.
func (as *AS) Implicit(edits ...RequestEdit) *Authorization { return nil }

// Browser is a browser with a cookie jar: a session at the authorization server. It is not safe for concurrent use.
type Browser struct{}

// NewBrowser opens a browser without cookies.
func (as *AS) NewBrowser() *Browser { return nil }

// Authorize is AS.Authorize in this browser.
func (b *Browser) Authorize(edits ...RequestEdit) *Authorization { return nil }

// Code is AS.Code in this browser.
func (b *Browser) Code(edits ...RequestEdit) *Code { return nil }

// Request shows what the browser gets for one request, its cookies sent along, without following anything.
func (b *Browser) Request(req *Request) *Response { return nil }

// Open plays the browser from any request, as Authorize does.
func (b *Browser) Open(req *Request) *Authorization { return nil }

// AuthorizationRequest is the request that Authorize would send.
func (as *AS) AuthorizationRequest(edits ...RequestEdit) *Request { return nil }

// NewRequest is a request without parameters, credentials or control.
func (as *AS) NewRequest(method, url string) *Request { return nil }

// Send sends a request. Redirects are not followed.
func (as *AS) Send(req *Request) *Response { return nil }

// Race sends n copies of a request at the same instant and returns the responses in no particular order of arrival. The
// connections are open and all of each request but its last byte is sent before the last bytes are released together.
func (as *AS) Race(n int, req *Request) []*Response { return nil }

// RaceAll is Race for different requests.
func (as *AS) RaceAll(requests ...*Request) []*Response { return nil }

// HTTPExpect judges a response with httpexpect; its failures end the body as Gomega's do.
func (as *AS) HTTPExpect(resp *Response) *httpexpect.Response { return nil }

// SignJWT makes a JWT with the client's key (key_file, or for SecretJWT its secret): header members are added to alg and
// kid. It serves private_key_jwt, client_secret_jwt and the JWT bearer grant (RFC 7523).
func (as *AS) SignJWT(client *Client, header, claims map[string]any) string { return "" }

// ClientAssertionClaims are the claims of a valid client assertion (RFC 7523 section 3), to be changed and signed.
func (as *AS) ClientAssertionClaims(client *Client) map[string]any { return nil }
