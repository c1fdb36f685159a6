package mockprovider

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
)

// maxNamespaces bounds the namespaces of a provider.
const maxNamespaces = 4096

var namespaceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)

// Namespace makes a provider of its own at a path of this one, ISSUER/NAME, for a test that runs beside others: with its own issuer, clients,
// users, keys, clock, deviations, programmed answers and recorded requests. It begins as this provider was started; opts are applied on top. It ends
// with the test. Characters of the name that a path cannot have become hyphens, so that t.Name() will do.
func (p *Provider) Namespace(tb testing.TB, name string, opts ...Option) *Provider {
	tb.Helper()
	ns, err := p.AddNamespace(regexp.MustCompile(`[^A-Za-z0-9._~-]+`).ReplaceAllString(name, "-"), opts...)
	if err != nil {
		tb.Fatal(err)
	}
	ns.attend(tb)
	return ns
}

// AddNamespace is Namespace without a test. Its Close takes it away.
func (p *Provider) AddNamespace(name string, opts ...Option) (*Provider, error) {
	if !namespaceName.MatchString(name) {
		return nil, fmt.Errorf("mock provider: namespace %q: want one segment of a path: letters, digits, dots, hyphens, underscores", name)
	}
	c, err := configure(append(append([]Option{}, p.opts...), opts...))
	if err != nil {
		return nil, fmt.Errorf("mock provider: namespace %s: %w", name, err)
	}
	c.parent, c.name = p, name
	c.settings.Issuer = p.base + "/" + name + c.slash()
	c.settings.TLS = p.settings.TLS
	for path := range p.routes {
		if path == p.prefix+"/"+name || strings.HasPrefix(path, p.prefix+"/"+name+"/") {
			return nil, fmt.Errorf("mock provider: namespace %q is where the provider has its endpoint %s", name, path)
		}
	}
	ns, err := c.provider("")
	if err != nil {
		return nil, fmt.Errorf("mock provider: namespace %s: %w", name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(p.namespaces())
	if next == nil {
		next = make(map[string]*Provider)
	}
	if next[name] != nil {
		return nil, fmt.Errorf("mock provider: there is a namespace %q already", name)
	}
	if len(next) == maxNamespaces {
		return nil, fmt.Errorf("mock provider: there are %d namespaces; close some", maxNamespaces)
	}
	next[name] = ns
	p.spaces.Store(&next)
	return ns, nil
}

// Namespaces are the providers that AddNamespace and Namespace made here, by name.
func (p *Provider) Namespaces() map[string]*Provider { return maps.Clone(p.namespaces()) }

func (p *Provider) namespaces() map[string]*Provider {
	if m := p.spaces.Load(); m != nil {
		return *m
	}
	return nil
}

func (p *Provider) removeNamespace(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(p.namespaces())
	delete(next, name)
	p.spaces.Store(&next)
}

// spaceAt is the namespace that a path belongs to, nil for none. Well-known documents have the issuer's path at their end (RFC 8414 section 3.1).
func (p *Provider) spaceAt(path string) *Provider {
	spaces := p.namespaces()
	if len(spaces) == 0 {
		return nil
	}
	if rest, ok := strings.CutPrefix(path, "/.well-known/"); ok {
		_, issuerPath, _ := strings.Cut(rest, "/")
		path = "/" + issuerPath
	}
	rest, ok := strings.CutPrefix(path, p.prefix+"/")
	if !ok {
		return nil
	}
	return spaces[cut(rest, "/")]
}

// top is the provider that has the socket.
func (p *Provider) top() *Provider {
	for p = p.root; p.parent != nil; {
		p = p.parent.root
	}
	return p
}
