package login

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

// The bounds of a page, so that a hostile one costs little.
const (
	maxForms    = 64
	maxControls = 2000
	maxLinks    = 2000
	maxDepth    = 512
	maxText     = 16 << 10
)

// Document is what a browser without scripting knows of an HTML page.
type Document struct {
	URL      *url.URL // of the page
	Base     *url.URL // that relative references resolve against
	Charset  string   // "utf-8", "iso-8859-1", …
	Title    string
	Text     string   // visible text, white space collapsed
	Alerts   []string // texts of elements that look like error messages
	Forms    []*Form
	Links    []Link
	Refresh  *Navigation // from a Refresh header or a meta element
	Script   *Navigation // first navigation found in a script; a guess, because scripts are not run
	Scripted bool        // there are scripts
	Captcha  string      // name of a captcha widget on the page
}

// Link is a hyperlink with an absolute target.
type Link struct{ URL, Text string }

// Navigation is a change of location that a page makes without the user.
type Navigation struct {
	URL   string // absolute
	Via   string // "refresh" (header), "meta" or "script"
	Delay time.Duration
}

// Form is an HTML form.
type Form struct {
	ID, Name, Class string
	Method          string // GET or POST
	Action          string // absolute
	Enctype         string
	Text            string // visible text inside
	Submits         bool   // a script or an onload attribute submits it without the user
	Controls        []*Control
	doc             *Document
}

// Control is an input, button, select or textarea.
type Control struct {
	Type         string // of an input; "button" elements have their type prefixed: "submit", "button", "reset"; else "select", "textarea"
	Name, Value  string
	ID           string
	Label        string
	Placeholder  string
	Autocomplete string
	Text         string // of a button
	OnClick      string
	Checked      bool
	Disabled     bool
	Hidden       bool     // not visible: type hidden, the attribute, or a style
	Options      []Option // of a select
	FormAction   string   // absolute; overrides the form's action
	FormMethod   string
	Multiple     bool
	owner        string // form attribute
}

// Option is a choice of a select.
type Option struct {
	Value, Text        string
	Selected, Disabled bool
}

// IsHTML reports whether a page is HTML, by its media type or, without one, by its first bytes.
func (p *Page) IsHTML() bool {
	mediaType, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	if err != nil {
		mediaType, _, _ = mime.ParseMediaType(http.DetectContentType(p.Body))
	}
	return mediaType == "text/html" || mediaType == "application/xhtml+xml"
}

// Parse reads a page. It never fails: what cannot be read is not there. A page that is not HTML yields a document with at
// most a Refresh.
func Parse(p *Page) *Document {
	u, err := url.Parse(p.URL)
	if err != nil {
		u = &url.URL{}
	}
	u.Fragment = ""
	d := &Document{URL: u, Base: u, Charset: "utf-8"}
	if refresh := p.Header.Get("Refresh"); refresh != "" {
		d.Refresh = d.parseRefresh(refresh, "refresh")
	}
	if !p.IsHTML() {
		return d
	}
	_, name, _ := charset.DetermineEncoding(p.Body, p.Header.Get("Content-Type"))
	var body io.Reader = bytes.NewReader(p.Body)
	// windows-1252 is also the answer for "not known"; a page that is valid UTF-8 is read as such.
	if name != "utf-8" && !(name == "windows-1252" && utf8.Valid(p.Body)) {
		if r, err := charset.NewReaderLabel(name, body); err == nil {
			body, d.Charset = r, name
		}
	}
	b := builder{doc: d, labels: map[string]string{}}
	b.read(html.NewTokenizer(body))
	b.finish()
	return d
}

