package mockprovider

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

//go:embed testkeys/*.pem
var testKeys embed.FS

// signingKey is a private key with its name in the JWKS.
type signingKey struct {
	id        string
	algorithm string // RS256, ES256
	key       crypto.Signer
}

// keySet are the provider's keys. The published ones are read when they are first needed: parsing an RSA key takes longer
// than the first answer should.
type keySet struct {
	once                       sync.Once
	rsa, ec, wrongRSA, wrongEC *signingKey
}

// sharedKeys are the test keys that are published with the source. They never change once they are read.
var sharedKeys keySet

func (k *keySet) load() {
	k.once.Do(func() {
		if k.rsa != nil {
			return
		}
		k.rsa = readKey("rsa", "RS256", "test-rsa-1")
		k.ec = readKey("ec", "ES256", "test-ec-1")
		k.wrongRSA = readKey("rsa-unpublished", "RS256", "test-rsa-1")
		k.wrongEC = readKey("ec-unpublished", "ES256", "test-ec-1")
	})
}

func readKey(name, algorithm, id string) *signingKey {
	block, _ := pem.Decode([]byte(testKey(name)))
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err) // likewise
	}
	return &signingKey{id, algorithm, parsed.(crypto.Signer)}
}

// newKeySet makes fresh keys.
func newKeySet() (*keySet, error) {
	k := new(keySet)
	for _, target := range []struct {
		key **signingKey
		id  string
	}{{&k.rsa, "rsa-1"}, {&k.wrongRSA, "rsa-1"}} {
		key, err := rsa.GenerateKey(crand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("mock provider: cannot make an RSA key: %w", err)
		}
		*target.key = &signingKey{target.id, "RS256", key}
	}
	for _, target := range []struct {
		key **signingKey
		id  string
	}{{&k.ec, "ec-1"}, {&k.wrongEC, "ec-1"}} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
		if err != nil {
			return nil, fmt.Errorf("mock provider: cannot make an EC key: %w", err)
		}
		*target.key = &signingKey{target.id, "ES256", key}
	}
	return k, nil
}

// public are the keys of the JWKS.
func (k *keySet) public() []*signingKey {
	k.load()
	return []*signingKey{k.rsa, k.ec}
}

func (k *keySet) forAlgorithm(algorithm string, wrong bool) *signingKey {
	k.load()
	switch {
	case algorithm == "ES256" && wrong:
		return k.wrongEC
	case algorithm == "ES256":
		return k.ec
	case wrong:
		return k.wrongRSA
	}
	return k.rsa
}

// jwk is the public half of a key (RFC 7517).
func (s *signingKey) jwk() object {
	o := object{{"kid", s.id}, {"use", "sig"}, {"alg", s.algorithm}}
	switch key := s.key.Public().(type) {
	case *rsa.PublicKey:
		e := []byte{byte(key.E >> 16), byte(key.E >> 8), byte(key.E)}
		for len(e) > 1 && e[0] == 0 {
			e = e[1:]
		}
		return append(object{{"kty", "RSA"}}, append(o, member{"n", encode64(key.N.Bytes())}, member{"e", encode64(e)})...)
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, x, y
		if err != nil {
			return o
		}
		size := (len(point) - 1) / 2
		return append(object{{"kty", "EC"}, {"crv", "P-256"}}, append(o, member{"x", encode64(point[1 : 1+size])}, member{"y", encode64(point[1+size:])})...)
	}
	return o
}

// privateMembers are what a JWKS must not have.
func (s *signingKey) privateMembers() object {
	switch key := s.key.(type) {
	case *rsa.PrivateKey:
		return object{{"d", encode64(key.D.Bytes())}, {"p", encode64(key.Primes[0].Bytes())}, {"q", encode64(key.Primes[1].Bytes())}}
	case *ecdsa.PrivateKey:
		d, err := key.Bytes()
		if err != nil {
			return nil
		}
		return object{{"d", encode64(d)}}
	}
	return nil
}

