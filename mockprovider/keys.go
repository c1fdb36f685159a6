package mockprovider

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/sha3"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

//go:embed testkeys/*.pem
var testKeys embed.FS

// algorithms are those of RFC 7518 section 3.1 and RFC 8037 that tokens can be signed with.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"}

// signingKey is a private key with its name in the JWKS.
type signingKey struct {
	id        string
	algorithm string // RS256, ES256 …
	key       crypto.Signer
}

// maxGenerations bounds how many generations of keys are published.
const maxGenerations = 8

// keySet are the keys of a provider. A rotation adds a generation; older ones stay published until they are retired. Keys are made
// when they are first needed: even to parse an RSA key takes longer than the first answer should.
type keySet struct {
	published []string // algorithms whose keys the JWKS has
	fresh     bool     // really new keys, not those that are published with the source
	next      func() int

	mu          sync.Mutex
	generations atomic.Pointer[[]*generation] // the current one first; replaced, never changed
}

// generation is one set of keys.
type generation struct {
	number int // 0 for the first of a process; also what test keys are derived from
	fresh  bool

	mu   sync.Mutex
	keys map[string]*signingKey // by algorithm; "wrong " before it for the key that is not published
}

// newKeySet makes a set with one generation. next numbers the generations of all sets of a server, so that their keys differ.
func newKeySet(fresh bool, next func() int, inUse ...string) *keySet {
	k := &keySet{published: []string{"RS256", "ES256"}, fresh: fresh, next: next}
	for _, algorithm := range inUse {
		if !slices.Contains(k.published, algorithm) && !strings.HasPrefix(algorithm, "HS") {
			k.published = append(k.published, algorithm)
		}
	}
	k.generations.Store(&[]*generation{{number: next(), fresh: fresh}})
	return k
}

// RotateKeys signs with new keys from now on; the old ones stay in the JWKS until RetireKeys. At most eight generations stay. The kid is always a
// new one; RSA keys repeat after a dozen rotations and namespaces, unless the provider has FreshKeys.
func (p *Provider) RotateKeys() {
	k := p.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	next := append([]*generation{{number: k.next(), fresh: k.fresh}}, *k.generations.Load()...)
	next = next[:min(len(next), maxGenerations)]
	k.generations.Store(&next)
}

// RetireKeys takes the keys from before the last RotateKeys out of the JWKS.
func (p *Provider) RetireKeys() {
	k := p.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	current := (*k.generations.Load())[:1]
	k.generations.Store(&current)
}

// public are the keys of the JWKS, the current ones first.
func (k *keySet) public() ([]*signingKey, error) {
	var list []*signingKey
	for _, g := range *k.generations.Load() {
		for _, algorithm := range k.published {
			key, err := g.key(algorithm, false)
			if err != nil {
				return nil, err
			}
			list = append(list, key)
		}
	}
	return list, nil
}

// forAlgorithm is the current key of an algorithm; a wrong one is not in the JWKS.
func (k *keySet) forAlgorithm(algorithm string, wrong bool) (*signingKey, error) {
	return (*k.generations.Load())[0].key(algorithm, wrong)
}

