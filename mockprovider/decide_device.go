package mockprovider

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// PendingDevice is a device that waits for its user (RFC 8628).
type PendingDevice struct {
	UserCode string    `json:"user_code"`
	Client   string    `json:"client_id"`
	Scopes   []string  `json:"scopes"`           // that were asked for
	Expires  time.Time `json:"expires,omitzero"` // by the provider's clock; zero: never
}

// PendingDevices are the devices that wait for their users, the oldest first.
func (p *Provider) PendingDevices() []PendingDevice {
	list := []PendingDevice{}
	for _, d := range p.waitingDevices() {
		list = append(list, PendingDevice{d.userCode, d.client, slices.Clone(d.asked), d.expires})
	}
	return list
}

func (p *Provider) waitingDevices() []*device {
	var list []*device
	now := p.clock.Now()
	p.store.devices.each(func(_ string, d *device) {
		if d.pending() && !d.expired(now) {
			list = append(list, d)
		}
	})
	slices.SortFunc(list, func(a, b *device) int { return a.made.Compare(b.made) })
	return list
}

// ApproveDevice lets a user sign in and approve the device that shows a user code (RFC 8628), without a browser; "" stands for the only device that
// waits. With scopes, only those are granted. A test with an unknown code ends here.
func (p *Provider) ApproveDevice(tb testing.TB, userCode, user string, scopes ...string) {
	tb.Helper()
	if err := p.DecideDevice(userCode, Decision{User: user, Scopes: scopes}); err != nil {
		tb.Fatal(err)
	}
}

// DenyDevice is ApproveDevice for a user who denies: the device is told access_denied.
func (p *Provider) DenyDevice(tb testing.TB, userCode, user string) {
	tb.Helper()
	if err := p.DecideDevice(userCode, Decision{User: user, Deny: true}); err != nil {
		tb.Fatal(err)
	}
}

// DecideDevice is ApproveDevice and DenyDevice without a test. Case and punctuation of the code do not matter.
func (p *Provider) DecideDevice(userCode string, decision Decision) error {
	if decision.User == "" {
		decision.User = p.settings.AutoUser
	}
	user := p.user(decision.User)
	if user == nil {
		return fmt.Errorf("mock provider: no user %q%s", decision.User, suggestion(decision.User, p.userNames()))
	}
	d, err := p.waitingDevice(userCode)
	if err != nil {
		return err
	}
	x := p.inner(p.client(d.client), user)
	if err := d.settle(x, user, x.now, decision.Scopes, !decision.Deny); err != nil {
		return fmt.Errorf("mock provider: %w", err)
	}
	return nil
}

// waitingDevice finds the device that a program decides about.
func (p *Provider) waitingDevice(userCode string) (*device, error) {
	waiting := p.waitingDevices()
	var codes []string
	for _, d := range waiting {
		if bareUserCode(d.userCode) == bareUserCode(userCode) {
			return d, nil
		}
		codes = append(codes, d.userCode)
	}
	if userCode == "" && len(waiting) == 1 {
		return waiting[0], nil
	}
	list := "none waits"
	if len(codes) > 0 {
		list = "these wait: " + strings.Join(codes, ", ")
	}
	if userCode == "" {
		return nil, fmt.Errorf("mock provider: which device? %s", list)
	}
	return nil, fmt.Errorf("mock provider: no device waits with the user code %s; %s", printable(userCode), list)
}
