package target

import "github.com/onsi/gomega"

// Judge is what the runner hands to an AS so that a check can say more than pass or fail. One Judge belongs to one
// execution of one check. Methods that unwind end the body (inside a variant: that variant) and do not return.
type Judge interface {
	// Note records an observation that breaks no normative statement. It does not unwind.
	Note(text string)
	// Skip ends the body: the target cannot be tested for this. enable is the one line of configuration that would make
	// it testable.
	Skip(enable, reason string)
	// Inconclusive ends the body: the target did not let the check reach a judgement.
	Inconclusive(reason string)
	// Fail ends the body as a failed assertion does.
	Fail(message string)
	// Variant runs one manipulation of a check under a name of its own; whatever ends it does not end the check.
	Variant(name string, body func(gomega.Gomega))
}
