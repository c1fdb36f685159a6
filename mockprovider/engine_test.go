package mockprovider

import (
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/oauthcheck/oauthcheck/profiles"
)

func declare(name string, ops ...profiles.Op) []declaration {
	return []declaration{{profiles.Deviation{Name: name, Source: "file.yaml", Do: ops, Params: []profiles.Param{{Name: "status", Default: "201"}, {Name: "stat", Default: "x"}}}, nil}}
}

// TestCompileErrors: an author of a deviation is told the file, the deviation, the step, the operation and the nearest right word.
func TestCompileErrors(t *testing.T) {
	for _, test := range []struct {
		op   profiles.Op
		want []string
	}{
		{profiles.Op{At: "token.reponse", Args: map[string]any{"status": 201}}, []string{"file.yaml", "deviation d", `no step "token.reponse"`, `did you mean "token.response"`}},
		{profiles.Op{At: "token.response", Args: map[string]any{"skip": true}}, []string{"step token.response", `no operation "skip" on a response step`}},
		{profiles.Op{At: "token.response", Args: map[string]any{"statsu": 1}}, []string{`did you mean "status"`}},
		{profiles.Op{At: "token.response", Args: map[string]any{"members": map[string]any{"remov": "x"}}}, []string{`members.remov: unknown key; did you mean "remove"`}},
		{profiles.Op{At: "token.response", Args: map[string]any{"status": "many"}}, []string{"status: expected a whole number", "many"}},
		{profiles.Op{At: "token.response", Args: map[string]any{"format": "jsom"}}, []string{"format", "jsom"}},
		{profiles.Op{At: "token.response"}, []string{"no operation", "status, header"}},
		{profiles.Op{At: "authorize.redirect_uri.match", Args: map[string]any{"mode": "prefx"}}, []string{`no mode "prefx"; did you mean "prefix"`}},
		{profiles.Op{At: "token.method", Args: map[string]any{"mode": "all"}}, []string{`no mode "all"`}},
		{profiles.Op{At: "token.authorization_code.known", Args: map[string]any{"refuse": map[string]any{"eror": "x"}}}, []string{`refuse.eror: unknown key; did you mean "error"`}},
		{profiles.Op{At: "code.lifetime", Args: map[string]any{"set": "long"}}, []string{"length of time", "long"}},
		{profiles.Op{At: "token.response", When: map[string]any{"grnt": "x"}, Args: map[string]any{"status": 201}}, []string{`when.grnt: unknown key; did you mean "grant"`}},
		{profiles.Op{At: "token.response", When: map[string]any{"endpoint": "tokn"}, Args: map[string]any{"status": 201}}, []string{`no endpoint "tokn"; did you mean "token"`}},
		{profiles.Op{At: "authorize.response", Args: map[string]any{"transform": map[string]any{"state": "uper"}}}, []string{`no transform "uper"; did you mean "upper"`}},
		{profiles.Op{At: "token.transport", Args: map[string]any{"delay": "soon"}}, []string{"delay", "length of time"}},
	} {
		_, err := compile(declare("d", test.op))
		if err == nil {
			t.Errorf("%v: no error", test.op)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: error %q lacks %q", test.op, err, want)
			}
		}
	}
	if _, err := compile([]declaration{{profiles.Deviation{Name: "d", Do: profiles.Ops{{At: "token.response", Args: map[string]any{"status": 201}}}}, map[string]string{"x": "y"}}}); err == nil || !strings.Contains(err.Error(), `no parameter "x"`) {
		t.Errorf("unknown parameter: %v", err)
	}
	if _, err := NewHandler(WithSettings(map[string]any{"pkce": map[string]any{"requird": "all"}, "login": 1})); err == nil || !strings.Contains(err.Error(), `pkce.requird: unknown key; did you mean "required"`) {
		t.Errorf("settings: %v", err)
	}
	if _, err := NewHandler(WithSettings(map[string]any{"login": "from"})); err == nil || !strings.Contains(err.Error(), `did you mean "form"`) {
		t.Errorf("settings: %v", err)
	}
	if _, err := NewHandler(Deviations("token-response-cachable")); err == nil || !strings.Contains(err.Error(), "token-response-cacheable") {
		t.Errorf("deviation: %v", err)
	}
	if _, err := Start(Listen("0.0.0.0:0")); err == nil || !strings.Contains(err.Error(), "AllowRemote") {
		t.Errorf("address: %v", err)
	}
}

