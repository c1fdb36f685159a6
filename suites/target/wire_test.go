package target

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// listener answers every connection with a fixed response and keeps the raw bytes of each request.
type listener struct {
	net.Listener
	requests chan string
}

func newListener(t testing.TB, answer string) *listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := &listener{l, make(chan string, 100)}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go out.serve(conn, answer)
		}
	}()
	return out
}

func (l *listener) serve(conn net.Conn, answer string) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	var head strings.Builder
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		head.WriteString(line)
		if name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); strings.EqualFold(name, "Content-Length") {
			for _, d := range value {
				length = length*10 + int(d-'0')
			}
		}
		if line == "\r\n" {
			break
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return
	}
	l.requests <- head.String() + string(body)
	_, _ = io.WriteString(conn, answer)
}

func (l *listener) url() string { return "http://" + l.Addr().String() }

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"

// TestEditsOnTheWire compares the raw bytes that a listener sees with what the edits say.
func TestEditsOnTheWire(t *testing.T) {
	l := newListener(t, okAnswer)
	client := &Client{Name: "primary", ID: "id", Secret: "s:e%c+r t"}
	other := &Client{Name: "second", ID: "other", Secret: "x"}
	basic := func(s string) string { return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	const form = "Content-Type: application/x-www-form-urlencoded"
	for name, test := range map[string]struct {
		edits       []RequestEdit
		line, body  string
		has, hasNot []string
	}{
		"baseline":              {nil, "POST /token HTTP/1.1", "grant_type=g&scope=a+b", []string{basic("id:s%3Ae%25c%2Br+t"), form}, nil},
		"decoded value":         {[]RequestEdit{Set("scope", "%2F&=+ ä~*")}, "", "grant_type=g&scope=%252F%26%3D%2B+%C3%A4~%2A", nil, nil},
		"raw value":             {[]RequestEdit{SetRaw("scope", "%2F+%zz")}, "", "grant_type=g&scope=%2F+%zz", nil, nil},
		"raw empty value":       {[]RequestEdit{SetRaw("scope", "")}, "", "grant_type=g&scope=", nil, nil},
		"empty value":           {[]RequestEdit{Set("scope", "")}, "", "grant_type=g&scope=", nil, nil},
		"omit":                  {[]RequestEdit{Omit("scope")}, "", "grant_type=g", nil, nil},
		"omit all":              {[]RequestEdit{Omit("scope", "grant_type")}, "", "", []string{form, "Content-Length: 0"}, nil},
		"add":                   {[]RequestEdit{Add("scope", "c")}, "", "grant_type=g&scope=a+b&scope=c", nil, nil},
		"prepend":               {[]RequestEdit{Prepend("scope", "c")}, "", "scope=c&grant_type=g&scope=a+b", nil, nil},
		"repeat":                {[]RequestEdit{Repeat("grant_type")}, "", "grant_type=g&scope=a+b&grant_type=g", nil, nil},
		"set after add":         {[]RequestEdit{Add("grant_type", "c"), Set("grant_type", "d")}, "", "grant_type=d&scope=a+b", nil, nil},
		"rename":                {[]RequestEdit{Rename("grant_type", "Grant_Type")}, "", "Grant_Type=g&scope=a+b", nil, nil},
		"post":                  {[]RequestEdit{Auth(Post)}, "", "grant_type=g&scope=a+b&client_id=id&client_secret=s%3Ae%25c%2Br+t", nil, []string{"Authorization"}},
		"post, empty secret":    {[]RequestEdit{Auth(Post), Set("client_secret", "")}, "", "grant_type=g&scope=a+b&client_id=id&client_secret=", nil, nil},
		"post and back":         {[]RequestEdit{Auth(Post), Auth(Basic)}, "", "grant_type=g&scope=a+b", []string{basic("id:s%3Ae%25c%2Br+t")}, nil},
		"none":                  {[]RequestEdit{Auth(NoClientAuth)}, "", "grant_type=g&scope=a+b&client_id=id", nil, []string{"Authorization"}},
		"no client at all":      {[]RequestEdit{Auth(NoClientAuth), Omit("client_id")}, "", "grant_type=g&scope=a+b", nil, []string{"Authorization"}},
		"another client":        {[]RequestEdit{As(other)}, "", "grant_type=g&scope=a+b", []string{basic("other:x")}, nil},
		"raw basic":             {[]RequestEdit{BasicCredentials("i:d", "%41")}, "", "grant_type=g&scope=a+b", []string{basic("i:d:%41")}, nil},
		"header":                {[]RequestEdit{Header("X-Probe", "a; b"), Header("User-Agent", "")}, "", "grant_type=g&scope=a+b", []string{"X-Probe: a; b", "User-Agent: oauthcheck"}, nil},
		"two headers":           {[]RequestEdit{AddHeader("Authorization", "Bearer x")}, "", "grant_type=g&scope=a+b", []string{"Authorization: Bearer x", basic("id:s%3Ae%25c%2Br+t")}, nil},
		"host":                  {[]RequestEdit{Header("Host", "evil.example")}, "", "grant_type=g&scope=a+b", []string{"Host: evil.example"}, nil},
		"get":                   {[]RequestEdit{Method("GET")}, "GET /token?grant_type=g&scope=a+b HTTP/1.1", "", nil, []string{"Content-Type", "Content-Length"}},
		"put":                   {[]RequestEdit{Method("PUT")}, "PUT /token HTTP/1.1", "grant_type=g&scope=a+b", nil, nil},
		"params in query":       {[]RequestEdit{ParamsInQuery()}, "POST /token?grant_type=g&scope=a+b HTTP/1.1", "", []string{form, "Content-Length: 0"}, nil},
		"query param":           {[]RequestEdit{QueryParam("client_id", "i/d")}, "POST /token?client_id=i%2Fd HTTP/1.1", "grant_type=g&scope=a+b", nil, nil},
		"move to query":         {[]RequestEdit{MoveToQuery("scope")}, "POST /token?scope=a+b HTTP/1.1", "grant_type=g", nil, nil},
		"raw query":             {[]RequestEdit{RawQuery("a=%2f&%zz;x=\"<>{}|^`'")}, "POST /token?a=%2f&%zz;x=\"<>{}|^`' HTTP/1.1", "grant_type=g&scope=a+b", nil, nil},
		"raw form":              {[]RequestEdit{RawForm("a=b&&=%\r\n\x00")}, "", "a=b&&=%\r\n\x00", nil, nil},
		"json":                  {[]RequestEdit{Set("scope", "<\"\\\u2028"), Add("scope", "x"), JSONBody()}, "", "{\"grant_type\":\"g\",\"scope\":\"<\\\"\\\\\\u2028\",\"scope\":\"x\"}", []string{"Content-Type: application/json"}, nil},
		"form again":            {[]RequestEdit{JSONBody(), FormBody()}, "", "grant_type=g&scope=a+b", []string{form}, nil},
		"content type":          {[]RequestEdit{ContentType("text/plain")}, "", "grant_type=g&scope=a+b", []string{"Content-Type: text/plain"}, nil},
		"no content type":       {[]RequestEdit{ContentType("")}, "", "grant_type=g&scope=a+b", nil, []string{"Content-Type"}},
		"edit":                  {[]RequestEdit{Edit(func(r *Request) { r.Params = r.Params[:1] })}, "", "grant_type=g", nil, nil},
		"endpoint with query":   {[]RequestEdit{Edit(func(r *Request) { r.URL += "?realm=a%2fb#frag" }), QueryParam("x", "1")}, "POST /token?realm=a%2fb&x=1 HTTP/1.1", "grant_type=g&scope=a+b", nil, nil},
		"endpoint without path": {[]RequestEdit{Edit(func(r *Request) { r.URL = strings.TrimSuffix(r.URL, "/token") }), QueryParam("x", "1")}, "POST /?x=1 HTTP/1.1", "grant_type=g&scope=a+b", nil, nil},
		"odd path":              {[]RequestEdit{Edit(func(r *Request) { r.URL = strings.TrimSuffix(r.URL, "token") + "a%2Fb//c;d" })}, "POST /a%2Fb//c;d HTTP/1.1", "grant_type=g&scope=a+b", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			config := Config{Target: l.url(), Endpoints: Endpoints{Token: l.url() + "/token"}, Clients: Clients{Primary: client, Second: other}}
			run := newRun(t, config)
			var resp *Response
			mustPass(t, run, func(as *AS) {
				req := as.NewRequest(http.MethodPost, as.Endpoint(TokenEndpoint))
				req.Params = []Param{{Name: "grant_type", Value: "g"}, {Name: "scope", Value: "a b"}}
				req.authenticate(client, "")
				resp = as.Send(req.Apply(test.edits...))
			})
			raw := <-l.requests
			head, body, _ := strings.Cut(raw, "\r\n\r\n")
			if line, _, _ := strings.Cut(head, "\r\n"); test.line != "" && line != test.line || test.line == "" && line != "POST /token HTTP/1.1" {
				t.Errorf("request line %q, want %q", line, test.line)
			}
			if body != test.body {
				t.Errorf("body %q, want %q", body, test.body)
			}
			for _, field := range test.has {
				if !strings.Contains(head+"\r\n", "\r\n"+field+"\r\n") {
					t.Errorf("no field %q in\n%s", field, head)
				}
			}
			for _, name := range test.hasNot {
				if strings.Contains(head, "\r\n"+name+":") {
					t.Errorf("field %q in\n%s", name, head)
				}
			}
			if x := resp.Exchange.Request; x.Body != test.body || !strings.HasSuffix(x.URL, strings.Fields(head)[1]) && !strings.HasPrefix(strings.Fields(head)[1], "/?") {
				t.Errorf("the evidence says %s with %q", x.URL, x.Body)
			}
		})
	}
}

