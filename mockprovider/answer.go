package mockprovider

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// answer is what an answering step hands to send: everything that operations may change.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// json answers with a JSON object. Headers that are set on x.w before belong to the answer.
func (x *exchange) json(step string, status int, o object) {
	header := x.w.Header()
	header.Set("Content-Type", "application/json")
	o = x.p.shuffle.members(o)
	ops := x.ops(step)
	if len(ops) == 0 {
		x.send(&answer{status, header, x.encode(o)})
		return
	}
	for _, op := range ops {
		x.fired(op)
		x.pause(op.Delay)
		o = op.Members.edit(x, o)
		for _, name := range op.Duplicate {
			if v, ok := o.get(name); ok {
				o = append(o, member{name, v})
			}
		}
	}
	for _, op := range ops {
		if op.Members.Wrap != "" {
			o = object{{op.Members.Wrap, o}}
		}
	}
	for _, op := range ops {
		o = op.Members.beside(x, o)
	}
	a := &answer{status, header, x.encode(o)}
	for _, op := range ops {
		a.reformat(op.Format, o)
	}
	x.edit(a, ops, o.variables())
	x.send(a)
}

// encode writes a JSON object as the settings want it.
func (x *exchange) encode(o object) []byte {
	return x.appendJSON(make([]byte, 0, o.size()), o)
}

func (x *exchange) appendJSON(b []byte, o object) []byte {
	if !x.p.settings.EscapedJSON {
		return o.append(b)
	}
	return append(b, escapeJSON(o.encode())...)
}

// uncacheable sets the headers that RFC 6749 section 5.1 demands of every answer with credentials.
func (x *exchange) uncacheable() {
	header := x.w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")
}

// fail answers with an error response of RFC 6749 section 5.2.
func (x *exchange) fail(step string, e *oauthError) {
	x.err = e
	status := e.Status
	if status == 0 {
		status = http.StatusBadRequest
		if e.Code == "invalid_client" {
			status = x.p.invalidClientStatus(e)
		}
	}
	x.uncacheable()
	x.status = status
	if e.Allow != "" {
		x.w.Header().Set("Allow", e.Allow)
	}
	if e.Code == "invalid_client" && (e.Challenge || status == http.StatusUnauthorized) {
		x.challenge(x.endpoint+".challenge", "Basic", params{{"realm", x.p.realm()}})
	}
	x.json(step, status, x.errorObject(e))
}

func (x *exchange) errorObject(e *oauthError) object {
	o := make(object, 0, 3)
	if e.Code != "" {
		o = append(o, member{"error", e.Code})
	}
	if e.Description != "" && x.p.shuffle.keep("error_description") {
		o = append(o, member{"error_description", e.Description})
	}
	if e.URI != "" {
		o = append(o, member{"error_uri", e.URI})
	}
	return o
}

// challenge sets WWW-Authenticate (RFC 9110 section 11.6.1).
func (x *exchange) challenge(step, scheme string, ps params) {
	ops := x.ops(step)
	for _, o := range ops {
		x.fired(o)
		if o.Remove {
			return
		}
		if o.Scheme != "" {
			scheme = o.Scheme
		}
		ps = o.Params.edit(x, ps)
		for _, name := range o.Duplicate {
			if v, ok := ps.lookup(name); ok {
				ps = append(ps, param{name, v})
			}
		}
	}
	var b strings.Builder
	b.WriteString(scheme)
	for i, p := range ps {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte(' ')
		b.WriteString(p.name)
		b.WriteString(`="`)
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p.value))
		b.WriteByte('"')
	}
	value := b.String()
	for _, o := range ops {
		for _, name := range sortedKeys(o.Params.Raw) {
			value += ", " + name + "=" + x.expand(o.Params.Raw[name])
		}
		if o.Value != nil {
			value = x.expandWith(*o.Value, ps.get)
		}
	}
	x.w.Header().Add("WWW-Authenticate", value)
}

// reformat writes a JSON object in another format.
func (a *answer) reformat(format string, o object) {
	switch format {
	case "form":
		var ps params
		for _, m := range o {
			ps = append(ps, param{m.name, toText(m.value)})
		}
		a.header.Set("Content-Type", "application/x-www-form-urlencoded")
		a.body = []byte(ps.encode())
	case "html":
		a.header.Set("Content-Type", "text/html; charset=utf-8")
		a.body = []byte("<!DOCTYPE html><html lang=\"en\"><title>Answer</title><p>" + html.EscapeString(string(a.body)) + "</p></html>")
	case "text":
		var b strings.Builder
		for _, m := range o {
			b.WriteString(m.name + ": " + toText(m.value) + "\n")
		}
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
		a.body = []byte(b.String())
	case "xml":
		var b strings.Builder
		b.WriteString("<answer>")
		for _, m := range o {
			b.WriteString("<" + m.name + ">" + html.EscapeString(toText(m.value)) + "</" + m.name + ">")
		}
		b.WriteString("</answer>")
		a.header.Set("Content-Type", "application/xml")
		a.body = []byte(b.String())
	case "array":
		a.body = encodeValue([]any{o})
	case "empty":
		a.body = nil
	}
}

