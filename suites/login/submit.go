package login

import (
	"bytes"
	"mime/multipart"
	"net/url"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
)

const formMediaType = "application/x-www-form-urlencoded"

// params lists what a form submits, in the order of its controls (HTML standard, "constructing the entry list"): enabled
// controls with a name, checked boxes, selected options, and of the buttons only the pressed one.
func (f *Form) params(pressed *Control) []Param {
	var out []Param
	add := func(name, value string) { out = append(out, Param{name, value}) }
	for _, c := range f.Controls {
		if c.Disabled {
			continue
		}
		switch c.Type {
		case "submit", "button", "reset":
			if c == pressed && c.Name != "" {
				add(c.Name, c.Value)
			}
		case "image":
			if c == pressed {
				prefix := ""
				if c.Name != "" {
					prefix = c.Name + "."
				}
				add(prefix+"x", "1")
				add(prefix+"y", "1")
			}
		case "checkbox", "radio":
			if c.Checked && c.Name != "" {
				add(c.Name, c.Value)
			}
		case "select":
			for _, o := range c.chosen() {
				if c.Name != "" {
					add(c.Name, o.Value)
				}
			}
		case "file":
			if c.Name != "" && f.Enctype != "multipart/form-data" {
				add(c.Name, "")
			}
		default:
			if c.Name == "" {
				continue
			}
			value := c.Value
			if c.Type == "hidden" && c.Name == "_charset_" && value == "" {
				value = f.doc.Charset
			}
			add(c.Name, newlines.Replace(value))
		}
	}
	return out
}

var newlines = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n")

// chosen lists the selected options of a select; without one, and if it takes a single one, the first that can be chosen.
func (c *Control) chosen() []Option {
	selected := keep(c.Options, func(o Option) bool { return o.Selected && !o.Disabled })
	if c.Multiple {
		return selected
	}
	if len(selected) > 0 {
		return selected[len(selected)-1:]
	}
	enabled := keep(c.Options, func(o Option) bool { return !o.Disabled })
	if len(enabled) > 0 {
		return enabled[:1]
	}
	return nil
}

// submit builds the request that pressing a button makes; nil presses none.
func (f *Form) submit(pressed *Control) *Step {
	step := &Step{Method: f.Method, URL: f.Action, Params: f.params(pressed), Via: "form"}
	if pressed != nil {
		step.Pressed = pressed.Text
		if pressed.FormAction != "" {
			step.URL = pressed.FormAction
		}
		if pressed.FormMethod == "GET" || pressed.FormMethod == "POST" {
			step.Method = pressed.FormMethod
		}
	}
	encode := encoderFor(f.doc.Charset)
	if step.Method == "GET" {
		if u, err := url.Parse(step.URL); err == nil {
			u.RawQuery = urlencode(step.Params, encode) // the fragment stays (HTML standard, "mutate action URL")
			step.URL = u.String()
		}
		return step
	}
	switch f.Enctype {
	case "multipart/form-data":
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for _, p := range step.Params {
			// Writing to a buffer does not fail.
			_ = w.WriteField(encode(p.Name), encode(p.Value))
		}
		_ = w.Close()
		step.ContentType, step.Body = w.FormDataContentType(), body.Bytes()
	case "text/plain":
		var body strings.Builder
		for _, p := range step.Params {
			body.WriteString(encode(p.Name) + "=" + encode(p.Value) + "\r\n")
		}
		step.ContentType, step.Body = "text/plain", []byte(body.String())
	default:
		step.ContentType, step.Body = formMediaType, []byte(urlencode(step.Params, encode))
	}
	return step
}

func urlencode(params []Param, encode func(string) string) string {
	var out strings.Builder
	for i, p := range params {
		if i > 0 {
			out.WriteByte('&')
		}
		out.WriteString(url.QueryEscape(encode(p.Name)) + "=" + url.QueryEscape(encode(p.Value)))
	}
	return out.String()
}

// encoderFor returns the transcoding into a page's charset, in which its forms are submitted.
func encoderFor(name string) func(string) string {
	e, canonical := charset.Lookup(name)
	if e == nil || canonical == "utf-8" || canonical == "utf-16be" || canonical == "utf-16le" {
		return func(s string) string { return s }
	}
	return func(s string) string {
		out, err := encoding.HTMLEscapeUnsupported(e.NewEncoder()).String(s)
		if err != nil {
			return s
		}
		return out
	}
}
