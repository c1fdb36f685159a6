package mockprovider

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// TrustedIssuer is a party whose signed statements the provider believes: assertions of the JWT bearer grant (RFC 7523
// section 2.1) and software statements (RFC 7591 section 2.3).
type TrustedIssuer struct {
	JWKS       any    `yaml:"jwks" json:"jwks,omitempty" doc:"JWK set with the public keys"`
	PrivateKey string `yaml:"private_key" json:"private_key,omitempty" doc:"private key (PEM, PKCS #8) in place of jwks: the provider verifies with its public half, and tells it to tests that sign"`
}

// assertionAlgorithms are those that clients may sign assertions with, the usual ones first.
func (s *Settings) assertionAlgorithms() []string {
	var found []string
	if slices.Contains(s.ClientAuthMethods, "private_key_jwt") {
		found = append(found, "RS256", "ES256")
		for _, algorithm := range algorithms {
			if !isMAC(algorithm) && !slices.Contains(found, algorithm) {
				found = append(found, algorithm)
			}
		}
	}
	if slices.Contains(s.ClientAuthMethods, "client_secret_jwt") {
		found = append(found, "HS256", "HS384", "HS512")
	}
	return found
}

// keyring are the public keys of a client or an issuer.
type keyring []jose.JSONWebKey

// newKeyring reads a JWK set or a private key; without either it is empty.
func newKeyring(jwks any, privateKey string) (keyring, error) {
	if privateKey != "" {
		block, _ := pem.Decode([]byte(privateKey))
		if block == nil {
			return nil, errors.New("private_key is not PEM")
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("private_key is no private key in PKCS #8 form: %w", err)
		}
		signer, ok := parsed.(crypto.Signer)
		if !ok {
			return nil, errors.New("private_key cannot sign")
		}
		return keyring{{Key: signer.Public()}}, nil
	}
	if jwks == nil {
		return nil, nil
	}
	data, ok := jwks.(string)
	if !ok {
		data = string(encodeValue(jwks))
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(data), &set); err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	if slices.ContainsFunc(set.Keys, func(k jose.JSONWebKey) bool { return !k.IsPublic() }) {
		return nil, errors.New("jwks has a private or symmetric key")
	}
	return keyring(set.Keys), nil
}

// keys are the client's public keys. What is wrong with them was said when they were configured or registered.
func (c *RegisteredClient) keys() keyring {
	keys, err := newKeyring(c.JWKS, c.PrivateKey)
	if err != nil {
		return nil
	}
	return keys
}

func (i TrustedIssuer) keys() keyring {
	keys, err := newKeyring(i.JWKS, i.PrivateKey)
	if err != nil {
		return nil
	}
	return keys
}

// named are the keys that a header with this key identifier may mean: all where it, or the key, has none.
func (k keyring) named(id string) []crypto.PublicKey {
	var out []crypto.PublicKey
	for _, key := range k {
		if id == "" || key.KeyID == "" || key.KeyID == id {
			out = append(out, key.Key)
		}
	}
	return out
}

// readyMadeIssuers are the issuers that the strict provider trusts: one that is no client, and a client that speaks for users. Their
// private keys are published.
func readyMadeIssuers() map[string]TrustedIssuer {
	return map[string]TrustedIssuer{"https://issuer.example": {PrivateKey: testKey("issuer")}, "jwt-app": {PrivateKey: testKey("client")}}
}

// testKey is a private key that is published with the source.
func testKey(name string) string {
	data, err := testKeys.ReadFile("testkeys/" + name + ".pem")
	if err != nil {
		panic(err) // embedded: cannot happen in a binary that was built
	}
	return string(data)
}