// edit applies the operations that all answers have in common.
func (x *exchange) edit(a *answer, ops []*op, variables func(string) string) {
	for _, o := range ops {
		x.fired(o)
		if o.Status != 0 {
			a.status = o.Status
		}
		if o.Body != nil {
			original := string(a.body)
			a.body = []byte(strings.ReplaceAll(x.expandWith(*o.Body, variables), "$body", original))
		}
		if o.Append != "" {
			a.insert(x.expandWith(o.Append, variables))
		}
		a.encode(o.Encoding)
		if o.ContentType != nil {
			setContentType(a.header, x.expand(*o.ContentType))
		}
		x.editHeader(a.header, &o.Header, variables)
	}
}

func setContentType(header http.Header, value string) {
	if value == "" {
		header["Content-Type"] = nil // keeps net/http from guessing one
		return
	}
	header.Set("Content-Type", value)
}

func (x *exchange) editHeader(header http.Header, e *headerEdit, variables func(string) string) {
	for _, name := range e.Remove {
		if strings.EqualFold(name, "Content-Type") {
			setContentType(header, "")
			continue
		}
		header.Del(name)
	}
	for _, name := range sortedKeys(e.Set) {
		header.Set(name, headerSafe(x.expandWith(e.Set[name], variables)))
	}
	for _, name := range sortedKeys(e.Add) {
		for _, value := range e.Add[name] {
			header.Add(name, headerSafe(x.expandWith(value, variables)))
		}
	}
	// A field value with line ends, as a server that lets them through would send it.
	for i, line := range strings.Split(x.expandWith(e.Inject, variables), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && i > 0 {
			header.Add(strings.TrimSpace(name), headerSafe(strings.TrimSpace(value)))
		}
	}
}

func headerSafe(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }

// insert puts text before the end of an HTML page, or after anything else.
func (a *answer) insert(text string) {
	if i := bytes.LastIndex(a.body, []byte("</body>")); i >= 0 {
		a.body = slices.Concat(a.body[:i], []byte(text), a.body[i:])
		return
	}
	a.body = append(a.body, text...)
}

func (a *answer) encode(encoding string) {
	switch encoding {
	case "bom":
		a.body = append([]byte("\ufeff"), a.body...)
	case "utf-16":
		var b []byte
		for _, unit := range utf16.Encode([]rune("\ufeff" + string(a.body))) {
			b = binary.BigEndian.AppendUint16(b, unit)
		}
		a.body = b
	case "latin1":
		a.body = []byte(latin1(string(a.body)))
	case "gzip":
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(a.body)
		z.Close()
		a.body = b.Bytes()
		a.header.Set("Content-Encoding", "gzip")
	}
}

// page answers with an HTML page that a browser must not cache, frame or take resources from elsewhere into.
func (x *exchange) page(step string, status int, name string, data pageData) {
	header := x.w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	data.Nonce = x.p.random.text(22, base64URL)
	policy := "default-src 'none'; style-src 'nonce-" + data.Nonce + "'; script-src 'nonce-" + data.Nonce + "'; base-uri 'none'; frame-ancestors 'none'"
	if data.Logo != "" {
		policy += "; img-src http: https:"
	}
	header.Set("Content-Security-Policy", policy)
	a := &answer{status, header, renderPage(name, data)}
	if ops := x.ops(step); len(ops) > 0 {
		x.edit(a, ops, nil)
	}
	x.send(a)
}

// redirect sends the browser to x.redirectURI with an authorization response (RFC 6749 section 4.1.2, 4.2.2) in the query,
// the fragment or a form that submits itself (OAuth 2.0 Form Post Response Mode).
func (x *exchange) redirect(step string, ps params, in string) {
	header := x.w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Pragma", "no-cache")
	header.Set("Referrer-Policy", "no-referrer")
	ps = x.p.shuffle.params(ps)
	ops := x.ops(step)
	r := redirection{target: x.redirectURI, in: in, via: "location", escape: map[string]string{}}
	for _, o := range ops {
		x.fired(o)
		ps = o.Params.edit(x, ps)
		for _, name := range sortedKeys(o.Transform) {
			for i := range ps {
				if name != "*" && ps[i].name != name {
					continue
				}
				for _, way := range o.Transform[name] {
					if f, err := transformer(way); err == nil {
						ps[i].value = f(ps[i].value)
					}
				}
			}
		}
		r.change(x, o, ps)
	}
	status := x.redirectStatus()
	a := &answer{status: status, header: header}
	r.write(x, a, ps)
	if len(ops) > 0 {
		x.edit(a, ops, ps.get)
	}
	x.send(a)
}

