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

// signingAlgorithms are those that clients and issuers may sign with.
var signingAlgorithms = []string{"RS256", "ES256", "HS256"}

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

// verify checks a JWS in compact form and returns its payload. The key that the header names is tried, all where it names none.
func (k keyring) verify(compact string) ([]byte, error) {
	parsed, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return nil, fmt.Errorf("not a JWS signed with RS256 or ES256: %w", err)
	}
	id := parsed.Signatures[0].Header.KeyID
	for _, key := range k {
		if id != "" && key.KeyID != "" && key.KeyID != id {
			continue
		}
		if payload, err := parsed.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("the signature does not verify")
}

// readyMadeIssuers is the issuer that the strict provider trusts. Its private key is published.
func readyMadeIssuers() map[string]TrustedIssuer {
	return map[string]TrustedIssuer{"https://issuer.example": {PrivateKey: testKey("issuer")}}
}

// testKey is a private key that is published with the source.
func testKey(name string) string {
	data, err := testKeys.ReadFile("testkeys/" + name + ".pem")
	if err != nil {
		panic(err) // embedded: cannot happen in a binary that was built
	}
	return string(data)
}
