package target

import (
	"encoding/base64"
	"net/http"
)

// RequestEdit changes a request. Edits are applied in order to the complete baseline request, client authentication
// included. Those that speak of more than the one request (As, Scope, WithoutPKCE …) say so.
type RequestEdit func(*Request)

// Set gives a parameter one value; where it occurs more than once, one occurrence is left.
func Set(name, value string) RequestEdit {
	return func(r *Request) { r.set(Param{Name: name, Value: value}) }
}

// SetRaw sets a parameter to a value that is already encoded and is sent as it stands.
func SetRaw(name, encoded string) RequestEdit {
	return func(r *Request) { r.set(Param{Name: name, Value: encoded, Raw: name + "=" + encoded}) }
}

// Omit leaves out every parameter of that name.
func Omit(names ...string) RequestEdit { return func(r *Request) { r.omit(names...) } }

// Add appends a parameter, beside any of the same name.
func Add(name, value string) RequestEdit {
	return func(r *Request) { r.Params = append(r.Params, Param{Name: name, Value: value}) }
}

// Prepend puts a parameter before all others, beside any of the same name.
func Prepend(name, value string) RequestEdit {
	return func(r *Request) { r.Params = append([]Param{{Name: name, Value: value}}, r.Params...) }
}

// Repeat appends a parameter once more with the value that it has.
func Repeat(name string) RequestEdit {
	return func(r *Request) {
		if r.Has(name) {
			r.Params = append(r.Params, Param{Name: name, Value: r.Get(name)})
		}
	}
}

// Rename gives the parameters of one name another, keeping values and places.
func Rename(old, name string) RequestEdit {
	return func(r *Request) {
		for i := range r.Params {
			if r.Params[i].Name == old {
				r.Params[i].Name = name
				r.Params[i].Raw = ""
			}
		}
	}
}

// As makes another client send the request, with its own authentication method. In TokenBy, Token, Tokens, TokensBy, Code
// and Authorize it plays in the whole grant; in Redeem, Refresh and the like it sends that one request.
func As(client *Client) RequestEdit {
	return func(r *Request) {
		r.flow.client = client
		r.authenticate(client, "")
	}
}

// Auth authenticates the request's client by another method; NoClientAuth sends client_id alone.
func Auth(method AuthMethod) RequestEdit {
	return func(r *Request) { r.authenticate(r.client, method) }
}

// BasicCredentials sends Authorization: Basic with id and secret as they stand (not form-encoded before base64), and no
// client parameters in the body.
func BasicCredentials(id, secret string) RequestEdit {
	return func(r *Request) {
		r.unauthenticate()
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))
	}
}