func TestARequestThatCannotBeSentIsTheHarnesssFault(t *testing.T) {
	run := newRun(t, newServer(t).config())
	for name, edit := range map[string]RequestEdit{
		"line break in the query": RawQuery("a=b\r\nX: y"), "unknown scheme": Edit(func(r *Request) { r.URL = "ftp://x/" }),
		"bad method": Method("A B"), "bad header": Header("X", "a\nb"),
	} {
		t.Run(name, func(t *testing.T) {
			mustEnd(t, run, "inconclusive", "", func(as *AS) {
				as.Send(as.NewRequest("POST", as.Endpoint(TokenEndpoint)).Apply(edit, AnyStatus()))
				t.Error("sent")
			})
		})
	}
}

// tamper changes requests on their way to the network, as a faulty transport would.
type tamper struct {
	next   http.RoundTripper
	change func(*http.Request)
}

func (t tamper) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	t.change(req)
	return t.next.RoundTrip(req)
}

func TestTheRecorderNoticesWhatWasNotDeclared(t *testing.T) {
	s := newServer(t)
	for name, change := range map[string]func(*http.Request){
		"query":  func(r *http.Request) { r.URL.RawQuery = "x=1" },
		"method": func(r *http.Request) { r.Method = "PUT" },
		"header": func(r *http.Request) { r.Header.Set("Accept", "x") },
		"field":  func(r *http.Request) { r.Header.Set("X-More", "x") },
		"body":   func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("grant_type=other&and=more&of=it")) },
		"empty":  func(r *http.Request) { r.Body, r.ContentLength = nil, 0 },
		"host":   func(r *http.Request) { r.URL.Host = "localhost:1" },
	} {
		t.Run(name, func(t *testing.T) {
			run := newRun(t, s.config())
			run.transport = tamper{run.transport, change}
			mustEnd(t, run, "inconclusive", "the harness is to blame", func(as *AS) {
				r := as.NewRequest("POST", as.Endpoint(TokenEndpoint)).Apply(Set("grant_type", "client_credentials"))
				as.Send(r)
			})
		})
	}
}