func TestSubstitution(t *testing.T) {
	values := map[string]string{"status": "201", "stat": "x", "flag": "true"}
	for in, want := range map[string]any{"$status": 201, "$flag": true, "$stat": "x", "a $status b": "a 201 b", "$data": "$data", "${request:x}": "${request:x}", "$status$stat": "201x"} {
		if got := substitute(in, values); got != want {
			t.Errorf("%q: %v (%T), want %v", in, got, got, want)
		}
	}
}

func TestConditions(t *testing.T) {
	p, err := NewHandler()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/token?q=1", nil)
	r.Header.Set("Accept", "text/html")
	sent := params{{"grant_type", "refresh_token"}, {"scope", "read write"}, {"state", ""}, {"foo", "a"}, {"foo", "b"}}
	x := &exchange{p: p, r: r, endpoint: "token", sent: sent, params: params{sent[0], sent[1], sent[3], sent[4]}, query: params{{"q", "1"}}, auth: "none",
		client: p.client("native-app"), user: p.user("alice"), err: &oauthError{Code: "invalid_grant", Step: "token.refresh_token.used"}, replay: true,
		token: &token{kind: refreshToken, value: "abc"}}
	for _, test := range []struct {
		when map[string]any
		want bool
	}{
		{map[string]any{"grant": "refresh_token"}, true},
		{map[string]any{"grant": []any{"password", "refresh_*"}}, true},
		{map[string]any{"grant": "!refresh_token"}, false},
		{map[string]any{"grant": "!password"}, true},
		{map[string]any{"endpoint": "authorize"}, false},
		{map[string]any{"method": "POST", "client": "native-app", "client_type": "public", "client_kind": "native", "auth": "none", "user": "alice"}, true},
		{map[string]any{"client_type": "confidential"}, false},
		{map[string]any{"scope": "write"}, true},
		{map[string]any{"error": "invalid_grant", "refused_by": "*.used"}, true},
		{map[string]any{"error": "invalid_client"}, false},
		{map[string]any{"token": "refresh_token", "format": "opaque"}, true},
		{map[string]any{"param": map[string]any{"foo": "b"}}, true},
		{map[string]any{"param": map[string]any{"foo": "c"}}, false},
		{map[string]any{"param": map[string]any{"bar": "!c"}}, true},
		{map[string]any{"query": map[string]any{"q": "1"}, "has_query": true}, true},
		{map[string]any{"header": map[string]any{"Accept": "!application/json"}}, true},
		{map[string]any{"header": map[string]any{"Accept": "application/json"}}, false},
		{map[string]any{"present": "scope", "absent": []any{"state", "nonce"}, "empty": "state", "unsent": "nonce"}, true},
		{map[string]any{"unsent": "state"}, false},
		{map[string]any{"repeated": "foo"}, true},
		{map[string]any{"repeated": "scope"}, false},
		{map[string]any{"repeated": "*"}, true},
		{map[string]any{"unknown_parameter": true, "replay": true}, true},
		{map[string]any{"has_body": true}, false},
		{map[string]any{"path": "/to*"}, true},
	} {
		c, err := compileCondition("test", test.when)
		if err != nil {
			t.Errorf("%v: %v", test.when, err)
			continue
		}
		if got := c.matches(x); got != test.want {
			t.Errorf("%v: %v, want %v", test.when, got, test.want)
		}
	}
}

