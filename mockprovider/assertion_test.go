package mockprovider_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gavv/httpexpect/v2"
	"github.com/go-jose/go-jose/v4"
	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

const (
	jwtBearer   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	assertedJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// claimsFor are those of a good assertion of a client, with changes; nil leaves a claim out.
func claimsFor(p *mockprovider.Provider, client string, changes document) document {
	claims := document{"iss": client, "sub": client, "aud": p.Issuer(), "exp": time.Now().Add(time.Minute).Unix(), "jti": time.Now().String()}
	for name, value := range changes {
		if value == nil {
			delete(claims, name)
			continue
		}
		claims[name] = value
	}
	return claims
}

func ecKey(t *testing.T, p *mockprovider.Provider, of string) jose.SigningKey {
	return jose.SigningKey{Algorithm: jose.ES256, Key: signingKey(t, p, of)}
}

// asserted is a client_credentials request with a client assertion.
func asserted(t *testing.T, p *mockprovider.Provider, jwt string, more url.Values) *httpexpect.Response {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {assertedJWT}, "client_assertion": {jwt}}
	maps.Copy(form, more)
	return token(t, p, form)
}

// unsigned is a JWT with this header, these claims and this signature.
func unsigned(t *testing.T, header, claims document, signature string) string {
	t.Helper()
	encode := func(d document) string {
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	return encode(header) + "." + encode(claims) + "." + signature
}

// A client may sign with every algorithm that the metadata tell of, and each key goes with its own algorithms only.
func TestClientAssertionAlgorithms(t *testing.T) {
	const secret = "not-a-secret.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{"RSA": rsaKey}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		if keys[name], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	if _, keys["Ed25519"], err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{"RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA", "ES256": "P-256", "ES384": "P-384",
		"ES512": "P-521", "EdDSA": "Ed25519", "HS256": "secret", "HS384": "secret", "HS512": "secret"}
	var set jose.JSONWebKeySet
	for name, key := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: name})
	}
	p := start(t, mockprovider.WithClient(mockprovider.RegisteredClient{ID: "signer", JWKS: set}), mockprovider.Client("mac", secret))
	told := expect(t, p).GET(p.Endpoint("metadata")).Expect().JSON().Object().Value("token_endpoint_auth_signing_alg_values_supported").Array()
	told.Length().IsEqual(len(kinds))
	for algorithm, kind := range kinds {
		t.Run(algorithm, func(t *testing.T) {
			told.ContainsAll(algorithm)
			client, signing := "mac", jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: []byte(secret)}
			if kind != "secret" {
				client, signing.Key = "signer", jose.JSONWebKey{Key: keys[kind], KeyID: kind}
			}
			good := signed(t, signing, claimsFor(p, client, nil))
			granted(asserted(t, p, good, nil))
			parts := strings.Split(signed(t, signing, claimsFor(p, client, nil)), ".")
			raw, err := base64.RawURLEncoding.DecodeString(parts[2])
			if err != nil {
				t.Fatal(err)
			}
			raw[len(raw)-1] ^= 1
			refused(asserted(t, p, parts[0]+"."+parts[1]+"."+base64.RawURLEncoding.EncodeToString(raw), nil), 401, "invalid_client")
		})
	}
}