func encode64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jws signs claims as a JWS in compact form (RFC 7515). The steps KIND.header, KIND.claims and KIND.sign may change what is signed and how.
func (x *exchange) jws(kind, algorithm, typ string, claims object) string {
	how := signature{algorithm: algorithm}
	if len(x.program) != 0 {
		for _, o := range x.ops(kind + ".sign") {
			x.fired(o)
			how.change(o)
		}
	}
	key := x.p.keys.forAlgorithm(how.keyAlgorithm(), how.key == "wrong" || how.key == "unpublished")
	header := object{{"alg", how.algorithm}}
	if typ != "" {
		header = append(header, member{"typ", typ})
	}
	switch how.key {
	case "unpublished":
		header = append(header, member{"kid", key.id + "-unpublished"})
	case "hs256-secret", "none":
	default:
		header = append(header, member{"kid", key.id})
	}
	header = x.editObject(kind+".header", header)
	claims = x.editObject(kind+".claims", claims)
	input := encode64(header.encode()) + "." + encode64(claims.encode())
	return input + "." + how.sign(x, key, input)
}

func (x *exchange) editObject(step string, o object) object {
	o = x.p.shuffle.members(o)
	if len(x.program) == 0 {
		return o
	}
	for _, op := range x.ops(step) {
		x.fired(op)
		o = op.Members.edit(x, o)
	}
	return o
}

// signature is how a token is signed.
type signature struct {
	algorithm string // alg of the header
	key       string // "", wrong, unpublished, none, hs256-secret, hs256-public-key
	defect    string // "", empty, truncated, flipped
}

func (s *signature) change(o *op) {
	if o.Alg != "" {
		s.algorithm = o.Alg
	}
	if o.Signature != "" {
		s.defect = o.Signature
	}
	if o.Key != "" {
		s.key = o.Key
		switch o.Key {
		case "none":
			s.algorithm = "none"
		case "hs256-secret", "hs256-public-key":
			s.algorithm = "HS256"
		}
	}
}

func (s *signature) keyAlgorithm() string {
	if strings.HasPrefix(s.algorithm, "ES") {
		return "ES256"
	}
	return "RS256"
}

func (s *signature) sign(x *exchange, key *signingKey, input string) string {
	var raw []byte
	switch s.key {
	case "none":
		return ""
	case "hs256-secret":
		mac := hmac.New(sha256.New, []byte(x.variable("secret", nil)))
		mac.Write([]byte(input))
		raw = mac.Sum(nil)
	case "hs256-public-key":
		der, err := x509.MarshalPKIXPublicKey(key.key.Public())
		if err != nil {
			return ""
		}
		mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		mac.Write([]byte(input))
		raw = mac.Sum(nil)
	default:
		raw = key.sign([]byte(input))
	}
	switch s.defect {
	case "empty":
		return ""
	case "truncated":
		raw = raw[:len(raw)/2]
	case "flipped":
		raw[0] ^= 0x80
	}
	return encode64(raw)
}

// sign makes the signature of RS256 or ES256 (RFC 7518 section 3.3, 3.4).
func (s *signingKey) sign(input []byte) []byte {
	digest := sha256.Sum256(input)
	switch key := s.key.(type) {
	case *rsa.PrivateKey:
		signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		if err != nil {
			return nil
		}
		return signature
	case *ecdsa.PrivateKey:
		r, sig, err := ecdsa.Sign(crand.Reader, key, digest[:])
		if err != nil {
			return nil
		}
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		sig.FillBytes(out[32:])
		return out
	}
	return nil
}

// verify checks a JWS in compact form against the provider's published keys and returns its payload.
func (k *keySet) verify(compact string) ([]byte, error) {
	parsed, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return nil, fmt.Errorf("not a JWS signed with RS256 or ES256: %w", err)
	}
	for _, key := range k.public() {
		if payload, err := parsed.Verify(key.key.Public()); err == nil {
			return payload, nil
		}
	}
	return nil, fmt.Errorf("signature does not verify with a key of this provider")
}

// unverifiedClaims returns the payload of a JWS without any check.
func unverifiedClaims(compact string) ([]byte, bool) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	return payload, err == nil
}
