package login

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// New makes a player that reads the pages' HTML: login forms, consent forms, pages in between. It fails on a method that
// it does not know.
func New(o Options) (Player, error) {
	switch o.Method {
	case "", "auto", "form", "none":
	default:
		return nil, fmt.Errorf("login method %q is not known; use auto, form or none", o.Method)
	}
	o.Origins = slices.Clone(o.Origins)
	for i, raw := range o.Origins {
		o.Origins[i] = Origin(raw)
	}
	return &formPlayer{o}, nil
}

// Origin is the origin of a URL (RFC 6454): scheme, host and port, the default port left out. It is "" for what has
// none.
func Origin(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Host == "" {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case scheme == "https":
		host = strings.TrimSuffix(host, ":443")
	case scheme == "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host
}

type formPlayer struct{ Options }

func (p *formPlayer) Begin(c Choice) Visit { return &visit{Options: p.Options, choice: c} }

// visit is one walk through the pages.
type visit struct {
	Options
	choice                   Choice
	pages                    int
	sentUsername, sentSecret bool
	loginShown, consentShown bool
}

func (v *visit) LoginShown() bool   { return v.loginShown }
func (v *visit) ConsentShown() bool { return v.consentShown }

// refreshLimit tells a page that goes on from one that merely reloads itself some day.
const refreshLimit = 15 * time.Second

func (v *visit) Next(page *Page) (*Step, error) {
	doc := Parse(page)
	fail := func(reason Reason, text, fix string) (*Step, error) {
		return nil, &Error{Reason: reason, URL: page.URL, Text: text, Fix: fix}
	}
	if v.pages++; v.pages > MaxSteps {
		return fail(TooManySteps, fmt.Sprintf("still on the server's pages after %d of them; this one says %q", MaxSteps, shorten(doc.Summary(), 200)),
			"check the login in a browser; if a button was misread, set login.approve or login.fields")
	}
	trouble := page.Status >= 400

	if l := doc.loginForm(v.Fields); l != nil {
		v.loginShown = true
		switch {
		case v.choice.AtLogin && v.choice.Deny:
			if step := v.decline(doc); step != nil {
				return step, nil
			}
		case v.Method == "none":
			return fail(LoginDisabled, "the page asks for a login, but login.method is none", "set login.method: auto and user: {username, password}")
		}
		if v.Username == "" && v.Password == "" {
			return fail(NoCredentials, "the page asks for a login, but no user is configured", "set user: {username: …, password: …}")
		}
		if l.password != nil && v.sentSecret || l.password == nil && v.sentUsername {
			if doc.Captcha != "" {
				return fail(Captcha, fmt.Sprintf("the login page came back and shows a captcha (%s)", doc.Captcha), captchaFix)
			}
			return fail(WrongCredentials, fmt.Sprintf("the login page came back after username and password were sent; it says %q", shorten(doc.Summary(), 200)),
				"check user.username and user.password; if a field was misread, set login.fields")
		}
		if doc.Captcha != "" {
			return fail(Captcha, fmt.Sprintf("the login page shows a captcha (%s)", doc.Captcha), captchaFix)
		}
		return v.logIn(page, l)
	}

	if doc.asksForCode(v.Fields) && !trouble {
		return fail(SecondFactor, "the page asks for a second factor", "use a test user without one, or set the field's value in login.fields")
	}
	if step := doc.automatic(); step != nil {
		return step, nil
	}
	if doc.Captcha != "" {
		return fail(Captcha, fmt.Sprintf("the page shows a captcha (%s)", doc.Captcha), captchaFix)
	}
	if trouble || !page.IsHTML() {
		return nil, nil
	}
	if step, asked, err := v.consent(page, doc); asked {
		v.consentShown = true
		return step, err
	}
	if step := v.goOn(doc); step != nil {
		return step, nil
	}
	if doc.Script != nil && len(doc.Forms) == 0 && doc.Script.URL != page.URL {
		return &Step{Kind: Automatic, Method: "GET", URL: doc.Script.URL, Via: "script"}, nil
	}
	if doc.needsScript() {
		return fail(ScriptOnly, "the page is built by JavaScript; its HTML holds no form", "use the server's login page for browsers without scripts, if it has one, or a login method that needs no page")
	}
	return nil, nil
}

const captchaFix = "switch the captcha off for the test user or the test instance"

// loginForm is a form that takes credentials, with the fields by their meaning.
type loginForm struct {
	*Form
	username, password *Control // either may be nil: a login can be spread over two pages
}

var (
	loginWords = wordSet(`login signin logon auth authenticate session anmelden anmeldung connexion sesion`)
	nameWords  = wordSet(`username user login email mail identifier identification userid uid uname account loginid loginname loginfmt userlogin upn
		benutzername benutzer benutzerkennung anmeldename kennung nutzername identifiant utilisateur courriel usuario correo utente gebruikersnaam gebruiker utilizador`)
	otherWords  = wordSet(`search query q register registration signup subscribe newsletter reset forgot forgotten recover invite`)
	secretWords = wordSet(`password passwd pwd pass passwort kennwort motdepasse contrasena clave wachtwoord senha`)
	codeWords   = wordSet(`otp totp mfa 2fa twofactor passcode onetimecode tan`)
)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

func anyWord(set map[string]bool, texts ...string) bool {
	for _, s := range texts {
		for _, w := range split(s) {
			if set[w] {
				return true
			}
		}
	}
	return false
}

// loginForm finds the form that takes the owner's credentials: the one with a single password field that looks most like
// a login, else one with a username field alone.
func (d *Document) loginForm(fields map[string]string) *loginForm {
	var best *loginForm
	bestScore := 0
	for _, f := range d.Forms {
		l, score := f.asLogin(fields)
		if l != nil && (best == nil || score > bestScore) {
			best, bestScore = l, score
		}
	}
	return best
}

func (f *Form) asLogin(fields map[string]string) (*loginForm, int) {
	l := &loginForm{Form: f}
	passwords, fresh, score := 0, false, 0
	for _, c := range f.Controls {
		if c.Type != "password" || c.Disabled || c.Name == "" {
			continue
		}
		if !c.Hidden {
			passwords++
		}
		fresh = fresh || strings.Contains(c.Autocomplete, "new-password")
		if l.password == nil || l.password.Hidden && !c.Hidden {
			l.password = c
		}
	}
	if l.password == nil { // some pages show the password as they show the name
		for _, c := range f.Controls {
			if c.textual() && !c.Hidden && !c.Disabled && c.Name != "" && anyWord(secretWords, c.Name, c.ID) {
				l.password, passwords = c, 1
				break
			}
		}
	}
	if l.password != nil && anyWord(codeWords, l.password.Name, l.password.ID) && fields[l.password.Name] == "" {
		return nil, 0
	}
	l.username = f.usernameField(l.password)
	marks := []string{f.ID, f.Name, f.Class, pathOf(f.Action)}
	switch {
	case l.password == nil && l.username == nil:
		return nil, 0
	case l.password == nil:
		if nameScore(l.username) == 0 || anyWord(otherWords, marks...) {
			return nil, 0
		}
		button := f.button(func(c *Control) bool { return c.meaning() == proceeds || c.meaning() == approves })
		if button == nil && !anyWord(loginWords, marks...) {
			return nil, 0
		}
		score = -10
	default:
		score = nameScore(l.username)
	}
	if passwords > 1 || fresh {
		score -= 20 // a registration or a change of the password
	}
	if anyWord(loginWords, marks...) {
		score += 2
	}
	if anyWord(otherWords, marks...) {
		score -= 8
	}
	return l, score
}

func pathOf(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Path
	}
	return ""
}