func TestClientAssertion(t *testing.T) {
	p := start(t)
	key := ecKey(t, p, "jwt-app")
	secret := jose.SigningKey{Algorithm: jose.HS256, Key: []byte("not-a-secret.secret-jwt-app.0123456789abcdef")}
	for name, jwt := range map[string]string{
		"issuer as audience":      signed(t, key, claimsFor(p, "jwt-app", document{"jti": "1"})),
		"token endpoint":          signed(t, key, claimsFor(p, "jwt-app", document{"jti": "2", "aud": p.Endpoint("token")})),
		"one of several":          signed(t, key, claimsFor(p, "jwt-app", document{"jti": "3", "aud": []string{"https://other.example", p.Issuer()}})),
		"without jti":             signed(t, key, claimsFor(p, "jwt-app", document{"jti": nil})),
		"signed with the secret":  signed(t, secret, claimsFor(p, "secret-jwt-app", document{"jti": "4"})),
		"iat and nbf in the past": signed(t, key, claimsFor(p, "jwt-app", document{"jti": "5", "iat": time.Now().Add(-time.Minute).Unix(), "nbf": time.Now().Add(-time.Minute).Unix()})),
	} {
		t.Run(name, func(t *testing.T) { granted(asserted(t, p, jwt, nil)) })
	}
	granted(asserted(t, p, signed(t, key, claimsFor(p, "jwt-app", nil)), url.Values{"client_id": {"jwt-app"}}))
	access := granted(asserted(t, p, signed(t, key, claimsFor(p, "jwt-app", nil)), nil)).Value("access_token").String().Raw()
	expect(t, p).POST(p.Endpoint("introspection")).WithForm(map[string]string{"token": access, "client_assertion_type": assertedJWT,
		"client_assertion": signed(t, key, claimsFor(p, "jwt-app", document{"aud": p.Endpoint("introspection")}))}).Expect().Status(200).JSON().Object().HasValue("active", true)
}