// builder reads a page's tokens in order. It works on tokens and not on a tree because the standard's form pointer (which
// control belongs to which form) follows the order of tokens, also where tables tear the tree apart.
type builder struct {
	doc      *Document
	text     strings.Builder
	stack    []string // open elements
	form     *Form
	formText strings.Builder
	orphans  []*Control
	controls int

	button   *Control // open button element
	selected *Control // open select
	option   *Option
	textarea *Control
	link     *Link
	title    bool
	captured strings.Builder // text of the innermost of button, option, textarea, link, title

	labelFor  string
	labelText strings.Builder
	labelled  []*Control // controls inside the open label
	inLabel   bool
	labels    map[string]string

	templates  int
	raw        string // "script" or "style" while inside
	scripts    strings.Builder
	alertDepth int
	hidden     int // depth of the outermost open element that is not displayed
	alert      strings.Builder
	fieldsets  []bool // disabled?
	onload     string
}

var void = map[atom.Atom]bool{
	atom.Area: true, atom.Base: true, atom.Br: true, atom.Col: true, atom.Embed: true, atom.Hr: true, atom.Img: true,
	atom.Input: true, atom.Link: true, atom.Meta: true, atom.Source: true, atom.Track: true, atom.Wbr: true,
}

func (b *builder) read(z *html.Tokenizer) {
	z.SetMaxBuf(1 << 20)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			b.addText(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			if t.DataAtom == atom.Noscript { // without scripting its content is part of the page
				z.NextIsNotRawText()
			}
			b.start(t)
		case html.EndTagToken:
			b.end(z.Token())
		}
	}
}

func attributes(t html.Token) map[string]string {
	attrs := make(map[string]string, len(t.Attr))
	for _, a := range t.Attr {
		if _, twice := attrs[a.Key]; !twice {
			attrs[a.Key] = a.Val
		}
	}
	return attrs
}

func (b *builder) addText(s string) {
	switch {
	case b.raw == "script":
		if b.scripts.Len() < 1<<20 {
			b.scripts.WriteString(s + "\n")
		}
		return
	case b.raw != "" || b.templates > 0:
		return
	}
	if b.button != nil || b.option != nil || b.textarea != nil || b.link != nil || b.title {
		b.captured.WriteString(s)
	}
	if b.title || b.textarea != nil || b.option != nil {
		return
	}
	limited(&b.text, s)
	if b.form != nil {
		limited(&b.formText, s)
	}
	if b.inLabel {
		limited(&b.labelText, s)
	}
	if b.alertDepth > 0 {
		limited(&b.alert, s)
	}
}

func limited(to *strings.Builder, s string) {
	if room := maxText - to.Len(); room > 0 {
		to.WriteString(strings.ToValidUTF8(s[:min(len(s), room)], "") + " ")
	}
}

var (
	alertMark  = regexp.MustCompile(`(?i)(^|[-_ ])(error|errors|alert|invalid|danger|feedback|warning|fehler|erreur)([-_ ]|$)`)
	invisible  = regexp.MustCompile(`(?i)(display\s*:\s*none|visibility\s*:\s*hidden)`)
	captchas   = regexp.MustCompile(`(?i)(g-recaptcha|h-captcha|cf-turnstile|frc-captcha|altcha)`)
	captchaURL = regexp.MustCompile(`(?i)(recaptcha/api\d?/anchor|hcaptcha\.com/captcha|arkoselabs|geetest)`)
)

