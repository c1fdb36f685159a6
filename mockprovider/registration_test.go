package mockprovider_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gavv/httpexpect/v2"
	"github.com/go-jose/go-jose/v4"
	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

type document = map[string]any

// webClient is a registration that the strict provider takes, with members changed.
func webClient(changes document) document {
	d := document{"client_name": "A client", "redirect_uris": []string{"https://new.example/cb"}}
	for name, value := range changes {
		if value == nil {
			delete(d, name)
			continue
		}
		d[name] = value
	}
	return d
}

func register(t *testing.T, p *mockprovider.Provider, d document) *httpexpect.Response {
	t.Helper()
	return expect(t, p).POST(p.Endpoint("registration")).WithJSON(d).Expect()
}

func TestRegistration(t *testing.T) {
	p := start(t)
	r := register(t, p, webClient(document{"x_unknown": 1, "client_name#de-DE": "Ein Client", "contacts": []string{"me@new.example"}, "scope": "read write"}))
	o := r.Status(201).JSON().Object()
	r.Header("Cache-Control").IsEqual("no-store")
	o.ContainsKey("client_id_issued_at").HasValue("client_secret_expires_at", 0).HasValue("token_endpoint_auth_method", "client_secret_basic")
	o.HasValue("grant_types", []string{"authorization_code"}).HasValue("response_types", []string{"code"}).HasValue("client_name#de-DE", "Ein Client")
	o.HasValue("redirect_uris", []string{"https://new.example/cb"}).HasValue("scope", "read write").NotContainsKey("x_unknown")
	id, secret := o.Value("client_id").String().Raw(), o.Value("client_secret").String().Raw()

	code := codeFor(t, p, id, "https://new.example/cb", url.Values{"scope": {"read"}})
	expect(t, p).POST(p.Endpoint("token")).WithBasicAuth(id, secret).WithFormField("grant_type", "authorization_code").WithFormField("code", code).
		WithFormField("redirect_uri", "https://new.example/cb").Expect().Status(200)

	uri, query, _ := strings.Cut(o.Value("registration_client_uri").String().Raw(), "?")
	token := o.Value("registration_access_token").String().Raw()
	expect(t, p).GET(uri).WithQueryString(query).WithHeader("Authorization", "Bearer "+token).Expect().Status(200).JSON().Object().HasValue("client_id", id)
	expect(t, p).DELETE(uri).WithQueryString(query).Expect().Status(401).Header("WWW-Authenticate").HasPrefix("Bearer")
	expect(t, p).DELETE(uri).WithQueryString(query).WithHeader("Authorization", "Bearer wrong").Expect().Status(401).JSON().Object().HasValue("error", "invalid_token")
	expect(t, p).DELETE(uri).WithQueryString(query).WithHeader("Authorization", "Bearer "+token).Expect().Status(204).NoContent()
	expect(t, p).GET(uri).WithQueryString(query).WithHeader("Authorization", "Bearer "+token).Expect().Status(401)
	expect(t, p).POST(p.Endpoint("token")).WithBasicAuth(id, secret).WithFormField("grant_type", "client_credentials").Expect().Status(401).
		JSON().Object().HasValue("error", "invalid_client")
}