func TestMemberEdits(t *testing.T) {
	x := &exchange{p: &Provider{}, r: httptest.NewRequest("GET", "/", nil)}
	base := func() object {
		return object{{"a", "1 2"}, {"n", 5}, {"keys", []object{{{"use", "sig"}, {"kid", "1"}}, {{"use", "sig"}}}}}
	}
	for _, test := range []struct {
		args map[string]any
		want string
	}{
		{map[string]any{"remove": "a"}, `{"n":5,"keys":[{"use":"sig","kid":"1"},{"use":"sig"}]}`},
		{map[string]any{"keep": []any{"n"}}, `{"n":5}`},
		{map[string]any{"keep": []any{"a"}, "to_array": "a"}, `{"a":["1","2"]}`},
		{map[string]any{"keep": []any{"a"}, "to_joined": "a"}, `{"a":"1,2"}`},
		{map[string]any{"keep": []any{"n"}, "to_string": "n"}, `{"n":"5"}`},
		{map[string]any{"keep": []any{"n"}, "to_object": "n"}, `{"n":{"value":5}}`},
		{map[string]any{"keep": []any{"n"}, "to_null": "n"}, `{"n":null}`},
		{map[string]any{"keep": []any{"n"}, "set": map[string]any{"m": "${member:n}!", "l": []any{1, "x"}}}, `{"n":5,"l":[1,"x"],"m":"5!"}`},
		{map[string]any{"keep": []any{"n"}, "default": map[string]any{"n": 6, "m": 7}}, `{"n":5,"m":7}`},
		{map[string]any{"keep": []any{"n"}, "replace": map[string]any{"n": 6, "m": 7}}, `{"n":6}`},
		{map[string]any{"keep": []any{"n"}, "raw": map[string]any{"n": "5e0"}}, `{"n":5e0}`},
		{map[string]any{"keep": []any{"keys"}, "remove": "/keys/*/use"}, `{"keys":[{"kid":"1"},{}]}`},
		{map[string]any{"keep": []any{"keys"}, "remove": "/keys/0"}, `{"keys":[{"use":"sig"}]}`},
		{map[string]any{"keep": []any{"keys"}, "set": map[string]any{"/keys/1/use": "enc"}}, `{"keys":[{"use":"sig","kid":"1"},{"use":"enc"}]}`},
		{map[string]any{"rename": map[string]any{"n": "m"}, "keep": []any{"n"}}, `{"m":5}`},
	} {
		var e memberEdit
		if err := decode("test", test.args, &e); err != nil {
			t.Fatal(err)
		}
		if got := string(e.edit(x, base()).encode()); got != test.want {
			t.Errorf("%v:\n got %s\nwant %s", test.args, got, test.want)
		}
	}
}

func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{"", "a=b&c=d", "a", "=", "&&", "a=%zz", "a+b=%41%2b", "%", "a=b=c", "client_id=https%3A%2F%2Fx", "\xff=\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		ps, ok := parseForm(raw, formDialect{})
		if len(ps) > maxParams {
			t.Fatalf("%d parameters", len(ps))
		}
		if !ok {
			return
		}
		want, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
		if err != nil {
			t.Fatalf("accepted what net/url refuses: %v", err)
		}
		for name, values := range want {
			got := ps.all(name)
			if strings.Join(got, "\x00") != strings.Join(values, "\x00") {
				t.Fatalf("%q: %q, want %q", name, got, values)
			}
		}
		again, ok := parseForm(ps.encode(), formDialect{})
		if !ok || len(again) != len(ps) {
			t.Fatalf("%q does not survive encoding", raw)
		}
		parseForm(raw, formDialect{plusLiteral: true, latin1: true})
		parseForm(raw, formDialect{percentLiteral: true})
		ps.repeated()
	})
}