// redirection is where a redirect goes and how.
type redirection struct {
	target    string
	in        string // query, fragment, form_post, both
	via       string // location, refresh, meta, script, form, link, page
	joiner    string // "" for the right one
	fragment  string
	raw       []string // name=value pairs without any encoding
	escape    map[string]string
	dropQuery bool
}

func (r *redirection) change(x *exchange, o *op, ps params) {
	if o.In != "" {
		r.in = o.In
	}
	if o.Via != "" {
		r.via = o.Via
	}
	if o.To != "" {
		r.target = x.expandWith(o.To, ps.get)
	}
	if o.Joiner != "" {
		r.joiner = o.Joiner
	}
	if o.Fragment != "" {
		r.fragment = x.expandWith(o.Fragment, ps.get)
	}
	r.dropQuery = r.dropQuery || o.DropQuery
	maps.Copy(r.escape, o.Escape)
	for _, name := range sortedKeys(o.Params.Raw) {
		r.raw = append(r.raw, name+"="+x.expandWith(o.Params.Raw[name], ps.get))
	}
}

// encode writes the parameters, each in the escaping that a deviation chose for it.
func (r *redirection) encode(ps params) string {
	parts := make([]string, 0, len(ps)+len(r.raw))
	for _, p := range ps {
		way, ok := r.escape[p.name]
		if !ok {
			way = r.escape["*"]
		}
		value := url.QueryEscape(p.value)
		switch way {
		case "raw":
			value = p.value
		case "percent":
			value = strings.ReplaceAll(value, "+", "%20")
		case "double":
			value = url.QueryEscape(value)
		case "html":
			value = url.QueryEscape(html.EscapeString(p.value))
		case "latin1":
			value = url.QueryEscape(latin1(p.value))
		}
		parts = append(parts, url.QueryEscape(p.name)+"="+value)
	}
	return strings.Join(append(parts, r.raw...), "&")
}

func (r *redirection) write(x *exchange, a *answer, ps params) {
	target := r.target
	if r.dropQuery {
		target, _, _ = strings.Cut(target, "?")
	}
	if r.in == "form_post" {
		fields := make([]formField, len(ps))
		for i, p := range ps {
			fields[i] = formField{p.name, p.value}
		}
		x.html(a, "form_post.html", pageData{Action: target, Fields: fields})
		x.decision.called(target, ps)
		return
	}
	encoded := r.encode(ps)
	if (r.in == "query" || r.in == "both") && encoded != "" {
		joiner := r.joiner
		if joiner == "naive" { // without regard to a fragment
			joiner = "?"
			if strings.Contains(target, "?") {
				joiner = "&"
			}
			r.finish(x, a, target+joiner+encoded, encoded, ps)
			return
		}
		if joiner == "" {
			joiner = "?"
			if strings.Contains(target, "?") {
				joiner = "&"
			}
			if strings.HasSuffix(target, "?") || strings.HasSuffix(target, "&") {
				joiner = ""
			}
		}
		target, fragment, hasFragment := strings.Cut(target, "#")
		target += joiner + encoded
		if hasFragment {
			target += "#" + fragment
		}
		r.finish(x, a, target, encoded, ps)
		return
	}
	r.finish(x, a, target, encoded, ps)
}

func (r *redirection) finish(x *exchange, a *answer, target, encoded string, ps params) {
	switch {
	case (r.in == "fragment" || r.in == "both") && encoded != "":
		target += "#" + encoded
	case r.fragment != "":
		target += "#" + r.fragment
	}
	x.decision.called(target, ps)
	switch r.via {
	case "location":
		a.header["Location"] = []string{headerSafe(target)}
	case "refresh":
		a.status = http.StatusOK
		a.header.Set("Refresh", "0; url="+headerSafe(target))
		x.html(a, "page.html", pageData{Title: "Signed in", Text: "You are being sent back to the application."})
	case "page":
		x.html(a, "page.html", pageData{Title: "Signed in", Text: "You are signed in. You may close this window."})
	case "form": // a form with GET replaces the query of its action
		action, query, _ := strings.Cut(target, "?")
		var fields []formField
		ps, _ := parseForm(cut(query, "#"), formDialect{})
		for _, p := range ps {
			fields = append(fields, formField{p.name, p.value})
		}
		x.html(a, "redirect_form.html", pageData{Action: action, Fields: fields})
	default:
		x.html(a, "redirect_"+r.via+".html", pageData{Action: target})
	}
}