// A client changes its registration (RFC 7592 section 2.2).
func TestRegistrationUpdate(t *testing.T) {
	p := start(t)
	o := register(t, p, webClient(document{"contacts": []string{"me@new.example"}})).Status(201).JSON().Object()
	id, secret, token := o.Value("client_id").String().Raw(), o.Value("client_secret").String().Raw(), o.Value("registration_access_token").String().Raw()
	uri, query, _ := strings.Cut(o.Value("registration_client_uri").String().Raw(), "?")
	put := func(bearer string, changes document) *httpexpect.Response {
		d := webClient(document{"client_id": id})
		for name, value := range changes {
			d[name] = value
		}
		return expect(t, p).PUT(uri).WithQueryString(query).WithHeader("Authorization", "Bearer "+bearer).WithJSON(d).Expect()
	}
	changed := put(token, document{"client_secret": secret, "redirect_uris": []string{"https://moved.example/cb"}, "client_name": "Moved"}).Status(200).JSON().Object()
	changed.HasValue("client_id", id).HasValue("client_secret", secret).HasValue("client_name", "Moved").HasValue("registration_access_token", token).
		HasValue("client_id_issued_at", o.Value("client_id_issued_at").Raw()).NotContainsKey("contacts") // what is left out is gone
	code := codeFor(t, p, id, "https://moved.example/cb", url.Values{"scope": {"read"}})
	expect(t, p).POST(p.Endpoint("token")).WithBasicAuth(id, secret).WithFormField("grant_type", "authorization_code").WithFormField("code", code).
		WithFormField("redirect_uri", "https://moved.example/cb").Expect().Status(200)
	expect(t, p).GET(p.Endpoint("authorize")).WithQueryObject(map[string]string{"client_id": id, "redirect_uri": "https://new.example/cb", "response_type": "code"}).Expect().Status(400)

	put("wrong", nil).Status(401)
	for name, change := range map[string]document{
		"another client": {"client_id": "web-app"}, "another secret": {"client_secret": "guessed"}, "a date of the server": {"client_id_issued_at": 1},
		"a token of the server": {"registration_access_token": token}, "an unknown grant": {"grant_types": []string{"magic"}},
	} {
		t.Run(name, func(t *testing.T) {
			put(token, change).Status(400).JSON().Object().HasValue("error", "invalid_client_metadata")
		})
	}
	put(token, document{"redirect_uris": []string{"/cb"}}).Status(400).JSON().Object().HasValue("error", "invalid_redirect_uri")
	put(token, document{"token_endpoint_auth_method": "none"}).Status(200).JSON().Object().NotContainsKey("client_secret")
	put(token, nil).Status(200).JSON().Object().ContainsKey("client_secret")
}

func TestRegistrationOfPublicClients(t *testing.T) {
	p := start(t)
	for _, d := range []document{{"token_endpoint_auth_method": "none"}, {"application_type": "native"}} {
		o := register(t, p, webClient(d)).Status(201).JSON().Object()
		o.NotContainsKey("client_secret").NotContainsKey("client_secret_expires_at").HasValue("token_endpoint_auth_method", "none")
	}
	service := register(t, p, document{"grant_types": []string{"client_credentials"}}).Status(201).JSON().Object()
	service.HasValue("response_types", []string{}).ContainsKey("client_secret")
	expect(t, p).POST(p.Endpoint("token")).WithBasicAuth(service.Value("client_id").String().Raw(), service.Value("client_secret").String().Raw()).
		WithFormField("grant_type", "client_credentials").Expect().Status(200)
}

