package interop

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// maxPages is how many pages and redirects a sign-in may take.
const maxPages = 15

// Landing is where the provider sent the browser.
type Landing struct {
	URL  string            `json:"url"`
	Form map[string]string `json:"form,omitempty"` // the response where it is delivered as a form (response_mode=form_post)
}

// A resourceOwner plays the part of a user with a browser.
type resourceOwner struct {
	username, password string
	deny               bool // press the last button of the page that asks for consent, not the first
	browser            *http.Client
}

// withBrowser is the owner at a browser that has visited nothing yet.
func (o resourceOwner) withBrowser() (resourceOwner, error) {
	jar, err := cookiejar.New(nil)
	o.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return o, err
}

// visit opens a page of the provider, signs in and answers what is asked, until the browser leaves the provider. With stay
// it is content with a page that asks nothing (as the device flow's last one).
func (o resourceOwner) visit(ctx context.Context, target string, stay bool) (*Landing, error) {
	home, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	for range maxPages {
		response, err := o.browser.Do(request)
		if err != nil {
			return nil, err
		}
		page, err := html.Parse(response.Body)
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		here := response.Request.URL
		if response.Header.Get("Location") != "" {
			next, err := response.Location()
			if err != nil {
				return nil, err
			}
			if next.Host != home.Host || next.Scheme != home.Scheme {
				return &Landing{URL: next.String()}, nil
			}
			if request, err = http.NewRequestWithContext(ctx, http.MethodGet, next.String(), nil); err != nil {
				return nil, err
			}
			continue
		}
		form := findForm(page)
		if form == nil {
			if stay && response.StatusCode == http.StatusOK {
				return &Landing{URL: here.String()}, nil
			}
			return nil, fmt.Errorf("the provider's page leads nowhere (%s): %s", response.Status, text(page))
		}
		values := o.fill(form)
		action, err := here.Parse(form.action)
		if err != nil {
			return nil, err
		}
		if action.Host != home.Host || action.Scheme != home.Scheme {
			landing := &Landing{URL: action.String(), Form: map[string]string{}}
			for name := range values {
				landing.Form[name] = values.Get(name)
			}
			return landing, nil
		}
		request, err = http.NewRequestWithContext(ctx, http.MethodPost, action.String(), strings.NewReader(values.Encode()))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return nil, errors.New("the provider shows page after page")
}

// A form is the first one of a page.
type form struct {
	action  string
	fields  []field
	buttons []field
}

type field struct{ kind, name, value string }

func findForm(page *html.Node) *form {
	var found *form
	for n := range page.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "form" && found == nil:
			found = &form{action: attribute(n, "action")}
		case found == nil:
		case n.Data == "input" && attribute(n, "type") != "submit":
			found.fields = append(found.fields, field{attribute(n, "type"), attribute(n, "name"), attribute(n, "value")})
		case n.Data == "button" || n.Data == "input":
			found.buttons = append(found.buttons, field{"submit", attribute(n, "name"), attribute(n, "value")})
		}
	}
	return found
}

// fill is what the browser submits: hidden fields as they are, user name and password where they are asked for, and the button
// that agrees (the first) or, on a page that asks nothing else, the one that refuses (the last).
func (o resourceOwner) fill(f *form) url.Values {
	values := url.Values{}
	login := false
	for _, in := range f.fields {
		switch in.kind {
		case "password":
			login = true
			values.Set(in.name, o.password)
		case "text", "email", "":
			values.Set(in.name, in.value)
			if in.value == "" {
				values.Set(in.name, o.username)
			}
		case "hidden":
			values.Set(in.name, in.value)
		case "checkbox":
			values.Add(in.name, in.value)
		}
	}
	if len(f.buttons) == 0 {
		return values // a script submits it
	}
	button := f.buttons[0]
	if o.deny && !login {
		button = f.buttons[len(f.buttons)-1]
	}
	if button.name != "" {
		values.Set(button.name, button.value)
	}
	return values
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is what a page says.
func text(page *html.Node) string {
	var words []string
	for n := range page.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}
