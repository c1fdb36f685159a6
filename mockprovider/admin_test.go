package mockprovider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/profiles"
)

// document is the OpenAPI document as plain data.
func document(t testing.TB) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal(OpenAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// dig follows a path of keys into plain data.
func dig(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// resolved is a schema or response with its $ref followed.
func resolved(doc, v any) map[string]any {
	m, _ := v.(map[string]any)
	for {
		ref, ok := m["$ref"].(string)
		if !ok {
			return m
		}
		m, _ = dig(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
	}
}

// fits checks a value against a schema, as far as the document's schemas go.
func fits(doc, schema any, value any, where string) []string {
	s := resolved(doc, schema)
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, where+": "+fmt.Sprintf(format, args...)) }
	if all, ok := s["allOf"].([]any); ok {
		for _, part := range all {
			faults = append(faults, fits(doc, part, value, where)...)
		}
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, value) {
		fault("%v is not in %v", value, enum)
	}
	types, _ := s["type"].([]any)
	if one, ok := s["type"].(string); ok {
		types = []any{one}
	}
	kind := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Float64: "number", reflect.Int: "number", reflect.Slice: "array", reflect.Map: "object"}[reflect.ValueOf(value).Kind()]
	if kind == "number" && slices.Contains(types, "integer") {
		kind = "integer"
	}
	if len(types) > 0 && !slices.Contains(types, any(kind)) {
		fault("%v is no %v", value, types)
	}
	properties, _ := s["properties"].(map[string]any)
	if m, ok := value.(map[string]any); ok {
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, has := m[name.(string)]; !has {
				fault("%s is missing", name)
			}
		}
		for name, item := range m {
			if property, known := properties[name]; known {
				faults = append(faults, fits(doc, property, item, where+"."+name)...)
			} else if more, limited := s["additionalProperties"]; limited {
				if more == false {
					fault("%s is not in the document", name)
				} else {
					faults = append(faults, fits(doc, more, item, where+"."+name)...)
				}
			}
		}
	}
	if list, ok := value.([]any); ok {
		for i, item := range list {
			faults = append(faults, fits(doc, s["items"], item, fmt.Sprintf("%s[%d]", where, i))...)
		}
	}
	return faults
}

// The document and the handlers name the same operations.
func TestOpenAPINamesEveryOperation(t *testing.T) {
	doc := document(t)
	want := []string{"GET /healthz", "GET /openapi.yaml"}
	for _, r := range adminRoutes {
		want = append(want, r.method+" "+r.path)
	}
	var got []string
	ids := map[string]bool{}
	for path, item := range doc["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			got = append(got, strings.ToUpper(method)+" "+path)
			id, _ := dig(operation, "operationId").(string)
			if id == "" || ids[id] || dig(operation, "summary") == nil {
				t.Errorf("%s %s: operationId %q is missing or taken, or there is no summary", method, path, id)
			}
			ids[id] = true
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the document has\n%s\nthe handlers have\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The document and the structs have the same members.
func TestOpenAPIHasEveryMember(t *testing.T) {
	doc := document(t)
	for name, of := range map[string]reflect.Type{"Answer": reflect.TypeFor[Answer](), "Issuance": reflect.TypeFor[Issuance](), "Program": reflect.TypeFor[programEntry]()} {
		var want []string
		for key := range yamlFields(of) {
			want = append(want, key)
		}
		got := sortedKeys(dig(doc, "components", "schemas", name, "properties").(map[string]any))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the document has %v, the code %v", name, got, want)
		}
	}
	for name, of := range map[string]reflect.Type{"Tokens": reflect.TypeFor[Tokens](), "Callback": reflect.TypeFor[Callback](), "PendingDevice": reflect.TypeFor[PendingDevice](), "Request": reflect.TypeFor[recordedRequest]()} {
		var want []string
		for _, f := range reflect.VisibleFields(of) {
			if key := cut(f.Tag.Get("json"), ","); key != "" && key != "-" {
				want = append(want, key)
			}
		}
		got := sortedKeys(dig(doc, "components", "schemas", name, "properties").(map[string]any))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the document has %v, the code %v", name, got, want)
		}
	}
	for _, name := range []string{"Client", "User"} {
		known := yamlFields(map[string]reflect.Type{"Client": reflect.TypeFor[RegisteredClient](), "User": reflect.TypeFor[ResourceOwner]()}[name])
		for key := range dig(doc, "components", "schemas", name, "properties").(map[string]any) {
			if _, ok := known[key]; !ok {
				t.Errorf("%s.%s is not in the code", name, key)
			}
		}
	}
	for key := range dig(doc, "components", "schemas", "When", "properties").(map[string]any) {
		if _, ok := yamlFields(reflect.TypeFor[condition]())[key]; !ok {
			t.Errorf("When.%s is not in the code", key)
		}
	}
}