func (b *builder) start(t html.Token) {
	attrs := attributes(t)
	if !void[t.DataAtom] && t.DataAtom != atom.Script && t.DataAtom != atom.Style {
		b.push(t.Data)
	}
	switch t.DataAtom {
	case atom.Template:
		b.templates++
		return
	case atom.Script:
		b.doc.Scripted = true
		if t.Type == html.StartTagToken {
			b.raw = "script"
			if kind := strings.ToLower(attrs["type"]); kind != "" && !strings.Contains(kind, "javascript") && kind != "module" {
				b.raw = "style" // data, not a script
			}
		}
		return
	case atom.Style:
		if t.Type == html.StartTagToken {
			b.raw = "style"
		}
		return
	}
	if b.templates > 0 {
		return
	}
	if widget := captchas.FindString(attrs["class"]); widget != "" && !strings.EqualFold(attrs["data-size"], "invisible") {
		b.doc.Captcha = strings.ToLower(widget)
	}
	_, hidden := attrs["hidden"]
	hidden = hidden || invisible.MatchString(attrs["style"])
	if hidden && b.hidden == 0 && !void[t.DataAtom] {
		b.hidden = len(b.stack)
	}
	if b.alertDepth == 0 && b.hidden == 0 && !void[t.DataAtom] && !hidden &&
		t.DataAtom != atom.Body && t.DataAtom != atom.Html && t.DataAtom != atom.Form &&
		(attrs["role"] == "alert" || attrs["aria-live"] == "assertive" || alertMark.MatchString(attrs["class"]) || alertMark.MatchString(attrs["id"])) {
		b.alertDepth = len(b.stack)
		b.alert.Reset()
	}
	switch t.DataAtom {
	case atom.Base:
		if href, ok := attrs["href"]; ok && b.doc.Base == b.doc.URL {
			if u, err := b.doc.URL.Parse(strings.TrimSpace(href)); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
				b.doc.Base = u
			}
		}
	case atom.Meta:
		if strings.EqualFold(attrs["http-equiv"], "refresh") && (b.doc.Refresh == nil || b.doc.Refresh.Via != "refresh") {
			b.doc.Refresh = b.doc.parseRefresh(attrs["content"], "meta")
		}
	case atom.Title:
		b.title = true
		b.captured.Reset()
	case atom.Body:
		b.onload += attrs["onload"] + "\n"
	case atom.Iframe:
		if captchaURL.MatchString(attrs["src"]) {
			b.doc.Captcha = "captcha"
		}
	case atom.Form:
		if b.form == nil && len(b.doc.Forms) < maxForms {
			b.startForm(attrs)
		}
	case atom.A:
		if href, ok := attrs["href"]; ok && b.button == nil && len(b.doc.Links) < maxLinks {
			if u := b.doc.resolve(href); u != "" {
				b.link = &Link{URL: u, Text: attrs["aria-label"]}
				b.captured.Reset()
			}
		}
	case atom.Label:
		b.inLabel, b.labelFor, b.labelled = true, attrs["for"], nil
		b.labelText.Reset()
	case atom.Fieldset:
		_, disabled := attrs["disabled"]
		b.fieldsets = append(b.fieldsets, disabled)
	case atom.Input:
		b.addControl(attrs, strings.ToLower(attrs["type"]))
	case atom.Button:
		kind := strings.ToLower(attrs["type"])
		if kind != "button" && kind != "reset" {
			kind = "submit"
		}
		if b.button = b.addControl(attrs, kind); b.button != nil {
			b.captured.Reset()
		}
	case atom.Select:
		b.selected = b.addControl(attrs, "select")
	case atom.Option:
		b.closeOption()
		if b.selected != nil && len(b.selected.Options) < maxControls {
			value, given := attrs["value"]
			_, selected := attrs["selected"]
			_, disabled := attrs["disabled"]
			b.option = &Option{Value: value, Selected: selected, Disabled: disabled}
			if !given {
				b.option.Value = "\x00" // its text, once that is read
			}
			b.captured.Reset()
		}
	case atom.Textarea:
		if b.textarea = b.addControl(attrs, "textarea"); b.textarea != nil {
			b.captured.Reset()
		}
	}
}

func (b *builder) end(t html.Token) {
	switch t.DataAtom {
	case atom.Script, atom.Style:
		b.raw = ""
		return
	case atom.Template:
		b.templates = max(0, b.templates-1)
	case atom.Title:
		if b.title {
			b.doc.Title = collapse(b.captured.String())
			b.title = false
		}
	case atom.Form:
		b.endForm()
	case atom.A:
		b.closeLink()
	case atom.Label:
		b.closeLabel()
	case atom.Fieldset:
		if n := len(b.fieldsets); n > 0 {
			b.fieldsets = b.fieldsets[:n-1]
		}
	case atom.Button:
		if b.button != nil {
			if text := collapse(b.captured.String()); text != "" {
				b.button.Text = text
			}
			b.button = nil
		}
	case atom.Option:
		b.closeOption()
	case atom.Select:
		b.closeOption()
		b.selected = nil
	case atom.Textarea:
		if b.textarea != nil {
			b.textarea.Value = strings.TrimPrefix(strings.TrimPrefix(b.captured.String(), "\r"), "\n")
			b.textarea = nil
		}
	}
	b.pop(t.Data)
}