// FuzzRequests sends arbitrary parameters to every endpoint: no panic, and never a token without credentials.
func FuzzRequests(f *testing.F) {
	f.Add("POST", "/token", "application/x-www-form-urlencoded", "Basic Og==", "grant_type=client_credentials")
	f.Add("GET", "/authorize?client_id=web-app&redirect_uri=https://client.example/callback&response_type=code", "", "", "")
	f.Add("POST", "/login", "application/x-www-form-urlencoded", "", "transaction=x&csrf_token=y")
	f.Add("GET", "/resource?access_token=x", "", "Bearer x", "")
	f.Add("POST", "/introspect", "application/x-www-form-urlencoded", "Basic d2ViLWFwcDp4", "token=x")
	f.Add("POST", "/device_authorization", "application/x-www-form-urlencoded", "", "client_id=tv-app&scope=read")
	f.Add("GET", "/device?user_code=BCDF-GHJK", "", "", "")
	f.Add("POST", "/device", "application/x-www-form-urlencoded", "", "user_code=BCDF-GHJK")
	p, err := NewHandler()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, target, contentType, authorization, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || strings.ContainsAny(method, " \r\n") || method == "" {
			return
		}
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL = method, u
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("status %d", w.Code)
		}
		if strings.Contains(w.Body.String(), `"access_token"`) && !strings.Contains(body+authorization, "not-a-secret") {
			t.Errorf("a token: %s", w.Body)
		}
		if location := w.Header().Get("Location"); location != "" && !strings.HasPrefix(location, "http://mock.test") && !strings.Contains(location, "example/callback") && !strings.Contains(location, "example/other") &&
			!strings.HasPrefix(location, "com.example.native:/callback") && !strings.HasPrefix(location, "http://127.0.0.1") && !strings.HasPrefix(location, "http://[::1]") {
			t.Errorf("open redirect to %s", location)
		}
	})
}

// BenchmarkGuard is the cost of a step when no deviation is active, and when one acts on another step.
func BenchmarkGuard(b *testing.B) {
	compiled, err := compile(declare("d", profiles.Op{At: "token.response", Args: map[string]any{"status": 201}}))
	if err != nil {
		b.Fatal(err)
	}
	for name, program := range map[string]program{"strict": nil, "deviated elsewhere": compiled} {
		b.Run(name, func(b *testing.B) {
			x := &exchange{endpoint: "token", program: program}
			b.ReportAllocs()
			for range b.N {
				if x.guard("token.grant_type.required", func() *oauthError { return nil }) != nil {
					b.Fatal("refused")
				}
			}
		})
	}
}

func TestSettingsMerge(t *testing.T) {
	p, err := NewHandler(WithSettings(map[string]any{"clients": map[string]any{"*": nil, "only": map[string]any{"public": true}}, "users": map[string]any{"bob": nil}}))
	if err != nil {
		t.Fatal(err)
	}
	d := p.Describe()
	if len(d.Clients) != 1 || d.Clients[0].ID != "only" {
		t.Error(d.Clients)
	}
	if p.user("bob") != nil || p.user("alice") == nil {
		t.Error(d.Users)
	}
}

func TestTemplatesThatStandForNothingAreMistakes(t *testing.T) {
	for _, test := range []struct{ text, says string }{
		{"${param:tenant}", `settings: claims[0].set.a.b[0]: ${param:tenant}: there is no "param"`},
		{"${client}", `did you mean "client_id"?`},
		{"${request:a|uper}", `no transform "uper"; did you mean "upper"?`},
	} {
		claims := []any{map[string]any{"set": map[string]any{"a": map[string]any{"b": []any{test.text}}}}}
		if _, err := NewHandler(WithSettings(map[string]any{"claims": claims})); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.text, err)
		}
		op := profiles.Op{At: "token.response", Args: map[string]any{"members": map[string]any{"set": map[string]any{"a": test.text}}}}
		if _, err := NewHandler(WithDeviation(profiles.Deviation{Name: "own", Do: profiles.Ops{op}}, nil)); err == nil {
			t.Errorf("%s: no error in an operation", test.text)
		}
	}
	steps, err := os.ReadFile("vocabulary_intro.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range variables {
		if !strings.Contains(string(steps), "`${"+name) {
			t.Errorf("vocabulary_intro.md does not tell of ${%s}", name)
		}
	}
}