// html turns an answer into a page.
func (x *exchange) html(a *answer, name string, data pageData) {
	a.status = http.StatusOK
	data.Nonce = x.p.random.text(22, base64URL)
	a.header.Set("Content-Type", "text/html; charset=utf-8")
	a.header.Set("X-Frame-Options", "DENY")
	a.header.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+data.Nonce+"'; script-src 'nonce-"+data.Nonce+"'; base-uri 'none'; frame-ancestors 'none'")
	a.body = renderPage(name, data)
}

// redirectStatus is 303 where the request may carry credentials (RFC 9700 section 4.12: never 307).
func (x *exchange) redirectStatus() int {
	if x.r.Method == http.MethodPost {
		return http.StatusSeeOther
	}
	return x.p.shuffle.redirectStatus()
}

// edit applies operations on parameters; Raw is left to the caller.
func (e *paramEdit) edit(x *exchange, ps params) params {
	before := ps
	variables := func(name string) string { return before.get(name) }
	for _, name := range e.Remove {
		ps = slices.Clone(ps).remove(name)
	}
	if len(e.Keep) > 0 {
		ps = slices.DeleteFunc(slices.Clone(ps), func(p param) bool { return !slices.Contains(e.Keep, p.name) })
	}
	for _, from := range sortedKeys(e.Rename) {
		for i := range ps {
			if ps[i].name == from {
				ps[i].name = e.Rename[from]
			}
		}
	}
	for _, name := range sortedKeys(e.Set) {
		ps = ps.set(name, x.expandWith(toText(e.Set[name]), variables))
	}
	for _, name := range sortedKeys(e.Replace) {
		if ps.has(name) {
			ps = ps.set(name, x.expandWith(toText(e.Replace[name]), variables))
		}
	}
	for _, name := range sortedKeys(e.Add) {
		ps = append(ps, param{name, x.expandWith(toText(e.Add[name]), variables)})
	}
	for _, name := range e.Repeat {
		for _, value := range ps.all(name) {
			ps = append(ps, param{name, value})
		}
	}
	if len(e.Order) > 0 {
		ps = slices.Clone(ps)
		slices.SortStableFunc(ps, func(a, b param) int { return place(e.Order, a.name) - place(e.Order, b.name) })
	}
	return ps
}

// send puts an answer on the wire, through the transport step of the endpoint.
func (x *exchange) send(a *answer) {
	truncate := -1
	var trickle, drip time.Duration
	if len(x.program) != 0 {
		for _, o := range x.ops(x.endpoint + ".transport") {
			if !o.Header.empty() {
				x.fired(o)
				x.editHeader(a.header, &o.Header, nil)
			}
			if o.ContentType != nil {
				x.fired(o)
				setContentType(a.header, *o.ContentType)
			}
			if o.Truncate != nil {
				x.fired(o)
				truncate = *o.Truncate
			}
			if o.Trickle+o.Drip > 0 {
				x.fired(o)
				trickle, drip = max(trickle, o.Trickle), max(drip, o.Drip)
			}
		}
	}
	x.status = a.status
	if bodyAllowed(a.status) {
		a.header["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	body := a.body
	cut := truncate >= 0 && truncate < len(body) && bodyAllowed(a.status)
	if cut {
		body = body[:truncate]
	}
	if trickle+drip > 0 {
		x.sendSlowly(a, body, trickle, drip)
	} else {
		x.w.WriteHeader(a.status)
		if len(body) > 0 && bodyAllowed(a.status) {
			x.w.Write(body)
		}
	}
	if cut {
		http.NewResponseController(x.w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// intercept is the transport step before anything else happens; true means that it answered.
func (x *exchange) intercept() bool {
	step := x.endpoint + ".transport"
	if len(x.program) == 0 || len(x.program[step]) == 0 {
		return false
	}
	undo := x.preview() // conditions may be on the client or a parameter
	if x.interceptWith(x.ops(step)) {
		return true
	}
	undo()
	return false
}

func (x *exchange) interceptWith(ops []*op) bool {
	for _, o := range ops {
		if o.Latch != "" {
			x.fired(o)
			x.waitAt(x.p.root.Latch(o.Latch))
		}
		if o.Delay > 0 {
			x.fired(o)
			x.pause(o.Delay)
		}
		if o.Reset {
			x.fired(o)
			x.reset()
		}
		if o.Redirect != "" {
			x.fired(o)
			x.w.Header().Set("Location", x.expand(o.Redirect))
			status := o.Status
			if status == 0 {
				status = http.StatusFound
			}
			x.send(&answer{status: status, header: x.w.Header()})
			return true
		}
		if o.Status != 0 {
			x.fired(o)
			body := ""
			if o.Body != nil {
				body = x.expand(*o.Body)
			}
			x.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			x.send(&answer{o.Status, x.w.Header(), []byte(body)})
			return true
		}
	}
	return false
}
