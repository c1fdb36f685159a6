package mockprovider

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

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
		return append(object{{"kty", "EC"}, {"crv", key.Curve.Params().Name}}, append(o, member{"x", encode64(point[1 : 1+size])}, member{"y", encode64(point[1+size:])})...)
	case ed25519.PublicKey:
		return append(object{{"kty", "OKP"}, {"crv", "Ed25519"}}, append(o, member{"x", encode64(key)})...)
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
	case ed25519.PrivateKey:
		return object{{"d", encode64(key.Seed())}}
	}
	return nil
}

func encode64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jws signs claims as a JWS in compact form (RFC 7515). The steps KIND.header, KIND.claims and KIND.sign may change what is signed and how.
// HS256 and its kin need the client's secret; for a client without one RS256 stands in (OpenID Connect Core section 10.1).
func (x *exchange) jws(kind, algorithm, typ string, claims object) string {
	how := signature{algorithm: algorithm}
	if strings.HasPrefix(algorithm, "HS") {
		switch how.key = "hs256-secret"; {
		case kind != "id_token": // for the provider and its resource servers, not for the client
			how.key = sharedKey
		case x.variable("secret", nil) == "":
			how = signature{algorithm: "RS256"}
		}
	}
	if len(x.program) != 0 {
		for _, o := range x.ops(kind + ".sign") {
			x.fired(o)
			how.change(o)
		}
	}
	named := how.keyAlgorithm() // the algorithm whose key the kid names
	if how.key == "mismatched" {
		how.algorithm = "ES256"
		if named == how.algorithm {
			how.algorithm = "RS256"
		}
	}
	key, err := x.p.keys.forAlgorithm(how.keyAlgorithm(), how.key == "wrong" || how.key == "unpublished")
	if err != nil {
		return ""
	}
	header := append(make(object, 0, 3), member{"alg", how.algorithm})
	if typ != "" {
		header = append(header, member{"typ", typ})
	}
	switch how.key {
	case "unpublished":
		header = append(header, member{"kid", key.id + "-unpublished"})
	case "hs256-secret", sharedKey, "none":
	case "mismatched":
		if other, err := x.p.keys.forAlgorithm(named, false); err == nil {
			header = append(header, member{"kid", other.id})
		}
	default:
		header = append(header, member{"kid", key.id})
	}
	header = x.editObject(kind+".header", header)
	claims = x.editObject(kind+".claims", claims)
	buffer := scratch.Get().(*[]byte)
	defer scratch.Put(buffer)
	b := x.appendJSON((*buffer)[:0], header)
	endOfHeader := len(b)
	b = x.appendJSON(b, claims)
	endOfClaims := len(b)
	b = append(base64.RawURLEncoding.AppendEncode(b, b[:endOfHeader]), '.')
	b = base64.RawURLEncoding.AppendEncode(b, b[endOfHeader:endOfClaims])
	signed := how.sign(x, key, b[endOfClaims:])
	b = base64.RawURLEncoding.AppendEncode(append(b, '.'), signed)
	*buffer = b
	return string(b[endOfClaims:])
}

// scratch are buffers in which tokens are put together. A token is kept for long and is to take no more room than it needs.
var scratch = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

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
	key       string // "", wrong, unpublished, none, hs256-secret, hs256-public-key, mismatched
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

// keyAlgorithm is the algorithm whose key is used: that of the header where it needs one.
func (s *signature) keyAlgorithm() string {
	for _, known := range algorithms {
		if s.algorithm == known && known[0] != 'H' {
			return known
		}
	}
	return "RS256"
}

// sharedKey says that a token is signed with sharedSecret, which is as public as the keys.
const (
	sharedKey    = "shared"
	sharedSecret = "not-a-secret.hs256.0123456789abcdef0123456789abcdef"
)

func (s *signature) sign(x *exchange, key *signingKey, input []byte) []byte {
	var raw []byte
	switch s.key {
	case "none":
		return nil
	case "hs256-secret":
		raw = s.mac([]byte(x.variable("secret", nil)), input)
	case "hs256-public-key":
		der, err := x509.MarshalPKIXPublicKey(key.key.Public())
		if err != nil {
			return nil
		}
		raw = s.mac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), input)
	case sharedKey:
		raw = s.mac([]byte(sharedSecret), input)
	default:
		raw = key.sign(input)
	}
	switch s.defect {
	case "empty":
		return nil
	case "truncated":
		raw = raw[:len(raw)/2]
	case "flipped":
		raw[0] ^= 0x80
	}
	return raw
}

// mac is the signature of HS256, HS384 and HS512 (RFC 7518 section 3.2).
func (s *signature) mac(secret, input []byte) []byte {
	_, newHash := hashOf(s.algorithm)
	mac := hmac.New(newHash, secret)
	mac.Write(input)
	return mac.Sum(nil)
}

// hashOf is the hash function of an algorithm: that of its number, SHA-512 for Ed25519.
func hashOf(algorithm string) (crypto.Hash, func() hash.Hash) {
	switch {
	case strings.HasSuffix(algorithm, "384"):
		return crypto.SHA384, sha512.New384
	case strings.HasSuffix(algorithm, "512"), algorithm == "EdDSA":
		return crypto.SHA512, sha512.New
	}
	return crypto.SHA256, sha256.New
}

func digestOf(id crypto.Hash, input []byte) []byte {
	switch id {
	case crypto.SHA384:
		sum := sha512.Sum384(input)
		return sum[:]
	case crypto.SHA512:
		sum := sha512.Sum512(input)
		return sum[:]
	}
	sum := sha256.Sum256(input)
	return sum[:]
}

// sign makes the signature (RFC 7518 section 3.3 to 3.5, RFC 8037 section 3.1).
func (s *signingKey) sign(input []byte) []byte {
	id, _ := hashOf(s.algorithm)
	digest := digestOf(id, input)
	switch key := s.key.(type) {
	case ed25519.PrivateKey:
		return ed25519.Sign(key, input)
	case *rsa.PrivateKey:
		var signature []byte
		var err error
		if s.algorithm[0] == 'P' {
			signature, err = rsa.SignPSS(crand.Reader, key, id, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			signature, err = rsa.SignPKCS1v15(nil, key, id, digest)
		}
		if err != nil {
			return nil
		}
		return signature
	case *ecdsa.PrivateKey:
		r, sig, err := ecdsa.Sign(crand.Reader, key, digest)
		if err != nil {
			return nil
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		sig.FillBytes(out[size:])
		return out
	}
	return nil
}

// verify checks a JWS in compact form against the provider's published keys, or the client's secret, and returns its payload.
func (k *keySet) verify(compact, secret string) ([]byte, error) {
	var known []jose.SignatureAlgorithm
	for _, a := range algorithms {
		known = append(known, jose.SignatureAlgorithm(a))
	}
	parsed, err := jose.ParseSignedCompact(compact, known)
	if err != nil {
		return nil, fmt.Errorf("not a signed JWS: %w", err)
	}
	if strings.HasPrefix(parsed.Signatures[0].Header.Algorithm, "HS") {
		input, given := compact[:strings.LastIndexByte(compact, '.')], parsed.Signatures[0].Signature
		s := signature{algorithm: parsed.Signatures[0].Header.Algorithm}
		if secret == "" || !hmac.Equal(given, s.mac([]byte(secret), []byte(input))) {
			return nil, errors.New("not signed with the client's secret")
		}
		return parsed.UnsafePayloadWithoutVerification(), nil
	}
	keys, err := k.public()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if payload, err := parsed.Verify(key.key.Public()); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("signature does not verify with a key of this provider")
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
