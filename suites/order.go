package suites

import (
	"cmp"
	"strconv"
	"strings"
)

// order is the catalogue's order of specifications.
type order struct{ rank map[string]int }

func newOrder() order { return order{rank: map[string]int{}} }

// compare orders checks by specification and section; equal ones keep the order of their registration.
func (o order) compare(a, b *Check) int {
	return cmp.Or(
		cmp.Compare(o.rank[a.Spec], o.rank[b.Spec]),
		cmp.Compare(a.Spec, b.Spec),
		compareSections(a.Section, b.Section))
}

// compareSections orders "2" < "2.3.1" < "10" < "A.1" < "B": appendices follow the numbered sections.
func compareSections(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if c := compareParts(as[i], bs[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

func compareParts(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	switch {
	case errX == nil && errY == nil:
		return cmp.Compare(x, y)
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return cmp.Compare(a, b)
}
