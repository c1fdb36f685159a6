package mockprovider

import (
	"errors"
	"fmt"
	"maps"
	"strings"
)

// populate gives the provider the clients, users, claims, deviations and programmed answers of its configuration.
func (p *Provider) populate(c *config) error {
	clients := make(map[string]*RegisteredClient, len(c.settings.Clients))
	for id, client := range c.settings.Clients {
		client.ID = id
		if client.Name == "" {
			client.Name = id
		}
		clients[id] = &client
	}
	users := make(map[string]*ResourceOwner, len(c.settings.Users))
	for name, user := range c.settings.Users {
		users[name] = user.named(name)
	}
	compiled, err := compile(c.declared)
	if err != nil {
		return err
	}
	rules := make([]*claimRule, 0, len(c.settings.Claims))
	for i, r := range c.settings.Claims {
		rule, err := compileClaimRule(fmt.Sprintf("claims[%d]", i), r)
		if err != nil {
			path, what, _ := strings.Cut(err.Error(), ": ")
			return c.locate(&settingError{path, errors.New(what)})
		}
		rule.stays = true
		rules = append(rules, rule)
	}
	p.mu.Lock()
	p.clientMap.Store(&clients)
	p.userMap.Store(&users)
	p.claimRules.Store(&rules)
	p.defined = maps.Clone(c.defined)
	p.declared = c.declared
	p.program.Store(&compiled)
	p.mu.Unlock()
	p.ForgetAnswers()
	for _, program := range c.answers {
		if err := p.enqueue(program.When, program.Then); err != nil {
			return program.located(err)
		}
	}
	return nil
}

// Reset makes the provider what it was when it was started: deviations, programmed answers, claims, clients, users and clock are those of its
// options again; codes, tokens, sessions and recorded requests are forgotten, latches opened and forgotten. Keys and namespaces stay.
func (p *Provider) Reset() error {
	p.tester().Helper()
	p = p.root
	c, err := configure(p.opts)
	if err != nil {
		return p.mistake(err)
	}
	if err := p.populate(c); err != nil {
		return p.mistake(err)
	}
	p.random.restart()
	p.clock.Reset()
	for _, t := range append([]*Provider{p}, p.tenants...) {
		t.store.clear()
	}
	p.ForgetRequests()
	p.counter.Store(0)
	p.mu.Lock()
	latches := p.latches
	p.latches = nil
	p.mu.Unlock()
	for _, l := range latches {
		l.Open()
	}
	return nil
}

func (s *store) clear() {
	s.codes.clear()
	s.tokens.clear()
	s.sessions.clear()
	s.transactions.clear()
	s.consents.clear()
	s.assertions.clear()
	s.registered.clear()
	s.devices.clear()
	s.userCodes.clear()
	s.wrongUserCodes.clear()
}

func (t *table[V]) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries, t.order, t.gone = nil, nil, 0
}

// Unregister takes a client away; false if there is none.
func (p *Provider) Unregister(id string) bool {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(*p.clientMap.Load())
	_, found := next[id]
	delete(next, id)
	p.clientMap.Store(&next)
	return found
}

// RemoveUser takes a user away; false if there is none. Its tokens stay what they are.
func (p *Provider) RemoveUser(username string) bool {
	p = p.root
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(*p.userMap.Load())
	_, found := next[username]
	delete(next, username)
	p.userMap.Store(&next)
	return found
}

// Revoke ends all tokens of a user with a client, as an administrator does; "" stands for every user or every client. It returns how
// many tokens were alive.
func (p *Provider) Revoke(username, client string) int {
	revoked := 0
	for _, t := range append([]*Provider{p.root}, p.root.tenants...) {
		t.store.tokens.each(func(_ string, t *token) {
			if client != "" && t.grant.client != client || username != "" && (t.grant.user == nil || t.grant.user.Username != username) {
				return
			}
			if !t.dead() {
				revoked++
			}
			t.revoked.Store(true)
		})
	}
	return revoked
}