// usernameField chooses by meaning, else by place: the last text field before the password.
func (f *Form) usernameField(password *Control) *Control {
	var best, before *Control
	bestScore, texts := 0, 0
	passed := false
	for _, c := range f.Controls {
		if c == password {
			passed = true
		}
		unseen := c.Hidden && (password == nil || !password.Hidden) // a script may be what shows the whole form
		if !c.textual() || c == password || c.Type == "password" || c.Type == "textarea" || c.Type == "search" || unseen || c.Disabled || c.Name == "" {
			continue
		}
		texts++
		if !passed {
			before = c
		}
		if score := nameScore(c); score > bestScore {
			best, bestScore = c, score
		}
	}
	switch {
	case best != nil && (password != nil || texts == 1):
		return best
	case password != nil:
		return before
	}
	return nil
}

func nameScore(c *Control) int {
	if c == nil {
		return 0
	}
	score := 0
	if strings.Contains(c.Autocomplete, "username") {
		score += 10
	}
	if c.Autocomplete == "email" {
		score += 6
	}
	if c.Type == "email" {
		score += 5
	}
	if anyWord(nameWords, c.Name, c.ID) {
		score += 5
	}
	if anyWord(nameWords, c.Label, c.Placeholder) {
		score += 4
	}
	return score
}

