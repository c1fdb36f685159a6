package target

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// foreignKeys are the tester's own: no server knows them.
var foreignKeys = sync.OnceValues(func() (map[string]crypto.Signer, error) {
	const bits = 2048
	rsaKey, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, err
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return map[string]crypto.Signer{string(jose.RS256): rsaKey, string(jose.ES256): ecKey}, err
})

// ForeignJWT is a JWT of the claims with a good signature by a key of the tester's own, which no server knows. The header's members
// are kept as far as the key allows (alg may change from ES384 to ES256, or from PS256 to RS256); embed adds the public key as jwk (RFC
// 7515 section 4.1.3).
func (as *AS) ForeignJWT(header, claims map[string]any, embed bool) string {
	keys, err := foreignKeys()
	if err != nil {
		as.Inconclusive("a key to sign with could not be made: %v", err)
	}
	algorithm := jose.RS256
	if alg, _ := header["alg"].(string); strings.HasPrefix(alg, "ES") {
		algorithm = jose.ES256
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	for name, value := range header {
		if name != "alg" {
			options.WithHeader(jose.HeaderKey(name), value)
		}
	}
	key := keys[string(algorithm)]
	if embed {
		options.WithHeader("jwk", jose.JSONWebKey{Key: key.Public()})
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		as.Inconclusive("a JWT could not be signed: %v", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		as.Inconclusive("the claims cannot be written as JSON: %v", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		as.Inconclusive("a JWT could not be signed: %v", err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		as.Inconclusive("a JWT could not be signed: %v", err)
	}
	return token
}