// push and pop keep the open elements only as far as the end of an alert needs them.
func (b *builder) push(tag string) {
	if n := len(b.stack); n > 0 && (tag == "p" || tag == "li") && b.stack[n-1] == tag {
		b.pop(tag)
	}
	if len(b.stack) < maxDepth {
		b.stack = append(b.stack, tag)
	}
}

func (b *builder) pop(tag string) {
	for i := len(b.stack) - 1; i >= 0; i-- {
		if b.stack[i] == tag {
			b.stack = b.stack[:i]
			break
		}
	}
	if b.alertDepth > 0 && len(b.stack) < b.alertDepth {
		b.closeAlert()
	}
	if len(b.stack) < b.hidden {
		b.hidden = 0
	}
}

func (b *builder) closeAlert() {
	if text := collapse(b.alert.String()); text != "" && len(b.doc.Alerts) < 20 {
		b.doc.Alerts = append(b.doc.Alerts, text)
	}
	b.alertDepth = 0
}

func (b *builder) closeOption() {
	if b.option == nil || b.selected == nil {
		b.option = nil
		return
	}
	b.option.Text = collapse(b.captured.String())
	if b.option.Value == "\x00" {
		b.option.Value = b.option.Text
	}
	b.selected.Options = append(b.selected.Options, *b.option)
	b.option = nil
}

func (b *builder) closeLink() {
	if b.link != nil {
		if text := collapse(b.captured.String()); text != "" {
			b.link.Text = text
		}
		b.doc.Links = append(b.doc.Links, *b.link)
		b.link = nil
	}
}

func (b *builder) closeLabel() {
	if !b.inLabel {
		return
	}
	text := collapse(b.labelText.String())
	if b.labelFor != "" {
		b.labels[b.labelFor] = text
	}
	for _, c := range b.labelled {
		c.Label = text
	}
	b.inLabel = false
}

func (b *builder) startForm(attrs map[string]string) {
	f := &Form{ID: attrs["id"], Name: attrs["name"], Class: attrs["class"], Method: "GET", Enctype: formMediaType, doc: b.doc}
	if m := strings.ToUpper(attrs["method"]); m == "POST" || m == "DIALOG" {
		f.Method = m
	}
	switch e := strings.ToLower(attrs["enctype"]); e {
	case "multipart/form-data", "text/plain":
		f.Enctype = e
	}
	// An empty action means the document, not its base URL.
	if action := strings.TrimSpace(attrs["action"]); action != "" {
		f.Action = b.doc.resolve(action)
	} else {
		f.Action = b.doc.URL.String()
	}
	b.form = f
	b.formText.Reset()
	b.doc.Forms = append(b.doc.Forms, f)
}

func (b *builder) endForm() {
	if b.form != nil {
		b.form.Text = collapse(b.formText.String())
		b.form = nil
	}
}

