package target

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// jwtBearerAssertion is the client_assertion_type of RFC 7523 section 2.2.
const jwtBearerAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authenticate makes the request carry a client's authentication in place of the one that it carries. An authorization
// request identifies its client by client_id only.
func (r *Request) authenticate(client *Client, method AuthMethod) {
	if r.scratch {
		return
	}
	if client == nil {
		r.unauthenticate()
		r.client = nil
		return
	}
	method = cmp.Or(method, client.AuthOrDefault())
	if r.identifies {
		r.set(Param{Name: "client_id", Value: client.ID})
		r.client = client
		return
	}
	r.unauthenticate()
	r.client = client
	switch method {
	case Basic:
		id, secret := url.QueryEscape(client.ID), url.QueryEscape(client.Secret)
		if r.run.ways(client).rawBasic {
			id, secret = client.ID, client.Secret
		}
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))
	case Post:
		r.credential("client_id", client.ID)
		r.credential("client_secret", client.Secret)
	case PrivateKeyJWT, SecretJWT:
		assertion, err := r.run.sign(client, method, nil, r.run.assertionClaims(client))
		if err != nil {
			r.broken = fmt.Errorf("clients.%s: %w", client.Name, err)
			return
		}
		r.credential("client_id", client.ID)
		r.credential("client_assertion_type", jwtBearerAssertion)
		r.credential("client_assertion", assertion)
	default:
		r.credential("client_id", client.ID)
	}
}

// credential adds a parameter that client authentication owns.
func (r *Request) credential(name, value string) {
	r.omit(name)
	r.Params = append(r.Params, Param{Name: name, Value: value})
	r.authParams = append(r.authParams, name)
}

// unauthenticate takes every client authentication off the request.
func (r *Request) unauthenticate() {
	r.Header.Del("Authorization")
	if !r.identifies {
		r.omit(append(slices.Clone(r.authParams), "client_secret", "client_assertion", "client_assertion_type")...)
		r.authParams = nil
	}
}

// ways are the peculiarities of a client's authentication that a trial showed.
type ways struct {
	rawBasic       bool // the target does not form-decode the parts of Basic credentials (RFC 6749 section 2.3.1)
	issuerAudience bool // client assertions must name the issuer as their audience
}

func (run *Run) ways(client *Client) ways {
	run.mu.Lock()
	defer run.mu.Unlock()
	return run.clientWays[client]
}

func (run *Run) setWays(client *Client, w ways) {
	run.mu.Lock()
	defer run.mu.Unlock()
	run.clientWays[client] = w
}

// otherWays lists the ways in which a client's authentication could be tried when the usual one is refused.
func (run *Run) otherWays(client *Client) []ways {
	usual := run.ways(client)
	switch client.AuthOrDefault() {
	case Basic:
		if url.QueryEscape(client.ID) != client.ID || url.QueryEscape(client.Secret) != client.Secret {
			return []ways{{rawBasic: !usual.rawBasic}}
		}
	case PrivateKeyJWT, SecretJWT:
		if run.info.Issuer != "" && run.info.Issuer != run.info.Endpoints.Token {
			return []ways{{issuerAudience: !usual.issuerAudience}}
		}
	}
	return nil
}

// assertionClaims are the claims of a valid client assertion (RFC 7523 section 3).
func (run *Run) assertionClaims(client *Client) map[string]any {
	audience := cmp.Or(run.info.Endpoints.Token, run.info.Issuer)
	if run.ways(client).issuerAudience {
		audience = run.info.Issuer
	}
	now := run.now()
	return map[string]any{
		"iss": client.ID, "sub": client.ID, "aud": audience, "jti": run.unique(),
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}
}

// ClientAssertionClaims are the claims of a valid client assertion (RFC 7523 section 3), to be changed and signed.
func (as *AS) ClientAssertionClaims(client *Client) map[string]any {
	return as.run.assertionClaims(client)
}

// ClientAssertion authenticates the request's client with a JWT of these claims, signed by SignJWT.
func ClientAssertion(jwt string) RequestEdit {
	return func(r *Request) {
		r.unauthenticate()
		r.credential("client_assertion_type", jwtBearerAssertion)
		r.credential("client_assertion", jwt)
	}
}

// SignJWT makes a JWT with the client's key (key_file, or for SecretJWT its secret): header members are added to alg and
// kid. It serves private_key_jwt, client_secret_jwt and the JWT bearer grant (RFC 7523).
func (as *AS) SignJWT(client *Client, header, claims map[string]any) string {
	jwt, err := as.run.sign(client, client.AuthOrDefault(), header, claims)
	if err != nil {
		as.Inconclusive("clients.%s: %v", client.Name, err)
	}
	return jwt
}