// Header sets a header field in place of any of that name; an empty value removes it. "Host" is possible.
func Header(name, value string) RequestEdit {
	return func(r *Request) {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

// AddHeader adds a header field beside any of that name.
func AddHeader(name, value string) RequestEdit {
	return func(r *Request) { r.Header.Add(name, value) }
}

// Bearer sends Authorization: Bearer with the token.
func Bearer(token string) RequestEdit { return Header("Authorization", "Bearer "+token) }

// Method changes the request method. With GET and HEAD the parameters move to the query, with POST to the body; other
// methods leave them.
func Method(method string) RequestEdit {
	return func(r *Request) {
		r.Method = method
		switch method {
		case http.MethodGet, http.MethodHead:
			r.InQuery = true
		case http.MethodPost:
			r.InQuery = false
			if r.Media == "" {
				r.Media = FormMediaType
			}
		}
	}
}

// ParamsInQuery sends the parameters in the query, whatever the method.
func ParamsInQuery() RequestEdit { return func(r *Request) { r.InQuery = true } }

// QueryParam adds a parameter to the query, beside those that are in the body.
func QueryParam(name, value string) RequestEdit {
	return func(r *Request) { r.Query = append(r.Query, Param{Name: name, Value: value}) }
}

// MoveToQuery moves the parameters of these names from the body to the query.
func MoveToQuery(names ...string) RequestEdit {
	return func(r *Request) {
		for _, name := range names {
			for _, p := range r.Params {
				if p.Name == name {
					r.Query = append(r.Query, p)
				}
			}
		}
		r.omit(names...)
	}
}

// RawQuery sends this as the whole query, as it stands.
func RawQuery(query string) RequestEdit { return func(r *Request) { r.rawQuery = &query } }

// RawForm sends this as the whole body, as it stands.
func RawForm(body string) RequestEdit { return func(r *Request) { r.rawForm = &body } }

// JSONBody sends the parameters as a JSON object of strings.
func JSONBody() RequestEdit {
	return func(r *Request) { r.JSON, r.InQuery, r.Media = true, false, "application/json" }
}

// FormBody sends the parameters as a form (RFC 6749 appendix B), which is the usual way unless the target's dialect is JSON.
func FormBody() RequestEdit {
	return func(r *Request) { r.JSON, r.InQuery, r.Media = false, false, FormMediaType }
}

// ContentType changes the Content-Type of the body without changing the body; "" sends none.
func ContentType(media string) RequestEdit { return func(r *Request) { r.Media = media } }

// RedirectURI sets redirect_uri.
func RedirectURI(uri string) RequestEdit { return Set("redirect_uri", uri) }

// Deny makes the resource owner refuse consent.
func Deny() RequestEdit { return func(r *Request) { r.flow.deny = true } }

// DenyAtLogin makes the resource owner refuse on the login page already (a cancel button): the way to refuse at servers
// that ask for no consent.
func DenyAtLogin() RequestEdit {
	return func(r *Request) { r.flow.deny, r.flow.denyAtLogin = true, true }
}

// StopAtPage ends the walk at the first page: redirects within the server are followed, nobody enters anything.
func StopAtPage() RequestEdit { return func(r *Request) { r.flow.stopAtPage = true } }

// StopAtLogin ends the walk at the page that asks for the owner's credentials: Authorization.Page is that page.
func StopAtLogin() RequestEdit { return func(r *Request) { r.flow.stopAtLogin = true } }

// WithoutPKCE leaves out code_challenge, code_challenge_method and code_verifier, in every request of the grant.
func WithoutPKCE() RequestEdit {
	return func(r *Request) {
		r.flow.withoutPKCE = true
		r.omit("code_challenge", "code_challenge_method", "code_verifier")
	}
}

// Scope asks for a scope in the grant: in the authorization request, or in the token request where there is no other.
// Scope("") asks for none. To change the scope parameter of one particular request use Set.
func Scope(scope string) RequestEdit { return func(r *Request) { r.flow.scope = &scope } }

// ResponseType asks for another response type in the authorization request (RFC 6749 section 3.1.1). The request without
// the other edits is then the control. PKCE parameters are sent only where a code is asked for.
func ResponseType(value string) RequestEdit {
	return func(r *Request) {
		r.flow.responseType = value
		if r.Has("response_type") {
			r.set(Param{Name: "response_type", Value: value})
		}
	}
}

// AtAuthorization applies edits to the authorization request of a grant whose token request is being edited.
func AtAuthorization(edits ...RequestEdit) RequestEdit {
	return func(r *Request) { r.flow.authorize = append(r.flow.authorize, edits...) }
}

// NoControl sends without having made sure that the same request without the edits succeeds.
func NoControl() RequestEdit { return func(r *Request) { r.flow.noControl = true } }

// AnyStatus hands every outcome to the check: a 5xx, a 429, a broken connection (Response.Err), where otherwise the check
// would end inconclusive.
func AnyStatus() RequestEdit { return func(r *Request) { r.flow.anyStatus = true } }

// Edit changes the request in any way.
func Edit(change func(*Request)) RequestEdit {
	return func(r *Request) {
		if !r.scratch {
			change(r)
		}
	}
}