func (b *builder) addControl(attrs map[string]string, kind string) *Control {
	if b.controls++; b.controls > maxControls {
		return nil
	}
	if kind == "" {
		kind = "text"
	}
	c := &Control{
		Type: kind, Name: attrs["name"], Value: attrs["value"], ID: attrs["id"], Placeholder: attrs["placeholder"],
		Autocomplete: strings.ToLower(attrs["autocomplete"]), OnClick: attrs["onclick"],
		FormMethod: strings.ToUpper(attrs["formmethod"]), owner: attrs["form"], Label: attrs["aria-label"],
	}
	if _, given := attrs["value"]; !given && (kind == "checkbox" || kind == "radio") {
		c.Value = "on"
	}
	if action := strings.TrimSpace(attrs["formaction"]); action != "" {
		c.FormAction = b.doc.resolve(action)
	}
	if kind == "submit" || kind == "button" || kind == "reset" {
		c.Text = attrs["aria-label"]
		if c.Text == "" {
			c.Text = collapse(c.Value) // of an input; a button element's text replaces it
		}
	}
	if kind == "image" {
		c.Text = attrs["alt"]
	}
	_, c.Checked = attrs["checked"]
	_, c.Disabled = attrs["disabled"]
	_, c.Multiple = attrs["multiple"]
	_, c.Hidden = attrs["hidden"]
	c.Hidden = c.Hidden || b.hidden > 0 || kind == "hidden" || attrs["aria-hidden"] == "true" || invisible.MatchString(attrs["style"])
	for _, disabled := range b.fieldsets {
		c.Disabled = c.Disabled || disabled
	}
	if kind != "hidden" && strings.Contains(strings.ToLower(c.Name), "captcha") {
		b.doc.Captcha = "captcha"
	}
	if b.inLabel {
		b.labelled = append(b.labelled, c)
	}
	switch {
	case c.owner != "":
		b.orphans = append(b.orphans, c)
	case b.form != nil:
		b.form.Controls = append(b.form.Controls, c)
	}
	return c
}

// finish closes what the page left open and joins what only the end of the page decides: labels, controls with a form
// attribute, scripts.
func (b *builder) finish() {
	b.closeOption()
	b.closeLink()
	b.closeLabel()
	b.endForm()
	if b.alertDepth > 0 {
		b.closeAlert()
	}
	d := b.doc
	d.Text = collapse(b.text.String())
	for _, c := range b.orphans {
		for _, f := range d.Forms {
			if f.ID == c.owner {
				f.Controls = append(f.Controls, c)
				break
			}
		}
	}
	for _, f := range d.Forms {
		for _, c := range f.Controls {
			if text := b.labels[c.ID]; c.ID != "" && text != "" {
				c.Label = text
			}
		}
	}
	d.Forms = keep(d.Forms, func(f *Form) bool { return f.Action != "" && f.Method != "DIALOG" })
	b.readScripts()
}

func keep[T any](in []T, good func(T) bool) []T {
	var out []T
	for _, v := range in {
		if good(v) {
			out = append(out, v)
		}
	}
	return out
}

// resolve makes a reference absolute; "" for what a browser does not request or leave the page for.
func (d *Document) resolve(ref string) string {
	u, err := d.Base.Parse(strings.Map(dropControls, strings.TrimSpace(ref)))
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "javascript", "data", "mailto", "tel", "about", "blob", "file", "vbscript", "":
		return ""
	}
	return u.String()
}