// key makes a key, or returns the one that was made before.
func (g *generation) key(algorithm string, wrong bool) (*signingKey, error) {
	name := algorithm
	if wrong {
		name = "wrong " + algorithm
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if k, ok := g.keys[name]; ok {
		return k, nil
	}
	signer, err := g.make(algorithm, wrong)
	if err != nil {
		return nil, fmt.Errorf("mock provider: cannot make a key for %s: %w", algorithm, err)
	}
	if g.keys == nil {
		g.keys = make(map[string]*signingKey)
	}
	g.keys[name] = &signingKey{g.id(algorithm), algorithm, signer}
	return g.keys[name], nil
}

// id is the kid: test-rsa-1 and test-ec-1 for RS256 and ES256, test-ps512-1 for others.
func (g *generation) id(algorithm string) string {
	name := strings.ToLower(algorithm)
	switch algorithm {
	case "RS256":
		name = "rsa"
	case "ES256":
		name = "ec"
	}
	prefix := "test-"
	if g.fresh {
		prefix = ""
	}
	return prefix + name + "-" + strconv.Itoa(g.number+1)
}

// make yields the private key of an algorithm; those of all RSA algorithms are the same.
func (g *generation) make(algorithm string, wrong bool) (crypto.Signer, error) {
	curve := curveOf(algorithm)
	if curve == nil && algorithm != "EdDSA" {
		for name, k := range g.keys {
			if _, ok := k.key.(*rsa.PrivateKey); ok && strings.HasPrefix(name, "wrong ") == wrong {
				return k.key, nil
			}
		}
	}
	if g.fresh {
		return freshKey(algorithm, curve)
	}
	switch {
	case algorithm == "EdDSA":
		return ed25519.NewKeyFromSeed(g.derive(algorithm, wrong, 0, ed25519.SeedSize)), nil
	case curve == nil && wrong:
		return publishedKey("rsa-unpublished", 0)
	case curve == nil && g.number == 0:
		return publishedKey("rsa", 0)
	case curve == nil: // they come round again: making one would take a tenth of a second
		return publishedKey("rsa-pool", (g.number-1)%rsaPoolSize)
	case algorithm == "ES256" && g.number == 0 && wrong:
		return publishedKey("ec-unpublished", 0)
	case algorithm == "ES256" && g.number == 0:
		return publishedKey("ec", 0)
	}
	size := (curve.Params().BitSize + 7) / 8
	for try := 0; ; try++ {
		scalar := g.derive(algorithm, wrong, try, size)
		if curve.Params().BitSize%8 != 0 {
			scalar[0] &= 1<<(curve.Params().BitSize%8) - 1
		}
		if key, err := ecdsa.ParseRawPrivateKey(curve, scalar); err == nil { // else out of range
			return key, nil
		}
	}
}

// derive yields the octets of a test key: the same in every process, different for every generation.
func (g *generation) derive(algorithm string, wrong bool, try, size int) []byte {
	h := sha3.NewSHAKE256()
	fmt.Fprintf(h, "oauthcheck mock provider, public test key: %s %d %v %d", algorithm, g.number, wrong, try)
	out := make([]byte, size)
	h.Read(out)
	return out
}

func curveOf(algorithm string) elliptic.Curve {
	switch algorithm {
	case "ES256":
		return elliptic.P256()
	case "ES384":
		return elliptic.P384()
	case "ES512":
		return elliptic.P521()
	}
	return nil
}

func freshKey(algorithm string, curve elliptic.Curve) (crypto.Signer, error) {
	switch {
	case algorithm == "EdDSA":
		_, key, err := ed25519.GenerateKey(crand.Reader)
		return key, err
	case curve != nil:
		return ecdsa.GenerateKey(curve, crand.Reader)
	}
	return rsa.GenerateKey(crand.Reader, 2048)
}

// rsaPoolSize is how many keys testkeys/rsa-pool.pem has.
const rsaPoolSize = 11

// publishedKeys are the test keys that were parsed so far. They never change, so all providers share them.
var publishedKeys sync.Map

// publishedKey reads the nth key of a file of testkeys.
func publishedKey(name string, n int) (crypto.Signer, error) {
	id := name + strconv.Itoa(n)
	if key, ok := publishedKeys.Load(id); ok {
		return key.(crypto.Signer), nil
	}
	data, err := testKeys.ReadFile("testkeys/" + name + ".pem")
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(data)
	for ; n > 0 && block != nil; n-- {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return nil, fmt.Errorf("testkeys/%s.pem has too few keys", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("testkeys/%s.pem: not a signing key", name)
	}
	publishedKeys.Store(id, key)
	return key, nil
}