func TestClientAssertionRefused(t *testing.T) {
	p := start(t)
	key := ecKey(t, p, "jwt-app")
	sign := func(changes document) string { return signed(t, key, claimsFor(p, "jwt-app", changes)) }
	good := func() string { return sign(nil) }
	der, err := x509.MarshalPKIXPublicKey(signingKey(t, p, "jwt-app").Public())
	if err != nil {
		t.Fatal(err)
	}
	public := jose.SigningKey{Algorithm: jose.HS256, Key: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
	const sameKey = "signed by another key"
	type op = profiles.Op
	for name, test := range map[string]struct {
		jwt  string
		more url.Values
		code string
		by   []op // deviations under which it passes
	}{
		"no assertion":          {"", url.Values{"client_id": {"jwt-app"}}, "invalid_client", nil},
		"unknown type":          {good(), url.Values{"client_assertion_type": {"urn:x"}}, "invalid_client", []op{{At: "token.client_authentication.assertion.type", Args: document{"skip": true}}}},
		"two JWTs":              {good() + " " + good(), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.syntax", Args: document{"mode": "first-of-several"}}}},
		"no JWT":                {"nonsense", url.Values{"client_id": {"jwt-app"}}, "invalid_client", nil},
		"another client":        {good(), url.Values{"client_id": {"web-app"}}, "invalid_request", []op{{At: "token.client_authentication.client_id_match", Args: document{"skip": true}}}},
		"no iss":                {sign(document{"iss": nil}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.iss", Args: document{"skip": true}}}},
		"other iss":             {sign(document{"iss": "web-app"}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.iss", Args: document{"skip": true}}}},
		"no sub":                {sign(document{"sub": nil}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.sub", Args: document{"skip": true}}}},
		"other sub":             {sign(document{"sub": "web-app"}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.sub", Args: document{"skip": true}}}},
		"no aud":                {sign(document{"aud": nil}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.aud", Args: document{"mode": "missing"}}}},
		"other aud":             {sign(document{"aud": "https://other.example"}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.aud", Args: document{"skip": true}}}},
		"aud beside the server": {sign(document{"aud": p.Issuer() + "x"}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.aud", Args: document{"mode": "prefix"}}}},
		"no exp":                {sign(document{"exp": nil}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.exp", Args: document{"mode": "missing"}}}},
		"expired":               {sign(document{"exp": time.Now().Add(-time.Hour).Unix()}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.exp", Args: document{"mode": "expired"}}}},
		"exp as a string":       {sign(document{"exp": "99999999999"}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.syntax", Args: document{"mode": "string-numbers"}}}},
		"not yet":               {sign(document{"nbf": time.Now().Add(time.Hour).Unix()}), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.nbf", Args: document{"skip": true}}}},
		"another key":           {signed(t, ecKey(t, p, "issuer"), claimsFor(p, "jwt-app", document{"jti": sameKey})), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.signature", Args: document{"skip": true}}}},
		"no signature":          {unsigned(t, document{"alg": "none"}, claimsFor(p, "jwt-app", nil), ""), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.signature", Args: document{"mode": "alg-none"}}}},
		"public key as secret":  {signed(t, public, claimsFor(p, "jwt-app", nil)), nil, "invalid_client", []op{{At: "token.client_authentication.assertion.signature", Args: document{"mode": "hs256-public-key"}}}},
		"and a secret":          {good(), url.Values{"client_secret": {"made-up"}}, "invalid_request", []op{{At: "token.client_authentication.multiple", Args: document{"skip": true}}}},
		"public client":         {signed(t, key, claimsFor(p, "native-app", nil)), nil, "invalid_client", nil},
		"client with a secret":  {signed(t, key, claimsFor(p, "web-app", nil)), nil, "invalid_client", nil},
	} {
		t.Run(name, func(t *testing.T) {
			asserted(t, p, test.jwt, test.more).StatusRange(httpexpect.Status4xx).JSON().Object().HasValue("error", test.code).NotContainsKey("access_token")
			if test.by != nil {
				lax := start(t, mockprovider.WithDeviation(deviation("d", test.by...), nil))
				granted(asserted(t, lax, test.jwt, test.more))
			}
		})
	}
	critical := unsigned(t, document{"alg": "ES256", "crit": []string{"x"}}, claimsFor(p, "jwt-app", nil), strings.Repeat("A", 86))
	asserted(t, p, critical, nil).StatusRange(httpexpect.Status4xx).JSON().Object().HasValue("error", "invalid_client")
	basicToo := expect(t, p).POST(p.Endpoint("token")).WithBasicAuth("web-app", webSecret).WithForm(map[string]string{"grant_type": "client_credentials",
		"client_assertion_type": assertedJWT, "client_assertion": good()}).Expect()
	basicToo.Status(400).JSON().Object().HasValue("error", "invalid_request")
	token(t, p, url.Values{"grant_type": {"client_credentials"}, "client_id": {"jwt-app"}}).Status(401).JSON().Object().HasValue("error", "invalid_client")

	again := good()
	granted(asserted(t, p, again, nil))
	asserted(t, p, again, nil).Status(401).JSON().Object().HasValue("error", "invalid_client")
	replayed := start(t, mockprovider.WithDeviation(deviation("d", profiles.Op{At: "token.client_authentication.assertion.jti", Args: document{"skip": true}}), nil))
	granted(asserted(t, replayed, again, nil))
	granted(asserted(t, replayed, again, nil))
}

func TestJWTBearerGrant(t *testing.T) {
	p := start(t)
	grant := func(p *mockprovider.Provider, changes document, more url.Values) *httpexpect.Response {
		claims := claimsFor(p, "https://issuer.example", document{"sub": "alice"})
		for name, value := range changes {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		}
		form := url.Values{"grant_type": {jwtBearer}, "assertion": {signed(t, ecKey(t, p, "issuer"), claims)}, "client_id": {"jwt-app"}, "scope": {"read"},
			"client_assertion_type": {assertedJWT}, "client_assertion": {signed(t, ecKey(t, p, "jwt-app"), claimsFor(p, "jwt-app", nil))}}
		maps.Copy(form, more)
		return token(t, p, form)
	}
	o := granted(grant(p, nil, nil))
	o.HasValue("scope", "read").NotContainsKey("refresh_token")
	introspected(t, p, o.Value("access_token").String().Raw()).HasValue("username", "alice").HasValue("client_id", "jwt-app")
	granted(grant(p, document{"sub": "248289761001"}, nil))
	granted(grant(p, nil, url.Values{"assertion": {signed(t, ecKey(t, p, "jwt-app"), claimsFor(p, "jwt-app", document{"sub": "bob"}))}}))

	for name, test := range map[string]struct {
		changes document
		more    url.Values
		code    string
		by      profiles.Op
	}{
		"no assertion":   {nil, url.Values{"assertion": {""}}, "invalid_request", profiles.Op{}},
		"nonsense":       {nil, url.Values{"assertion": {"nonsense"}}, "invalid_grant", profiles.Op{}},
		"unknown issuer": {document{"iss": "https://other.example"}, nil, "invalid_grant", op("token.jwt_bearer.assertion.iss", "skip", true)},
		"no issuer":      {document{"iss": nil}, nil, "invalid_grant", op("token.jwt_bearer.assertion.iss", "skip", true)},
		"no subject":     {document{"sub": nil}, nil, "invalid_grant", op("token.jwt_bearer.assertion.sub", "skip", true)},
		"unknown user":   {document{"sub": "nobody"}, nil, "invalid_grant", op("token.jwt_bearer.assertion.sub", "skip", true)},
		"other audience": {document{"aud": "https://other.example"}, nil, "invalid_grant", op("token.jwt_bearer.assertion.aud", "skip", true)},
		"expired":        {document{"exp": time.Now().Add(-time.Hour).Unix()}, nil, "invalid_grant", op("token.jwt_bearer.assertion.exp", "skip", true)},
		"not yet":        {document{"nbf": time.Now().Add(time.Hour).Unix()}, nil, "invalid_grant", op("token.jwt_bearer.assertion.nbf", "skip", true)},
		"wrong key":      {document{"iss": "jwt-app"}, nil, "invalid_grant", op("token.jwt_bearer.assertion.signature", "skip", true)},
		"too much":       {nil, url.Values{"scope": {"read email"}}, "invalid_scope", op("token.scope.allowed", "skip", true)},
	} {
		t.Run(name, func(t *testing.T) {
			grant(p, test.changes, test.more).Status(400).JSON().Object().HasValue("error", test.code)
			if test.by.At != "" {
				granted(grant(start(t, mockprovider.WithDeviation(deviation("d", test.by), nil)), test.changes, test.more))
			}
		})
	}
	generous := start(t, mockprovider.WithDeviation(deviation("d", op("token.jwt_bearer.refresh_token", "set", true)), nil))
	granted(grant(generous, nil, nil)).ContainsKey("refresh_token")
	grant(p, nil, url.Values{"client_assertion": {"wrong"}}).Status(401).JSON().Object().HasValue("error", "invalid_client")
}

func TestRegisteredKey(t *testing.T) {
	p := start(t)
	d := document{"grant_types": []string{"client_credentials"}, "token_endpoint_auth_method": "private_key_jwt",
		"jwks": document{"keys": []any{json.RawMessage(publicJWK(t, p, "issuer"))}}}
	id := register(t, p, d).Status(201).JSON().Object().NotContainsKey("client_secret").Value("client_id").String().Raw()
	granted(asserted(t, p, signed(t, ecKey(t, p, "issuer"), claimsFor(p, id, nil)), nil))
	asserted(t, p, signed(t, ecKey(t, p, "jwt-app"), claimsFor(p, id, nil)), nil).Status(401)
}

// TestJWTBearerWithoutClient: who names no client is the client that issued the assertion, if it may use the grant.
func TestJWTBearerWithoutClient(t *testing.T) {
	p := mockprovider.New(t)
	for _, tt := range []struct {
		issuer, key string
		status      int
		code        string
	}{
		{"jwt-app", "jwt-app", 200, ""},
		{"jwt-app", "issuer", 400, "invalid_grant"},                 // signed by somebody else
		{"web-app", "jwt-app", 400, "unauthorized_client"},          // may not use the grant
		{"https://issuer.example", "issuer", 401, "invalid_client"}, // no client
	} {
		assertion := signed(t, ecKey(t, p, tt.key), claimsFor(p, tt.issuer, document{"sub": "alice"}))
		response := token(t, p, url.Values{"grant_type": {jwtBearer}, "assertion": {assertion}}).Status(tt.status).JSON().Object()
		if tt.code != "" {
			response.HasValue("error", tt.code)
		}
	}
}