func adminRequest(t testing.TB, handler http.Handler, method, path string, body any, header ...string) (int, http.Header, []byte) {
	t.Helper()
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(data)
	}
	request := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:9090"+path, reader)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Header(), recorder.Body.Bytes()
}

// waits begins a device authorization with the user code that the examples have.
func waits(t *testing.T, p *Provider, space string) {
	t.Helper()
	if space != "" {
		p = p.Namespaces()[strings.TrimPrefix(space, "/namespaces/")]
	}
	same := profiles.Deviation{Name: "same-user-code", Do: profiles.Ops{{At: "user_code.generate", Args: map[string]any{"mode": "same"}}}}
	if err := p.DeviateWith(same, nil); err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: p.RoundTripper()}).PostForm(p.Endpoint(DeviceAuthorizationEndpoint), url.Values{"client_id": {"tv-app"}, "scope": {"read"}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
}

// Every example of the document fits its own schema, is taken by the handler, and is answered as the document says; also in a namespace.
func TestOpenAPIExamples(t *testing.T) {
	doc := document(t)
	for _, space := range []string{"", "/namespaces/space"} {
		for path, item := range doc["paths"].(map[string]any) {
			for method, operation := range item.(map[string]any) {
				if method == "parameters" || space != "" && (strings.HasPrefix(path, "/namespaces") || path == "/healthz" || path == "/openapi.yaml") {
					continue
				}
				content := dig(operation, "requestBody", "content", "application/json")
				bodies := map[string]any{"no body": nil}
				if examples, ok := dig(content, "examples").(map[string]any); ok {
					bodies = map[string]any{}
					for name, example := range examples {
						bodies[name] = dig(example, "value")
					}
				} else if content != nil {
					t.Errorf("%s %s has no examples", method, path)
				}
				for name, body := range bodies {
					t.Run(strings.TrimPrefix(space+" ", " ")+method+" "+path+" "+name, func(t *testing.T) {
						if body != nil {
							for _, fault := range fits(doc, dig(content, "schema"), body, "example") {
								t.Error(fault)
							}
						}
						p, err := NewHandler()
						if err != nil {
							t.Fatal(err)
						}
						if space != "" {
							if _, err := p.AddNamespace("space"); err != nil {
								t.Fatal(err)
							}
							if m, ok := body.(map[string]any); ok && strings.HasPrefix(toText(m["url"]), "http://mock.test/") {
								body = map[string]any{"url": strings.Replace(toText(m["url"]), "http://mock.test/", "http://mock.test/space/", 1)}
							}
						}
						handler := p.AdminHandler()
						target := space + path
						if path == "/devices" { // one waits
							waits(t, p, space)
						}
						if parameters, ok := dig(item, "parameters").([]any); ok {
							example := toText(dig(parameters[0], "example"))
							target = strings.Replace(target, "{id}", example, 1)
							if method == "delete" { // there has to be one
								p := p
								if space != "" {
									p = p.Namespaces()["space"]
								}
								p.Register(RegisteredClient{ID: example})
								p.AddUsers(ResourceOwner{Username: example})
								if space == "" {
									if _, err := p.AddNamespace(example); err != nil {
										t.Fatal(err)
									}
								}
							}
						}
						status, header, answer := adminRequest(t, handler, strings.ToUpper(method), target, body)
						described := resolved(doc, dig(operation, "responses", fmt.Sprint(status)))
						if status/100 != 2 || described == nil {
							t.Fatalf("%d %s", status, answer)
						}
						schema := dig(described, "content", "application/json", "schema")
						if schema == nil {
							if status == 204 && len(answer) > 0 {
								t.Errorf("%s", answer)
							}
							return
						}
						if header.Get("Content-Type") != "application/json" {
							t.Error(header)
						}
						var value any
						if err := json.Unmarshal(answer, &value); err != nil {
							t.Fatal(err)
						}
						for _, fault := range fits(doc, schema, value, "answer") {
							t.Error(fault)
						}
					})
				}
			}
		}
	}
}

// What is wrong is refused with words that help, and changes nothing.
func TestAdminRefuses(t *testing.T) {
	p, err := NewHandler()
	if err != nil {
		t.Fatal(err)
	}
	handler := p.AdminHandler()
	doc := document(t)
	for _, c := range []struct {
		call   string
		body   string
		status int
		says   string
	}{
		{"POST /answers", `{"when":{"endpoint":"tokn"},"then":[{"status":500}]}`, 400, `did you mean \"token\"`},
		{"POST /answers", `{"when":{"endpoint":"token"},"then":[{"statsu":500}]}`, 400, `did you mean \"status\"`},
		{"POST /answers", `{"then":[{"error":"x","body":"y"}]}`, 400, "exclude"},
		{"POST /answers", `{"then":[]}`, 400, "no answer"},
		{"POST /answers", `{"when":{"user":"alice"},"then":[{}]}`, 400, "not known yet"},
		{"POST /answers", `{"when":{"endpoint":"token","nth":0},"then":[{"status":500}]}`, 400, "when.nth: 0; the first is 1"},
		{"POST /claims", `{"when":{"acr_values":"high"},"set":{"a":1}}`, 400, "under param: param: {acr_values: …}"},
		{"POST /answers", `[]`, 400, "mapping"},
		{"POST /answers", `{`, 400, "not JSON"},
		{"POST /answers", ``, 400, "missing"},
		{"POST /answers", `{"then":[{"delay":"soon"}]}`, 400, "length of time"},
		{"POST /deviations", `{"deviations":["token-response-cachable"]}`, 400, "token-response-cacheable"},
		{"POST /deviations", `{"define":[{"name":"x","do":[{"at":"token.respnse","status":201}]}]}`, 400, "token.response"},
		{"POST /deviations", `{"define":[{"name":"x"}]}`, 400, "operations"},
		{"POST /deviations", `{"deviations":["service-unavailable:tims=2"]}`, 400, "did you mean times?"},
		{"POST /deviations", `{"deviations":["response-slow:delay=1h"]}`, 400, "not between 0 and 10m0s"},
		{"POST /answers", `{"then":[{"delay":"1h"}]}`, 400, "not between 0 and 10m0s"},
		{"GET /catalogue?kind=defect", ``, 400, "known are deviation, fault"},
		{"POST /deviations", `{}`, 400, "missing"},
		{"POST /claims", `{"set":{}}`, 400, "no claims"},
		{"POST /claims", `{"set":{"a":1},"when":{"nth":2}}`, 400, "nth"},
		{"POST /clock", `{}`, 400, "missing"},
		{"POST /clock", `{"set":"tomorrow"}`, 400, "2026"},
		{"POST /tokens", `{"user":"alicia"}`, 400, `did you mean \"alice\"`},
		{"POST /tokens", `{"client":"web-ap"}`, 400, `web-app`},
		{"POST /authorizations", `{"url":"http://mock.test/token"}`, 400, "not the authorization endpoint"},
		{"POST /authorizations", `{"url":"http://mock.test/authorize?client_id=nobody"}`, 400, "client_id is not known"},
		{"POST /devices", `{"user_code":"WDJB-MJHT"}`, 400, "none waits"},
		{"POST /devices", ``, 400, "which device"},
		{"POST /devices", `{"user":"alicia"}`, 400, "alice"},
		{"GET /requests?endpoint=tokn", ``, 400, "token"},
		{"GET /requests?endpiont=token", ``, 400, "endpoint"},
		{"GET /requests?endpoint=jwks&wait=1&timeout=10ms", ``, 408, "0 of 1"},
		{"GET /latches/a?held=1&timeout=10ms", ``, 408, "holds 0"},
		{"POST /latches/a", `{"action":"opne"}`, 400, "open"},
		{"POST /keys", `{"action":"rotat"}`, 400, "rotate"},
		{"PUT /clients/a", `{"redirect_urls":[]}`, 400, "redirect_uris"},
		{"PUT /clients/a", `{"private_key":"x"}`, 400, "PEM"},
		{"DELETE /clients/nobody", ``, 404, "no client"},
		{"DELETE /users/alicia", ``, 404, "alice"},
		{"POST /namespaces", `{"name":"a/b"}`, 400, "segment"},
		{"POST /namespaces", `{"name":"a","config":{"setings":{}}}`, 400, "settings"},
		{"POST /namespaces", `{"name":"a","clients":{}}`, 400, "unknown key"},
		{"DELETE /namespaces/a", ``, 404, "no namespace"},
		{"GET /namespaces/a/requests", ``, 404, "no namespace"},
		{"GET /request", ``, 404, "openapi.yaml"},
		{"PATCH /answers", ``, 405, "/answers answers DELETE, GET, POST, not PATCH"},
		{"GET /reset", ``, 405, "answers POST, not GET"},
		{"POST /namespaces/a/nowhere", ``, 404, "openapi.yaml"},
		{"GET /requests?nth=x", ``, 400, `nth: expected a whole number, found \"x\"`},
		{"GET /requests?wait=-1", ``, 400, "wait: expected a whole number"},
		{"GET /requests?timeout=soon", ``, 400, "timeout: expected a length of time"},
		{"GET /latches/a?held=x", ``, 400, "held: expected a whole number"},
		{"POST /authorizations", `{"user": "alice"}`, 400, "body.url: the authorization request is missing"},
		{"PUT /clients/shop", `{"secret": "x", "grants": ["pasword"]}`, 400, `body.grants: \"pasword\"; did you mean`},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		request := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:9090"+path, strings.NewReader(c.body))
		request.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		answer := recorder.Body.String()
		var value any
		if err := json.Unmarshal([]byte(answer), &value); err != nil || recorder.Code != c.status || !strings.Contains(answer, c.says) {
			t.Errorf("%s %s: %d %s, want %d with %q", c.call, c.body, recorder.Code, answer, c.status, c.says)
		}
		for _, fault := range fits(doc, dig(doc, "components", "schemas", "Error"), value, "error") {
			t.Error(fault)
		}
	}
	if pending := p.Pending(); len(pending) > 0 {
		t.Error(pending)
	}
	// A page in a browser cannot use it.
	if status, _, _ := adminRequest(t, handler, "POST", "/reset", nil, "Origin", "https://evil.example"); status != http.StatusForbidden {
		t.Error(status)
	}
	if status, _, _ := adminRequest(t, handler, "POST", "/clock", map[string]any{"advance": 1}, "Content-Type", "text/plain"); status != http.StatusUnsupportedMediaType {
		t.Error(status)
	}
	if status, _, _ := adminRequest(t, handler, "POST", "/clock", map[string]any{"set": strings.Repeat("x", maxBody)}); status != http.StatusRequestEntityTooLarge {
		t.Error(status)
	}
	if _, err := Start(Admin("192.0.2.1:0")); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Error(err)
	}
}

