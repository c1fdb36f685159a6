package mockprovider

import (
	"bytes"
	"embed"
	"html/template"
	"net/url"
	"sync"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates are parsed when the first page is shown.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(templateFiles, "templates/*.html"))
})

// pageData is what a page shows.
type pageData struct {
	Title, Text string
	Nonce       string // for the Content-Security-Policy
	Action      string // where a form or a redirect goes
	Transaction string
	CSRF        string
	Error       string // a message about the last attempt
	Username    string
	Client      *RegisteredClient
	Host        string // where the client's redirect_uri leads
	User        *ResourceOwner
	Scopes      []string
	Links       []pageLink // to pages of the client
	Logo        string     // URL of the client's logo
	Combined    bool
	Code        string // OAuth error code
	UserCode    string // of a device (RFC 8628)
	Fields      []formField
}

type formField struct{ Name, Value string }

// renderPage fills a template. html/template escapes everything that comes from a request.
func renderPage(name string, data pageData) []byte {
	var b bytes.Buffer
	if data.Action != "" && name != "login.html" && name != "consent.html" && name != "device.html" && name != "end_session.html" {
		return renderAction(name, data)
	}
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		return []byte("page " + name + " cannot be shown: " + err.Error())
	}
	return b.Bytes()
}

// renderAction is renderPage for pages that lead to a client: its redirect URI may have a scheme of its own
// (RFC 8252 section 7.1), which html/template would replace, so it is marked as safe once it is known to be no script.
func renderAction(name string, data pageData) []byte {
	var b bytes.Buffer
	shown := struct {
		pageData
		Action template.URL
	}{data, "about:blank"}
	if u, err := url.Parse(data.Action); err == nil && u.Scheme != "javascript" && u.Scheme != "data" && u.Scheme != "vbscript" {
		shown.Action = template.URL(data.Action)
	}
	if err := templates().ExecuteTemplate(&b, name, shown); err != nil {
		return []byte("page " + name + " cannot be shown: " + err.Error())
	}
	return b.Bytes()
}