func dropControls(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

var refreshValue = regexp.MustCompile(`(?is)^\s*(\d*)(?:\.\d*)?\s*[;,\s]\s*(?:url\s*=)?\s*(.*)$`)

func (d *Document) parseRefresh(value, via string) *Navigation {
	m := refreshValue.FindStringSubmatch(value)
	if m == nil {
		return nil
	}
	target := strings.TrimSpace(m[2])
	if len(target) > 0 && (target[0] == '"' || target[0] == '\'') {
		target, _, _ = strings.Cut(target[1:], target[:1])
	}
	u := d.resolve(target)
	if u == "" || target == "" {
		return nil
	}
	seconds, err := strconv.Atoi(m[1])
	if err != nil && m[1] != "" || seconds > 86400 {
		seconds = 86400
	}
	return &Navigation{URL: u, Via: via, Delay: time.Duration(seconds) * time.Second}
}

var (
	submitCall   = regexp.MustCompile(`\.(submit|requestSubmit)\s*\(\s*\)|\bclick\s*\(\s*\)`)
	submitByName = regexp.MustCompile(`(?:document\.forms\[['"]([^'"]+)['"]\]|document\.forms\.(\w+)|document\.(\w+)|getElementById\(['"]([^'"]+)['"]\))\.(?:submit|requestSubmit)\s*\(`)
	navigation   = regexp.MustCompile("(?:\\blocation(?:\\.href)?\\s*=\\s*|\\blocation\\.(?:replace|assign)\\s*\\(\\s*)(\"(?:[^\"\\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\\n]|\\\\.)*'|`[^`$]*`)")
)

// readScripts guesses what the page's scripts do when it loads. A form counts as submitting itself if a script calls
// submit and the user has nothing to enter or choose in it.
func (b *builder) readScripts() {
	d, code := b.doc, b.onload+b.scripts.String()
	if m := firstRun(submitCall, code); m != nil {
		if f := submittedForm(d, code); f != nil && (f.passive() || submitCall.MatchString(b.onload) && !f.asks()) {
			f.Submits = true
		}
	}
	if m := firstRun(navigation, code); m != nil {
		if u := d.resolve(unquoteScript(code[m[2]:m[3]])); u != "" {
			d.Script = &Navigation{URL: u, Via: "script"}
		}
	}
}

// firstRun finds the first match of an expression in code that runs when the page loads, as far as its braces tell.
func firstRun(expr *regexp.Regexp, code string) []int {
	for _, m := range expr.FindAllStringSubmatchIndex(code, 20) {
		if runsOnLoad(code, m[0]) {
			return m
		}
	}
	return nil
}

var (
	declaration = regexp.MustCompile(`function\s+([\w$]+)\s*\([^)]*\)\s*$`)
	userEvent   = regexp.MustCompile(`on(click|submit|change|key\w+)\b|['"](click|submit|change|key\w+|input)['"]`)
)

// runsOnLoad reports whether none of the blocks around a place belongs to a function that only a user event, or nothing,
// calls.
func runsOnLoad(code string, at int) bool {
	var headers []string
	start := 0
	for i := 0; i < at; i++ {
		switch code[i] {
		case ';':
			start = i + 1
		case '{':
			headers = append(headers, code[max(start, i-200):i])
			start = i + 1
		case '}':
			headers = headers[:max(0, len(headers)-1)]
			start = i + 1
		}
	}
	for _, header := range headers {
		if userEvent.MatchString(header) {
			return false
		}
		if m := declaration.FindStringSubmatch(header); m != nil && strings.Count(code, m[1]+"(") < 2 {
			return false
		}
	}
	return true
}

func submittedForm(d *Document, code string) *Form {
	if len(d.Forms) == 0 {
		return nil
	}
	for _, m := range submitByName.FindAllStringSubmatch(code, 10) {
		for _, name := range m[1:] {
			for _, f := range d.Forms {
				if name != "" && (f.ID == name || f.Name == name) {
					return f
				}
			}
		}
	}
	return d.Forms[0]
}

// passive reports whether a form has nothing but hidden fields and at most one button.
func (f *Form) passive() bool {
	buttons := 0
	for _, c := range f.Controls {
		switch {
		case c.Type == "submit" || c.Type == "image" || c.Type == "button":
			buttons++
		case !c.Hidden:
			return false
		}
	}
	return buttons <= 1
}

// asks reports whether a form has a field that the user would fill in.
func (f *Form) asks() bool {
	for _, c := range f.Controls {
		if c.textual() && !c.Hidden {
			return true
		}
	}
	return false
}

func (c *Control) textual() bool {
	switch c.Type {
	case "hidden", "checkbox", "radio", "submit", "image", "button", "reset", "select", "file", "range", "color":
		return false
	}
	return true
}

// buttonLike reports whether pressing the control submits its form.
func (c *Control) buttonLike() bool { return c.Type == "submit" || c.Type == "image" }

// unquoteScript reads a string literal of JavaScript.
func unquoteScript(literal string) string {
	s := literal[1 : len(literal)-1]
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		i++
		digits := map[byte]int{'x': 2, 'u': 4}[s[i]]
		if digits > 0 && i+digits < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+1+digits], 16, 32); err == nil {
				out.WriteRune(rune(n))
				i += digits
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// collapse joins white space and drops what a terminal or an XML report could not carry.
func collapse(s string) string {
	fields := strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError || r == '\u200b' || r == '\ufeff'
	})
	return strings.Join(fields, " ")
}

// shorten cuts a text for a message.
func shorten(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit-1]) + "…"
}