// The whole way over sockets: program, ask, wait, reset.
func TestAdminOverHTTP(t *testing.T) {
	p := New(t, Admin("127.0.0.1:0"), Seed(3))
	client := p.HTTPClient()
	client.Timeout = 20 * time.Second
	call := func(method, path, body string, want int) map[string]any {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, p.AdminURL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		data, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != want {
			t.Fatalf("%s %s: %s %s %v", method, path, response.Status, data, err)
		}
		var m map[string]any
		if len(data) > 0 {
			if err := json.Unmarshal(data, &m); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	ask := func() (int, map[string]any) {
		t.Helper()
		response, err := client.Post(p.Endpoint(TokenEndpoint), "application/x-www-form-urlencoded",
			strings.NewReader("grant_type=client_credentials&client_id=service&client_secret=not-a-secret.service.0123456789abcdef"))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var m map[string]any
		if err := json.NewDecoder(response.Body).Decode(&m); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, m
	}
	_, first := ask()
	call("POST", "/answers", `{"when":{"endpoint":"token","client":"service"},"then":[{"status":400,"error":"invalid_scope"}]}`, 204)
	if status, m := ask(); status != 400 || m["error"] != "invalid_scope" {
		t.Error(status, m)
	}
	found := call("GET", "/requests?endpoint=token&client=service&wait=2&timeout=10s", "", 200)["requests"].([]any)
	if len(found) != 2 || dig(found[1], "error") != "invalid_scope" || dig(found[1], "target") != "/token" {
		t.Error(found)
	}
	call("POST", "/claims", `{"set":{"role":"admin"}}`, 204)
	token := call("POST", "/tokens", `{"client":"service","scopes":["read"]}`, 200)["access_token"]
	if token == "" {
		t.Error("no token")
	}
	call("POST", "/deviations", `{"deviations":["token-response-cacheable"]}`, 204)
	call("POST", "/clock", `{"set":"2030-01-31T12:00:00Z"}`, 200)
	if now := call("GET", "/clock", "", 200)["now"]; now != "2030-01-31T12:00:00Z" {
		t.Error(now)
	}
	call("PUT", "/users/carol", `{"password":"x"}`, 200)
	call("DELETE", "/clients/service", "", 204)
	if status, _ := ask(); status != 401 {
		t.Error(status)
	}
	call("POST", "/reset", "", 204)
	if status, again := ask(); status != 200 || again["access_token"] != first["access_token"] {
		t.Error("a seeded provider does not begin again", first, again)
	}
	d := call("GET", "/description", "", 200)
	if d["deviations"] != nil || d["admin"] != p.AdminURL() || strings.Contains(fmt.Sprint(d["users"]), "carol") || p.Clock().Now().Year() > 2029 {
		t.Error(d)
	}
	if len(p.Requests()) != 1 {
		t.Error(p.Requests())
	}
	response, err := client.Get(p.AdminURL() + "/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if data, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(data, OpenAPI()) {
		t.Error(err)
	}
}

// A test in another language orders faults, and holds a request, over HTTP.
func TestFaultsOverHTTP(t *testing.T) {
	p, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	handler := p.AdminHandler()
	call := func(method, path, body string, want int) string {
		t.Helper()
		var data any
		if body != "" {
			if err := json.Unmarshal([]byte(body), &data); err != nil {
				t.Fatal(err)
			}
		}
		status, _, answer := adminRequest(t, handler, method, path, data)
		if status != want {
			t.Fatalf("%s %s: %d %s", method, path, status, answer)
		}
		return string(answer)
	}
	status := make(chan int, 1)
	ask := func() {
		response, err := p.HTTPClient().Post(p.Endpoint(TokenEndpoint), "application/x-www-form-urlencoded", strings.NewReader("grant_type=client_credentials&client_id=service&client_secret=not-a-secret.service.0123456789abcdef"))
		if err != nil {
			status <- 0
			return
		}
		response.Body.Close()
		status <- response.StatusCode
	}
	next := func() int { ask(); return <-status }

	var list struct {
		Catalogue []catalogueEntry `json:"catalogue"`
	}
	if err := json.Unmarshal([]byte(call("GET", "/catalogue?kind=fault", "", 200)), &list); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list.Catalogue, func(e catalogueEntry) bool { return e.Name == "service-unavailable" })
	if i < 0 || list.Catalogue[i].StandsFor == "" || len(list.Catalogue[i].Params) != 2 || slices.ContainsFunc(list.Catalogue, func(e catalogueEntry) bool { return e.Kind != "fault" || e.Breaks != "" }) {
		t.Error(list.Catalogue)
	}
	call("POST", "/deviations", `{"deviations":["service-unavailable:client=service,times=1"]}`, 204)
	if a, b := next(), next(); a != 503 || b != 200 {
		t.Error(a, b)
	}
	call("POST", "/deviations", `{"deviations":["response-held:latch=mine,times=1"]}`, 204)
	go ask()
	if got := call("GET", "/latches/mine?held=1&timeout=20s", "", 200); !strings.Contains(got, `"held":1`) {
		t.Error(got)
	}
	select {
	case got := <-status:
		t.Error("answered already", got)
	default:
	}
	call("POST", "/latches/mine", `{"action":"open"}`, 204)
	if got := <-status; got != 200 {
		t.Error(got)
	}
	call("POST", "/answers", `{"when":{"endpoint":"token"},"then":[{"latch":"other","status":418}]}`, 204)
	go ask()
	call("GET", "/latches/other?held=1&timeout=20s", "", 200)
	if err := p.Close(); err != nil { // nobody opens it
		t.Fatal(err)
	}
	<-status
}

// Whatever the administration is sent, it answers with a status that it has, and stays in shape.
func FuzzAdmin(f *testing.F) {
	f.Add("POST", "/answers", []byte(`{"when":{"endpoint":"token","nth":2},"then":[{"status":400,"error":"invalid_grant","times":-1},{"truncate":3}]}`))
	f.Add("POST", "/deviations", []byte(`{"define":[{"name":"x","params":[{"name":"a","default":"1"}],"do":{"at":"token.response","status":"$a"}}],"deviations":["x:a=201"]}`))
	f.Add("POST", "/claims", []byte(`{"set":{"a":{"b":["${request:x|upper}",null,1e400]}},"when":{"client":["!web-app","*"]}}`))
	f.Add("POST", "/namespaces", []byte(`{"name":"n","config":{"clients":{"a":{"secret":"b"}},"answers":[{"then":{"reset":true}}],"deviations":["x"]}}`))
	f.Add("POST", "/authorizations", []byte(`{"url":"http://mock.test/authorize?client_id=web-app&response_type=code&redirect_uri=https://client.example/callback","scopes":["read"]}`))
	f.Add("GET", "/requests?param.a=*&nth=-1&wait=0&timeout=1ms", []byte(nil))
	f.Add("PUT", "/clients/%2f%00", []byte(`{"jwks":{"keys":[]}}`))
	f.Add("POST", "/clock", []byte(`{"advance":1e300}`))
	f.Add("GET", "/latches/x?held=1&timeout=1ns", []byte(nil))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		if strings.Contains(path, "timeout") && !strings.Contains(path, "timeout=1") || strings.Contains(path, "wait") || strings.Contains(path, "held") && !strings.Contains(path, "timeout") {
			t.Skip("would wait")
		}
		p, err := NewHandler()
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:9090"+path, bytes.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/") {
			t.Skip("no request that net/http would hand over")
		}
		request.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		p.AdminHandler().ServeHTTP(recorder, request)
		switch recorder.Code {
		case 200, 204, 301, 307, 400, 403, 404, 405, 408, 413, 415:
		default:
			t.Errorf("%d %s", recorder.Code, recorder.Body)
		}
		if media := recorder.Header().Get("Content-Type"); media == "application/json" && !json.Valid(recorder.Body.Bytes()) {
			t.Errorf("%s", recorder.Body)
		}
		// The provider still answers.
		p.ForgetAnswers()
		probe := httptest.NewRecorder()
		p.ServeHTTP(probe, httptest.NewRequestWithContext(t.Context(), "GET", "http://mock.test/.well-known/oauth-authorization-server", nil))
		if probe.Code != 200 && len(p.Describe().Deviations) == 0 {
			t.Error(probe.Code)
		}
	})
}