// button returns the first enabled submit button that satisfies a condition.
func (f *Form) button(good func(*Control) bool) *Control {
	for _, c := range f.Controls {
		if c.buttonLike() && !c.Disabled && good(c) {
			return c
		}
	}
	return nil
}

// logIn fills in the login form and presses its button. A login form that holds the decision as well is decided too.
func (v *visit) logIn(page *Page, l *loginForm) (*Step, error) {
	if l.username != nil {
		l.username.Value = v.Username
		v.sentUsername = true
	}
	if l.password != nil {
		l.password.Value = v.Password
		v.sentSecret = true
	}
	v.fill(l.Form)
	var pressed *Control
	approval := l.button(func(c *Control) bool { return c.meaning() == approves })
	refusal := l.button(func(c *Control) bool { return c.meaning() == denies })
	switch {
	case v.choice.Deny && v.named(l.Form, v.Deny) != nil:
		pressed, v.consentShown = v.named(l.Form, v.Deny), true
	case !v.choice.Deny && v.named(l.Form, v.Approve) != nil:
		pressed = v.named(l.Form, v.Approve)
	case v.choice.Deny && approval != nil && refusal != nil:
		pressed, v.consentShown = refusal, true
	default:
		for _, want := range []meaning{proceeds, approves, unknown} {
			if pressed = l.button(func(c *Control) bool { return c.meaning() == want }); pressed != nil {
				break
			}
		}
		if approval != nil && refusal != nil {
			v.consentShown = true
			if pressed == nil || pressed.meaning() == unknown {
				pressed = approval
			}
		}
	}
	step := l.submit(pressed)
	step.Kind, step.Secret = Login, l.password != nil
	if !slices.Contains(v.Origins, Origin(step.URL)) {
		return nil, &Error{Reason: ForeignOrigin, URL: page.URL,
			Text: fmt.Sprintf("the login form would send the credentials to %s, which is not one of %s", Origin(step.URL), strings.Join(v.Origins, ", ")),
			Fix:  fmt.Sprintf("if that is right, set login.origins: [%s]", Origin(step.URL))}
	}
	return step, nil
}

func (v *visit) named(f *Form, name string) *Control {
	if name == "" {
		return nil
	}
	return f.button(func(c *Control) bool { return c.is(name) })
}

// fill sets the fields that the target file names.
func (v *visit) fill(f *Form) {
	for _, c := range f.Controls {
		value, given := v.Fields[c.Name]
		if !given || c.Name == "" {
			continue
		}
		switch c.Type {
		case "checkbox":
			switch strings.ToLower(value) {
			case "", "false", "no", "off", "0":
				c.Checked = false
			default:
				c.Checked = true
			}
		case "radio":
			c.Checked = c.Value == value
		case "select":
			for i := range c.Options {
				c.Options[i].Selected = c.Options[i].Value == value || c.Options[i].Text == value
			}
		case "submit", "button", "reset", "image", "file":
		default:
			c.Value = value
		}
	}
}

