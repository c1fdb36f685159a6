package suites

import (
	"cmp"
	"math"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// order is the catalogue's order: specifications and, inside each, sections by their first requirement.
type order struct {
	specs    map[string]int
	sections map[[2]string]int
}

func newOrder() order {
	o := order{specs: map[string]int{}, sections: map[[2]string]int{}}
	for i, spec := range profiles.Specs() {
		o.specs[spec.Slug] = i
	}
	for i, r := range profiles.Requirements("") {
		if key := [2]string{r.Spec, r.Section}; o.sections[key] == 0 {
			o.sections[key] = i + 1
		}
	}
	return o
}

// compare orders checks by specification and section; equal ones keep the order of their registration. What the catalogue
// does not know comes last.
func (o order) compare(a, b *Check) int {
	return cmp.Or(
		cmp.Compare(o.spec(a), o.spec(b)),
		cmp.Compare(a.Spec, b.Spec),
		cmp.Compare(o.section(a), o.section(b)))
}

func (o order) spec(c *Check) int {
	if rank, ok := o.specs[c.Spec]; ok {
		return rank
	}
	return math.MaxInt
}

func (o order) section(c *Check) int {
	if rank := o.sections[[2]string{c.Spec, c.Section}]; rank > 0 {
		return rank
	}
	return math.MaxInt
}
