package reports

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

// curlOf redacts one exchange and returns its command.
func curlOf(t *testing.T, e Exchange, known ...Secret) string {
	t.Helper()
	r := plainReport()
	r.Checks[0].Exchanges = []Exchange{e}
	NewRedactor(known).Redact(r)
	return r.Checks[0].Exchanges[0].Curl
}

func TestCurl(t *testing.T) {
	form := http.Header{"Content-Type": {formType}}
	secret := Secret{"client_secret", "s3cr3t&of=web app"}
	tests := []struct {
		name string
		e    Exchange
		want string
	}{
		{"GET", Exchange{Request: Request{Method: "GET", URL: "https://as.example/x?a=b&c=d"}}, `curl -i 'https://as.example/x?a=b&c=d'`},
		{"HEAD", Exchange{Request: Request{Method: "HEAD", URL: "https://as.example/x"}}, `curl -i --head https://as.example/x`},
		{"DELETE", Exchange{Request: Request{Method: "DELETE", URL: "https://as.example/x"}}, `curl -i -X DELETE https://as.example/x`},
		{"POST", Exchange{Request: Request{Method: "POST", URL: "https://as.example/x", Headers: form, Body: "grant_type=client_credentials&scope=a+b"}},
			`curl -i https://as.example/x --data grant_type=client_credentials --data scope=a+b`},
		{"POST, empty", Exchange{Request: Request{Method: "POST", URL: "https://as.example/x"}}, `curl -i -X POST https://as.example/x --data '' -H 'Content-Type:'`},
		{"POST, no media type", Exchange{Request: Request{Method: "POST", URL: "https://as.example/x", Body: "a"}}, `curl -i https://as.example/x -H 'Content-Type:' --data a`},
		{"JSON", Exchange{Request: Request{Method: "POST", URL: "https://as.example/x", Headers: http.Header{"Content-Type": {"application/json"}}, Body: `{"client_secret":"abc"}`}},
			`curl -i https://as.example/x -H 'Content-Type: application/json' --data '{"client_secret":"'"$CLIENT_SECRET"'"}'`},
		{"Basic", Exchange{Request: Request{Method: "POST", URL: "https://as.example/x", Headers: http.Header{"Content-Type": {formType}, "Authorization": {"Basic d2ViOmFiYw=="}}, Body: "a=b"}},
			`curl -i https://as.example/x --user "web:$CLIENT_SECRET" --data a=b`},
		{"Basic, empty secret", Exchange{Request: Request{Method: "POST", URL: "https://as.example/x", Headers: http.Header{"Content-Type": {formType}, "Authorization": {"Basic d2ViOg=="}}, Body: "a=b"}},
			`curl -i https://as.example/x --user web: --data a=b`},
		{"Bearer", Exchange{Request: Request{Method: "GET", URL: "https://as.example/x", Headers: http.Header{"Authorization": {"Bearer abc"}}}},
			`curl -i https://as.example/x -H "Authorization: Bearer $ACCESS_TOKEN"`},
		{"secret in the form", Exchange{Request: Request{Method: "POST", URL: "https://as.example/x", Headers: form, Body: "client_id=web&client_secret=" + url.QueryEscape(secret.Value)}},
			`curl -i https://as.example/x --data client_id=web --data-urlencode "client_secret=$CLIENT_SECRET"`},
		{"two of a kind", Exchange{Request: Request{Method: "POST", URL: "https://as.example/x", Headers: form, Body: "code=c0de-0001&code=c0de-0002&code=c0de-0001"}},
			`curl -i https://as.example/x --data "code=$CODE" --data "code=$CODE_2" --data "code=$CODE"`},
		{"in the URL", Exchange{Request: Request{Method: "GET", URL: "https://as.example/x?access_token=abc&b=c"}}, `curl -i "https://as.example/x?access_token=$ACCESS_TOKEN&b=c"`},
		{"variable before a letter", Exchange{Request: Request{Method: "GET", URL: "https://as.example/T0ken-1234x", Headers: http.Header{"Authorization": {"Bearer T0ken-1234"}}}},
			`curl -i "https://as.example/${ACCESS_TOKEN}x" -H "Authorization: Bearer $ACCESS_TOKEN"`},
		{"at sign", Exchange{Request: Request{Method: "POST", URL: "https://as.example/x", Headers: form, Body: "@/etc/passwd&a=b"}},
			`curl -i https://as.example/x --data-raw @/etc/passwd --data a=b`},
		{"dots", Exchange{Request: Request{Method: "GET", URL: "https://as.example/a/../b?x=[1]"}}, `curl -i --path-as-is --globoff 'https://as.example/a/../b?x=[1]'`},
		{"no web URL", Exchange{Request: Request{Method: "GET", URL: "-o/tmp/x"}}, `curl -i --url -o/tmp/x`},
		{"odd header", Exchange{Request: Request{Method: "GET", URL: "https://as.example/x", Headers: http.Header{"X-Empty": {""}, "Accept": {"*/*"}, "User-Agent": {"z"}, "Host": {"as.example"}}}},
			`curl -i https://as.example/x -H 'X-Empty;'`},
		{"injection", Exchange{Request: Request{Method: "GET", URL: "https://as.example/$(id)`id`?a='b'\"c\";rm -rf /"}},
			`curl -i 'https://as.example/$(id)` + "`id`" + `?a='\''b'\''"c";rm -rf /'`},
		{"control characters", Exchange{Request: Request{Method: "GET", URL: "https://as.example/\x1b[2J'\u202e\\\xff1"}},
			`curl -i --globoff $'https://as.example/\033[2J\'\342\200\256\\\3771'`},
		{"nothing", Exchange{}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := curlOf(t, test.e, secret); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestCurlInAShell has a shell read the commands: every argument arrives as it was sent, variables take the secrets'
// places, and nothing else is executed.
func TestCurlInAShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Log("no bash: TestCurl has the commands as text")
		return
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	hostileBytes := []string{"'", `"`, "$", "`", `\`, "!", " ", "\n", "\t", "\r", ";", "&", "|", "(", ")", "{", "}", "<", ">", "*", "?", "~", "#", "%41", "\x1b", "\x07", "\u202e", "é", "\xff", "a", "1", "$(id)", "${HOME}", "=", "@", "-"}
	text := func() string {
		var b strings.Builder
		for range rnd.IntN(12) + 1 {
			b.WriteString(hostileBytes[rnd.IntN(len(hostileBytes))])
		}
		return b.String()
	}
	for range 60 {
		header, body := text(), text()
		e := Exchange{Request: Request{Method: "PUT", URL: "https://as.example/?" + text(), Body: body + "T0ken-0123456789" + body,
			Headers: http.Header{"Content-Type": {"text/plain"}, "X-Odd": {header + "T0ken-0123456789"}}}}
		command := curlOf(t, e, Secret{"access_token", "T0ken-0123456789"})
		cmd := exec.Command(bash, "--norc", "-c", "curl() { printf '%s\\0' \"$@\"; }; "+command)
		cmd.Env = append(os.Environ(), "ACCESS_TOKEN=T0ken-0123456789")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		args := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		args = without(args, "--globoff", "--path-as-is")
		want := []string{"-i", "-X", "PUT", e.Request.URL, "-H", "Content-Type: text/plain", "-H", "X-Odd: " + header + "T0ken-0123456789", "--data", e.Request.Body}
		if strings.HasPrefix(e.Request.Body, "@") {
			want[8] = "--data-raw"
		}
		if !reflect.DeepEqual(args, want) {
			t.Errorf("%s\nbecame %q\nwant   %q", command, args, want)
		}
	}
}

func without(list []string, words ...string) []string {
	var out []string
	for _, s := range list {
		keep := true
		for _, w := range words {
			keep = keep && s != w
		}
		if keep {
			out = append(out, s)
		}
	}
	return out
}