// decline presses what refuses on a page: a button, else a link.
func (v *visit) decline(doc *Document) *Step {
	for _, f := range doc.Forms {
		button := v.named(f, v.Deny)
		if button == nil {
			button = f.button(func(c *Control) bool { return c.meaning() == denies })
		}
		if button != nil {
			step := f.submit(button)
			step.Kind = Consent
			return step
		}
	}
	for _, l := range doc.Links {
		if v.Deny != "" && strings.EqualFold(l.Text, v.Deny) || meaningOf(l.Text) == denies {
			return &Step{Kind: Consent, Method: "GET", URL: l.URL, Via: "link", Pressed: l.Text}
		}
	}
	for _, f := range doc.Forms {
		for _, c := range f.Controls {
			if c.Type != "button" || c.meaning() != denies {
				continue
			}
			// A button that only a script gives an effect: it goes elsewhere, or sends the form with nothing agreed to.
			if m := navigation.FindStringSubmatch(c.OnClick); m != nil {
				if u := doc.resolve(unquoteScript(m[1])); u != "" {
					return &Step{Kind: Consent, Method: "GET", URL: u, Via: "script", Pressed: c.Text}
				}
			}
			bare := *f
			bare.Controls = keep(f.Controls, func(c *Control) bool { return c.Type != "checkbox" })
			step := bare.submit(nil)
			step.Kind, step.Pressed = Consent, c.Text
			return step
		}
	}
	return nil
}

var cookieBanner = regexp.MustCompile(`(?i)cookie`)

// decision gathers what a page offers to someone who is asked for consent.
type decision struct {
	approval, refusal, other []*Control // buttons
	radios, boxes            []*Control // choices that approve or deny by their meaning
	owner                    map[*Control]*Form
	seen                     []string // texts of the buttons
}

// decision reads the page's forms; a form that wants a text to be entered counts only if one can refuse in it.
func (v *visit) decision(doc *Document) *decision {
	d := &decision{owner: map[*Control]*Form{}}
	for _, f := range doc.Forms {
		refusable := f.button(func(c *Control) bool { return c.meaning() == denies }) != nil
		if cookieBanner.MatchString(f.ID+f.Class+f.Action) || v.needsText(f) && !refusable {
			continue
		}
		for _, c := range f.Controls {
			d.owner[c] = f
			if !c.Disabled {
				d.add(c, v)
			}
		}
	}
	return d
}

func (d *decision) add(c *Control, v *visit) {
	switch {
	case c.buttonLike():
		d.seen = append(d.seen, fmt.Sprintf("%q", c.Text))
		switch {
		case v.Approve != "" && c.is(v.Approve):
			d.approval = append([]*Control{c}, d.approval...)
		case v.Deny != "" && c.is(v.Deny):
			d.refusal = append([]*Control{c}, d.refusal...)
		case c.meaning() == approves:
			d.approval = append(d.approval, c)
		case c.meaning() == denies:
			d.refusal = append(d.refusal, c)
		case c.meaning() != leaves:
			d.other = append(d.other, c)
		}
	case c.Type == "button" && c.meaning() == denies:
		d.seen = append(d.seen, fmt.Sprintf("%q", c.Text))
	case c.Type == "radio" && (c.choice() == approves || c.choice() == denies):
		d.radios = append(d.radios, c)
	case c.Type == "checkbox" && (c.choice() == approves || meaningOf(c.Name) == approves):
		d.boxes = append(d.boxes, c)
	}
}

// consent decides on a page that asks for a decision; asked is false for other pages.
func (v *visit) consent(page *Page, doc *Document) (step *Step, asked bool, err error) {
	d := v.decision(doc)
	refusable := len(d.refusal) > 0 || v.decline(doc) != nil
	asks := len(d.approval) > 0 || len(d.radios) > 0 || len(d.boxes) > 0 && len(d.other) > 0 || refusable && len(d.other) > 0
	if !asks {
		step := v.consentByLink(doc)
		return step, step != nil, nil
	}
	unclear := func(text, key string) (*Step, bool, error) {
		return nil, true, &Error{Reason: NoChoice, URL: page.URL,
			Text: fmt.Sprintf("the page asks for a decision, but %s; its buttons are %s", text, strings.Join(d.seen, ", ")),
			Fix:  "set login." + key + " to the button's text, value or name"}
	}
	press := func(f *Form, c *Control) (*Step, bool, error) {
		v.fill(f)
		step := f.submit(c)
		step.Kind = Consent
		return step, true, nil
	}
	if len(d.radios) > 0 {
		if c := v.chooseRadio(d); c != nil {
			f := d.owner[c]
			return press(f, f.button(func(b *Control) bool { return b.meaning() != denies && b.meaning() != leaves }))
		}
	}
	if v.choice.Deny {
		switch {
		case len(d.refusal) > 0:
			return press(d.owner[d.refusal[0]], d.refusal[0])
		case refusable:
			return v.decline(doc), true, nil
		case len(d.boxes) > 0:
			for _, c := range d.boxes {
				c.Checked = false
			}
			f := d.owner[d.boxes[0]]
			return press(f, f.button(func(b *Control) bool { return b.meaning() != leaves }))
		}
		return unclear("none of them refuses", "deny")
	}
	chosen := d.approval
	if len(chosen) == 0 {
		chosen = keep(d.other, func(c *Control) bool { return c.meaning() == proceeds })
	}
	if len(chosen) == 0 {
		chosen = d.other
	}
	if len(d.approval) == 0 && len(chosen) != 1 {
		return unclear("it is not clear which one approves", "approve")
	}
	tick(d.owner[chosen[0]])
	return press(d.owner[chosen[0]], chosen[0])
}