func TestRegistrationRefuses(t *testing.T) {
	p := start(t)
	key := json.RawMessage(publicJWK(t, p, "issuer"))
	for name, test := range map[string]struct {
		change document
		error  string
	}{
		"no redirect_uris":       {document{"redirect_uris": nil}, "invalid_redirect_uri"},
		"empty redirect_uris":    {document{"redirect_uris": []string{}}, "invalid_redirect_uri"},
		"a string":               {document{"redirect_uris": "https://new.example/cb"}, "invalid_redirect_uri"},
		"not a URI":              {document{"redirect_uris": []string{"not a uri"}}, "invalid_redirect_uri"},
		"a number":               {document{"redirect_uris": []any{1}}, "invalid_redirect_uri"},
		"a fragment":             {document{"redirect_uris": []string{"https://new.example/cb#f"}}, "invalid_redirect_uri"},
		"plain http":             {document{"redirect_uris": []string{"http://new.example/cb"}}, "invalid_redirect_uri"},
		"javascript":             {document{"redirect_uris": []string{"javascript:alert(1)"}}, "invalid_redirect_uri"},
		"unknown method":         {document{"token_endpoint_auth_method": "no_such_method"}, "invalid_client_metadata"},
		"unknown grant":          {document{"grant_types": []string{"telepathy"}}, "invalid_client_metadata"},
		"unknown response type":  {document{"response_types": []string{"telepathy"}}, "invalid_client_metadata"},
		"inconsistent":           {document{"grant_types": []string{"client_credentials"}, "response_types": []string{"code"}}, "invalid_client_metadata"},
		"script as logo":         {document{"logo_uri": "javascript:alert(1)"}, "invalid_client_metadata"},
		"a number as name":       {document{"client_name": 1}, "invalid_client_metadata"},
		"two key sets":           {document{"jwks": document{"keys": []any{key}}, "jwks_uri": "https://new.example/jwks"}, "invalid_client_metadata"},
		"no key":                 {document{"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"},
		"symmetric key":          {document{"jwks": document{"keys": []any{document{"kty": "oct", "k": "c2VjcmV0"}}}}, "invalid_client_metadata"},
		"unknown scope":          {document{"scope": "read telepathy"}, "invalid_client_metadata"},
		"unverifiable statement": {document{"software_statement": "a.b."}, "invalid_software_statement"},
		"foreign statement":      {document{"software_statement": statement(t, p, document{"iss": "https://other.example"})}, "unapproved_software_statement"},
		"statement of nobody":    {document{"software_statement": statement(t, p, document{})}, "unapproved_software_statement"},
	} {
		t.Run(name, func(t *testing.T) {
			o := register(t, p, webClient(test.change)).Status(400).JSON().Object()
			o.HasValue("error", test.error).ContainsKey("error_description")
		})
	}
	for _, uri := range []string{"https://new.example/cb?x=1", "http://127.0.0.1:8080/cb", "http://localhost/cb", "com.example.app:/cb"} {
		register(t, p, webClient(document{"redirect_uris": []string{uri}})).Status(201).JSON().Object().HasValue("redirect_uris", []string{uri})
	}
	e := expect(t, p)
	e.GET(p.Endpoint("registration")).Expect().Status(405).Header("Allow").IsEqual("POST")
	e.POST(p.Endpoint("registration")).WithFormField("client_name", "x").Expect().Status(400).JSON().Object().HasValue("error", "invalid_client_metadata")
	e.POST(p.Endpoint("registration")).WithHeader("Content-Type", "application/json").WithText("{").Expect().Status(400).JSON().Object().HasValue("error", "invalid_client_metadata")
	e.POST(p.Endpoint("registration")).WithJSON([]string{}).Expect().Status(400).JSON().Object().HasValue("error", "invalid_client_metadata")
}

func TestRegistrationAccess(t *testing.T) {
	open := start(t)
	wrong := expect(t, open).POST(open.Endpoint("registration")).WithHeader("Authorization", "Bearer nonsense").WithJSON(webClient(nil)).Expect()
	wrong.Status(401).Header("WWW-Authenticate").Contains("invalid_token")

	p := start(t, mockprovider.WithSettings(document{"registration": document{"access": "token"}}))
	register(t, p, webClient(nil)).Status(401).Header("WWW-Authenticate").HasPrefix("Bearer").NotContains("error")
	expect(t, p).POST(p.Endpoint("registration")).WithHeader("Authorization", "Bearer "+p.Describe().InitialAccessToken).WithJSON(webClient(nil)).Expect().Status(201)

	off := start(t, mockprovider.WithSettings(document{"registration": document{"access": "off"}}))
	expect(t, off).GET(off.Describe().Endpoints["metadata"]).Expect().JSON().Object().NotContainsKey("registration_endpoint")
	expect(t, off).POST(off.Issuer() + "/register").Expect().Status(404)
}

func TestSoftwareStatement(t *testing.T) {
	for mode, want := range map[string]string{"": "Stated", "plain-wins": "A client", "ignored": "A client"} {
		var options []mockprovider.Option
		if mode != "" {
			options = append(options, mockprovider.WithDeviation(deviation(mode, op("registration.software_statement.claims", "mode", mode)), nil))
		}
		p := start(t, options...)
		signed := statement(t, p, document{"iss": "https://issuer.example", "client_name": "Stated", "software_id": "4711"})
		o := register(t, p, webClient(document{"software_statement": signed})).Status(201).JSON().Object().HasValue("client_name", want)
		if mode == "" {
			o.HasValue("software_statement", signed).HasValue("software_id", "4711")
		}
	}
	believing := start(t, mockprovider.WithDeviation(deviation("b", op("registration.software_statement.known", "skip", true)), nil))
	forged := statement(t, believing, document{"client_name": "Forged"})
	register(t, believing, webClient(document{"software_statement": forged})).Status(201).JSON().Object().HasValue("client_name", "Forged")
}

func TestConsentPageLinks(t *testing.T) {
	page := func(p *mockprovider.Provider, d document) (string, http.Header) {
		id := register(t, p, webClient(d)).Status(201).JSON().Object().Value("client_id").String().Raw()
		b := newBrowser(t, p)
		r := b.get(p.Endpoint("authorize") + "?" + url.Values{"response_type": {"code"}, "client_id": {id}, "scope": {"read"}}.Encode())
		b.signIn(r)
		consent := b.get(b.last)
		return bodyOf(t, consent), consent.Header
	}
	links := document{"client_uri": "https://new.example/info", "logo_uri": "https://new.example/logo.png", "tos_uri": "https://new.example/tos", "policy_uri": "https://new.example/privacy"}
	text, header := page(start(t), links)
	for _, want := range []string{`href="https://new.example/info"`, `src="https://new.example/logo.png"`, `href="https://new.example/tos"`, `href="https://new.example/privacy"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the consent page lacks %s", want)
		}
	}
	if !strings.Contains(header.Get("Content-Security-Policy"), "img-src") {
		t.Error("the logo is forbidden by", header.Get("Content-Security-Policy"))
	}
	if text, _ := page(start(t, mockprovider.WithDeviation(deviation("n", op("consent.links", "mode", "none")), nil)), links); strings.Contains(text, "new.example/info") || strings.Contains(text, "logo.png") {
		t.Error("links although there are to be none")
	}
	scripted := start(t, mockprovider.WithDeviation(deviation("s", op("registration.links", "skip", true), op("consent.links", "mode", "any-scheme")), nil))
	if text, _ := page(scripted, document{"policy_uri": "javascript:alert(1)"}); !strings.Contains(text, `href="javascript:alert`) {
		t.Error("the deviation shows no script link")
	}
}

func TestRegistrationDeviations(t *testing.T) {
	with := func(ops ...profiles.Op) *mockprovider.Provider {
		return start(t, mockprovider.WithDeviation(deviation("d", ops...), nil))
	}
	same := with(op("registration.client_id.generate", "mode", "same"))
	first := register(t, same, webClient(nil)).JSON().Object().Value("client_id").String().Raw()
	register(t, same, webClient(document{"client_name": "Another"})).JSON().Object().HasValue("client_id", first)

	secrets := with(op("registration.client_secret.issue", "when", document{"client_type": "public"}, "set", true))
	register(t, secrets, webClient(document{"application_type": "native"})).Status(201).JSON().Object().ContainsKey("client_secret")

	unknown := with(op("registration.unknown_metadata", "when", document{"unknown_parameter": true}, "always", true))
	register(t, unknown, webClient(document{"x_unknown": 1})).Status(400)
	register(t, unknown, webClient(nil)).Status(201)

	form := with(op("registration.content_type", "mode", "form-only"), op("registration.content_type", "mode", "form"))
	register(t, form, webClient(nil)).Status(400)
	expect(t, form).POST(form.Endpoint("registration")).WithFormField("redirect_uris", "https://new.example/cb").Expect().Status(201).
		JSON().Object().HasValue("redirect_uris", []string{"https://new.example/cb"})

	unregistered := with(op("registration.redirect_uris.required", "skip", true), op("authorize.redirect_uri.match", "mode", "none-registered"))
	id := register(t, unregistered, webClient(document{"redirect_uris": nil})).Status(201).JSON().Object().Value("client_id").String().Raw()
	codeFor(t, unregistered, id, "https://anywhere.example/cb", nil)
}

// signingKey is a published private key of the provider's description.
func signingKey(t *testing.T, p *mockprovider.Provider, of string) crypto.Signer {
	t.Helper()
	d := p.Describe()
	text := d.TrustedIssuers["https://issuer.example"].PrivateKey
	for _, c := range d.Clients {
		if c.ID == of {
			text = c.PrivateKey
		}
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatalf("no key of %s", of)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}

func publicJWK(t *testing.T, p *mockprovider.Provider, of string) []byte {
	t.Helper()
	data, err := json.Marshal(jose.JSONWebKey{Key: signingKey(t, p, of).Public()})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// signed is a JWT with these claims.
func signed(t *testing.T, key jose.SigningKey, claims document) string {
	t.Helper()
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// statement is a software statement with the key of the trusted issuer.
func statement(t *testing.T, p *mockprovider.Provider, claims document) string {
	return signed(t, jose.SigningKey{Algorithm: jose.ES256, Key: signingKey(t, p, "issuer")}, claims)
}
