package mockprovider

import (
	"math"
	"strconv"
	"sync/atomic"
	"time"
)

// program is what the deviations in force do, by step. The zero program (nil) is the strict server; looking a step up in it
// costs next to nothing. A program is never changed once it is in force: Deviate puts a new one in its place.
type program map[string][]*op

// op is one compiled operation on one step.
type op struct {
	opArgs
	deviation string // the name of the deviation it belongs to, for the request log
	step      *Step
	when      *condition
	matched   atomic.Int64 // how often when matched, for `nth` and `times`
}

// ops returns the operations on a step that apply to this request, in the order in which the deviations were given.
func (x *exchange) ops(step string) []*op {
	all := x.program[step]
	if len(all) == 0 {
		return nil
	}
	applicable := make([]*op, 0, len(all))
	for _, o := range all {
		if x.applies(o) {
			applicable = append(applicable, o)
		}
	}
	return applicable
}

// applies reports whether an operation is meant for this request. An operation counts a request once, however often its step is taken.
func (x *exchange) applies(o *op) bool {
	if o.when == nil {
		return true
	}
	if !o.when.matches(x) {
		return false
	}
	if o.when.Nth == 0 && o.when.Times == 0 {
		return true
	}
	n, counted := x.counted[o]
	if !counted {
		n = o.matched.Add(1)
		if x.counted == nil {
			x.counted = make(map[*op]int64)
		}
		x.counted[o] = n
	}
	if o.when.Nth != 0 && n != int64(o.when.Nth) {
		return false
	}
	return o.when.Times == 0 || n <= int64(o.when.Times)
}

// fired notes in the request log that a deviation acted.
func (x *exchange) fired(o *op) {
	if o.deviation == "" { // a profile's own way
		return
	}
	for _, name := range x.firedBy {
		if name == o.deviation {
			return
		}
	}
	x.firedBy = append(x.firedBy, o.deviation)
}

// guard makes one check of the strict server: check returns the error that it refuses with, or nil. Deviations skip it,
// refuse differently, refuse always, or choose one of the step's modes, which check asks for with x.mode.
func (x *exchange) guard(step string, check func() *oauthError) *oauthError {
	if len(x.program) == 0 || len(x.program[step]) == 0 {
		err := check()
		if err != nil && err.Step == "" {
			err.Step = step
		}
		return err
	}
	return x.guardDeviated(step, check)
}

// refuseIf is guard for a condition that can be told beforehand: where it holds, the request is refused with the error and its
// description.
func (x *exchange) refuseIf(step string, condition bool, refusal func(description string) *oauthError, description string) *oauthError {
	return x.guard(step, func() *oauthError {
		if condition {
			return refusal(description)
		}
		return nil
	})
}

func (x *exchange) guardDeviated(step string, check func() *oauthError) *oauthError {
	ops := x.ops(step)
	for _, o := range ops {
		if o.Always {
			x.fired(o)
			err := &oauthError{Code: o.step.Error, Description: "refused", Step: step, Page: o.step.page}
			for _, other := range ops { // in whose words
				if other != o {
					other.Refuse.apply(x, err)
				}
			}
			o.Refuse.apply(x, err)
			return err
		}
	}
	for _, o := range ops {
		if o.Skip {
			x.fired(o)
			return nil
		}
	}
	err := check()
	if err == nil {
		return nil
	}
	if err.Step == "" {
		err.Step = step
	}
	for _, o := range ops {
		if o.Refuse != nil {
			x.fired(o)
			o.Refuse.apply(x, err)
		}
	}
	return err
}

// local is guard for a step that every endpoint has under its own name: x.local(".method", …) is the step "token.method" at
// the token endpoint.
func (x *exchange) local(step string, check func() *oauthError) *oauthError {
	if len(x.program) == 0 {
		err := check()
		if err != nil && err.Step == "" {
			err.Step = x.endpoint + step
		}
		return err
	}
	return x.guard(x.endpoint+step, check)
}

// skipped reports whether a deviation skips a guard; for what has to be decided before or after the check itself.
func (x *exchange) skipped(step string) bool {
	if len(x.program) == 0 {
		return false
	}
	for _, o := range x.ops(step) {
		if o.Skip {
			return true
		}
	}
	return false
}

// mode reports whether a deviation chose one of the step's modes. Modes of several deviations add up.
func (x *exchange) mode(step, mode string) bool {
	return x.modeOp(step, mode) != nil
}

// modeOp returns the operation that chose a mode, for its further arguments, or nil.
func (x *exchange) modeOp(step, mode string) *op {
	if len(x.program) == 0 {
		return nil
	}
	for _, o := range x.ops(step) {
		for _, m := range o.Mode {
			if m == mode {
				x.fired(o)
				return o
			}
		}
	}
	return nil
}

// localMode is mode for a step that every endpoint has under its own name.
func (x *exchange) localMode(step, mode string) bool {
	return len(x.program) != 0 && x.mode(x.endpoint+step, mode)
}

// set returns the value that a deviation sets for a value step, the last one if there are several.
func (x *exchange) set(step string) (any, bool) {
	if len(x.program) == 0 {
		return nil, false
	}
	var value any
	found := false
	for _, o := range x.ops(step) {
		if o.Set != nil {
			x.fired(o)
			value, found = x.expandAny(o.Set), true
		}
	}
	return value, found
}

// flag is a value step that is true or false.
func (x *exchange) flag(step string, strict bool) bool {
	v, ok := x.set(step)
	if !ok {
		return strict
	}
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v == "true"
	}
	return strict
}

// duration is a value step that is a length of time, in a deviation "90s" or a number of seconds; "never" and 0 mean for ever.
func (x *exchange) duration(step string, strict time.Duration) time.Duration {
	v, ok := x.set(step)
	if !ok {
		return strict
	}
	d, err := toDuration(v)
	if err != nil {
		return strict // compile refused it, unless it comes from a template
	}
	return d
}

// text is a value step that is a string.
func (x *exchange) text(step, strict string) string {
	v, ok := x.set(step)
	if !ok {
		return strict
	}
	return toText(v)
}

// list is a value step that is a list of strings.
func (x *exchange) list(step string, strict []string) []string {
	v, ok := x.set(step)
	if !ok {
		return strict
	}
	switch v := v.(type) {
	case []any:
		out := make([]string, len(v))
		for i := range v {
			out[i] = toText(v[i])
		}
		return out
	case string:
		return words(v)
	}
	return strict
}

func toText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatInt(int64(v), 10)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return string(encodeValue(v))
}