// chooseRadio selects, in every group of radio buttons, the one that means what the owner wants, and returns the first.
func (v *visit) chooseRadio(d *decision) *Control {
	want := approves
	if v.choice.Deny {
		want = denies
	}
	var first *Control
	for _, c := range d.radios {
		if c.choice() != want {
			continue
		}
		for _, other := range d.owner[c].Controls {
			if other.Type == "radio" && other.Name == c.Name {
				other.Checked = other == c
			}
		}
		if first == nil {
			first = c
		}
	}
	return first
}

// consentByLink decides on a page that offers both answers as links.
func (v *visit) consentByLink(doc *Document) *Step {
	answer := map[meaning]*Link{}
	for i := range doc.Links {
		l := &doc.Links[i]
		m := meaningOf(l.Text)
		switch {
		case v.Approve != "" && strings.EqualFold(l.Text, v.Approve):
			m = approves
		case v.Deny != "" && strings.EqualFold(l.Text, v.Deny):
			m = denies
		}
		if answer[m] == nil {
			answer[m] = l
		}
	}
	yes, no := answer[approves], answer[denies]
	if yes == nil || no == nil {
		return nil
	}
	if v.choice.Deny {
		yes = no
	}
	return &Step{Kind: Consent, Method: "GET", URL: yes.URL, Via: "link", Pressed: yes.Text}
}

// needsText reports whether a form has a visible text field that nothing fills: not a consent form.
func (v *visit) needsText(f *Form) bool {
	for _, c := range f.Controls {
		if _, given := v.Fields[c.Name]; c.textual() && !c.Hidden && !c.Disabled && c.Value == "" && !given {
			return true
		}
	}
	return false
}

// choice is the meaning of a radio button or check box.
func (c *Control) choice() meaning {
	for _, s := range []string{c.Value, c.Label, c.ID} {
		if m := meaningOf(s); m == approves || m == denies {
			return m
		}
	}
	return unknown
}

// tick agrees to all that a form offers if nothing is preselected (a consent to nothing is a refusal); what is
// preselected stays as it is.
func tick(f *Form) {
	boxes := keep(f.Controls, func(c *Control) bool {
		return c.Type == "checkbox" && !c.Disabled && !c.Hidden && c.Name != "" && !anyWord(map[string]bool{"remember": true, "merken": true, "recordar": true}, c.Name, c.ID, c.Label)
	})
	for _, c := range boxes {
		if c.Checked {
			return
		}
	}
	for _, c := range boxes {
		c.Checked = true
	}
}

// automatic returns what a page does without the user: a form that submits itself, a refresh.
func (d *Document) automatic() *Step {
	for _, f := range d.Forms {
		if f.Submits {
			step := f.submit(nil)
			step.Kind = Automatic
			return step
		}
	}
	if r := d.Refresh; r != nil && r.Delay <= refreshLimit && r.URL != d.URL.String() {
		return &Step{Kind: Automatic, Method: "GET", URL: r.URL, Via: r.Via}
	}
	return nil
}

