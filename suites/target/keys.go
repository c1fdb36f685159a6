package target

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"
)

// sign makes a compact JWS of the claims with the key of the client's authentication method.
func (run *Run) sign(client *Client, method AuthMethod, header, claims map[string]any) (string, error) {
	var key jose.SigningKey
	switch {
	case method == SecretJWT:
		key = jose.SigningKey{Algorithm: jose.HS256, Key: []byte(client.Secret)}
	case !client.hasKey():
		return "", errors.New("key_file is needed to sign JWTs")
	default:
		jwk, err := run.key(client)
		if err != nil {
			return "", fmt.Errorf("key_file: %w", err)
		}
		key = jose.SigningKey{Algorithm: jose.SignatureAlgorithm(jwk.Algorithm), Key: jwk}
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	jwt, err := jws.CompactSerialize()
	if err == nil {
		run.AddSecret("assertion", jwt)
	}
	return jwt, err
}

// key reads a client's private key once.
func (run *Run) key(client *Client) (*jose.JSONWebKey, error) {
	run.mu.Lock()
	defer run.mu.Unlock()
	if key := run.keys[client]; key != nil {
		return key, nil
	}
	data, where := client.Key, "key"
	if len(data) == 0 {
		var err error
		where = client.KeyFile
		if data, err = os.ReadFile(where); err != nil {
			return nil, err
		}
	}
	key, err := parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	run.keys[client] = key
	return key, nil
}

// parseKey reads a private key in PEM (PKCS #8, PKCS #1, SEC 1), as a JWK or as the first key of a JWK set.
func parseKey(data []byte) (*jose.JSONWebKey, error) {
	key := &jose.JSONWebKey{}
	if block, _ := pem.Decode(data); block != nil {
		var err error
		if key.Key, err = x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
			if key.Key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
				if key.Key, err = x509.ParseECPrivateKey(block.Bytes); err != nil {
					return nil, errors.New("the PEM block is no private key in PKCS #8, PKCS #1 or SEC 1 form")
				}
			}
		}
	} else {
		var set jose.JSONWebKeySet
		if json.Unmarshal(data, &set) == nil && len(set.Keys) > 0 {
			*key = set.Keys[0]
		} else if err := json.Unmarshal(data, key); err != nil {
			return nil, fmt.Errorf("neither PEM nor a JWK: %w", err)
		}
	}
	if key.IsPublic() {
		return nil, errors.New("the key is public; the private one is needed")
	}
	if key.Algorithm == "" {
		key.Algorithm = algorithmOf(key.Key)
	}
	if key.Algorithm == "" {
		return nil, fmt.Errorf("keys of type %T are not supported", key.Key)
	}
	return key, nil
}

func algorithmOf(key any) string {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return string(jose.RS256)
	case *ecdsa.PrivateKey:
		return map[int]string{256: string(jose.ES256), 384: string(jose.ES384), 521: string(jose.ES512)}[key.Curve.Params().BitSize]
	case ed25519.PrivateKey:
		return string(jose.EdDSA)
	}
	return ""
}
