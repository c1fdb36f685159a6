// Package login plays the resource owner's part at an authorization server's own pages: it reads a page as a browser
// would, signs the user in, gives or refuses consent, and says which request the browser makes next. It sends nothing
// itself: the browser of suites/target fetches pages, keeps cookies and records exchanges.
package login

import (
	"fmt"
	"net/http"
)

// Page is a page as the browser shows it: the response at the end of a chain of redirects.
type Page struct {
	URL    string // absolute URL that the page came from
	Status int
	Header http.Header
	Body   []byte // decompressed and bounded
}

// Choice is what the resource owner decides. The zero value signs in and approves.
type Choice struct {
	Deny bool // refuse on the consent page, after signing in
	// AtLogin makes the refusal happen on the login page already, where that offers it (a cancel button): the way to
	// refuse at servers that ask for no consent.
	AtLogin bool
}

// Player plays a resource owner, any number of times and concurrently.
type Player interface {
	// Begin starts a visit: one walk of a browser from an authorization request to the point where it leaves the
	// authorization server.
	Begin(Choice) Visit
}

// Visit is the resource owner during one walk. It is not safe for concurrent use.
type Visit interface {
	// Next says what the resource owner does on the page. A nil Step (without an error) means that the page asks
	// nothing of the owner: an error page, say. The walk ends there. An *Error says why the owner cannot go on.
	Next(*Page) (*Step, error)
	// LoginShown reports whether a page asked for the owner's credentials during this visit.
	LoginShown() bool
	// ConsentShown reports whether a page asked for the owner's consent during this visit.
	ConsentShown() bool
}

// Kind says what a step is for.
type Kind string

// The kinds of steps.
const (
	Login     Kind = "login"     // credentials are entered
	Consent   Kind = "consent"   // access is approved or denied
	Continue  Kind = "continue"  // a page with one way to go on: an account to pick, a notice to confirm
	Automatic Kind = "automatic" // the page goes on by itself: a form that submits itself, a refresh, a script
)

// Param is one parameter of a submitted form.
type Param struct{ Name, Value string }

// Step is the request that the browser makes next. Its URL may lie outside of the authorization server, for example when
// a page submits itself to the client's redirection URI; whether the browser goes there is the browser's decision. A
// step with Secret set never lies outside of the allowed origins.
type Step struct {
	Kind        Kind
	Method      string // GET or POST
	URL         string // absolute, with the query of a GET form
	ContentType string // of the body; empty with GET
	Body        []byte
	Params      []Param // what the form holds, in order, also contained in URL or Body
	Secret      bool    // the step carries the owner's password
	Via         string  // how a browser gets there: "form", "link", "meta", "refresh" or "script"
	Pressed     string  // text of the button or link, for people
}

// Reason classifies why the owner could not go on.
type Reason string

// The reasons.
const (
	WrongCredentials Reason = "wrong-credentials" // the login page came back after the credentials were sent
	NoCredentials    Reason = "no-credentials"    // a login page, but no user is configured
	Captcha          Reason = "captcha"           // the page wants proof of a human
	ScriptOnly       Reason = "script-only"       // the page is built by JavaScript; there is no form in its HTML
	SecondFactor     Reason = "second-factor"     // the page wants a one-time code
	ForeignOrigin    Reason = "foreign-origin"    // the form would send the password to another origin
	NoChoice         Reason = "no-choice"         // no button that approves, or denies, could be told
	TooManySteps     Reason = "too-many-steps"    // still on the authorization server's pages after MaxSteps pages
	LoginDisabled    Reason = "login-disabled"    // login method none, but the page wants a login
)

// Error says why the resource owner's part could not be played, with what to do about it.
type Error struct {
	Reason Reason
	URL    string // of the page
	Text   string // what the page says, shortened, or what is wrong
	Fix    string // what to do
}

// Error gives the reason, the page and what to do.
func (e *Error) Error() string {
	msg := fmt.Sprintf("login at %s: %s", e.URL, e.Text)
	if e.Fix != "" {
		msg += ": " + e.Fix
	}
	return msg
}

// MaxSteps bounds the pages of one visit.
const MaxSteps = 10

// Options configure a Player.
type Options struct {
	Method   string // "auto" (default), "form" or "none"
	Username string
	Password string
	// Fields sets form fields by name where their meaning cannot be guessed.
	Fields map[string]string
	// Approve and Deny name the consent buttons by text, value or name where they cannot be guessed.
	Approve, Deny string
	// Origins are the origins ("https://host:port") that may receive the password.
	Origins []string
}