// goOn finds the one way on: the owner's account among others, a form that the target file's fields fill, a button or
// link that continues.
func (v *visit) goOn(doc *Document) *Step {
	press := func(f *Form, c *Control) *Step {
		v.fill(f)
		step := f.submit(c)
		step.Kind = Continue
		return step
	}
	mine := func(text string) bool {
		return v.Username != "" && strings.Contains(strings.ToLower(text), strings.ToLower(v.Username)) && meaningOf(text) != leaves && meaningOf(text) != denies
	}
	for _, f := range doc.Forms {
		if c := f.button(func(c *Control) bool { return mine(c.Text) || c.Text == "" && mine(c.Value) }); c != nil {
			return press(f, c)
		}
	}
	for _, f := range doc.Forms {
		for _, c := range f.Controls {
			if _, given := v.Fields[c.Name]; given && !c.Hidden {
				return press(f, f.button(func(c *Control) bool { return c.meaning() != denies && c.meaning() != leaves }))
			}
		}
	}
	for _, f := range doc.Forms {
		if v.needsText(f) || cookieBanner.MatchString(f.ID+f.Class+f.Action) || anyWord(otherWords, f.ID, f.Name, pathOf(f.Action)) {
			continue
		}
		if c := f.button(func(c *Control) bool { return c.meaning() == proceeds }); c != nil {
			return press(f, c)
		}
	}
	sameSite := func(l Link) bool { return Origin(l.URL) == Origin(doc.URL.String()) && l.URL != doc.URL.String() }
	for _, l := range doc.Links {
		if sameSite(l) && mine(l.Text) {
			return &Step{Kind: Continue, Method: "GET", URL: l.URL, Via: "link", Pressed: l.Text}
		}
	}
	if len(doc.Forms) > 0 {
		return nil
	}
	ahead := keep(doc.Links, func(l Link) bool {
		m := meaningOf(l.Text)
		return sameSite(l) && !leadsOut(l.URL) && (m == proceeds || m == approves || v.Approve != "" && strings.EqualFold(l.Text, v.Approve))
	})
	if len(ahead) == 1 {
		return &Step{Kind: Continue, Method: "GET", URL: ahead[0].URL, Via: "link", Pressed: ahead[0].Text}
	}
	return nil
}

// leadsOut reports whether a URL says that it ends what is under way (/logout, ?cancel=1).
func leadsOut(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	for name := range u.Query() {
		if meaningOf(name) == denies {
			return true
		}
	}
	m := meaningOf(path.Base(u.Path))
	return m == denies || m == leaves
}

// asksForCode reports whether a page wants a one-time code that the target file does not supply.
func (d *Document) asksForCode(fields map[string]string) bool {
	for _, f := range d.Forms {
		for _, c := range f.Controls {
			if c.Hidden || c.Disabled || !c.textual() || fields[c.Name] != "" {
				continue
			}
			if strings.Contains(c.Autocomplete, "one-time-code") || anyWord(codeWords, c.Name, c.ID) {
				return true
			}
		}
	}
	return false
}

var wantsScript = regexp.MustCompile(`(?i)java\s?script`)

// needsScript reports whether a page shows nothing without scripts.
func (d *Document) needsScript() bool {
	if !d.Scripted || len(d.Forms) > 0 || len(d.Alerts) > 0 || errorWords.MatchString(d.Text) {
		return false
	}
	return len(d.Text) < 80 || len(d.Text) < 400 && wantsScript.MatchString(d.Text)
}

var errorWords = regexp.MustCompile(`(?i)\b(invalid|incorrect|wrong|failed|failure|denied|locked|disabled|expired|error|unknown|not found|falsch|ungültig|fehlgeschlagen|gesperrt|erreur|incorrecte?|invalide|échec|incorrectos?|inválid[oa]|fallid[oa]|bloquead[oa])\b`)

// Summary is what a page says, for messages: its error texts, else a sentence that sounds like one, else its title and
// text.
func (d *Document) Summary() string {
	if len(d.Alerts) > 0 {
		return strings.Join(d.Alerts, "; ")
	}
	if at := errorWords.FindStringIndex(d.Text); at != nil {
		from := strings.LastIndexAny(d.Text[:at[0]], ".!?") + 1
		return strings.TrimSpace(d.Text[from:])
	}
	return strings.TrimSpace(d.Title + " " + d.Text)
}
