package target

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// device adds the device grant to the server.
func (s *server) device() {
	decision := "pending"
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/device_authorization":
			s.json(w, 200, map[string]any{"device_code": "device-0123456789", "user_code": "WDJB-MJHT", "verification_uri": s.URL + "/device",
				"expires_in": 600, "interval": 1})
			return
		case "/device":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<form method=post action=/device2><label>Code <input name=user_code></label><button>Continue</button></form>`)
			return
		case "/device2":
			w.Header().Set("Content-Type", "text/html")
			if r.FormValue("user_code") != "WDJB-MJHT" {
				fmt.Fprint(w, `<p>Unknown code</p>`)
				return
			}
			fmt.Fprint(w, `<form method=post action=/device3><button name=d value=allow>Allow</button><button name=d value=deny>Deny</button></form>`)
			return
		case "/device3":
			decision = r.FormValue("d")
			fmt.Fprint(w, "<p>You may close this window.</p>")
			return
		case "/token":
			if strings.HasSuffix(r.FormValue("grant_type"), "device_code") {
				switch decision {
				case "allow":
					s.json(w, 200, map[string]any{"access_token": s.issueAccess(), "token_type": "Bearer"})
				case "deny":
					s.json(w, 400, map[string]any{"error": "access_denied"})
				default:
					s.json(w, 400, map[string]any{"error": "authorization_pending"})
				}
				return
			}
		}
		inner.ServeHTTP(w, r)
	})
}

func TestDeviceGrant(t *testing.T) {
	s := newServer(t)
	s.device()
	config := s.config()
	config.Endpoints.DeviceAuthorization = s.URL + "/device_authorization"
	run := newRun(t, config)
	mustPass(t, run, func(as *AS) {
		d := as.Device(As(as.Public()))
		if d.UserCode != "WDJB-MJHT" || d.Interval != 1 || d.ExpiresIn != 600 || d.Client != as.Public() {
			t.Errorf("%+v", d)
		}
		if r := as.Poll(d); r.ErrorCode() != "authorization_pending" {
			t.Errorf("before: %s", r.outcome())
		}
		as.Decide(d, Deny())
		if r := as.Poll(d); r.ErrorCode() != "access_denied" {
			t.Errorf("denied: %s", r.outcome())
		}
		as.Decide(d)
		if r := as.Poll(d); !r.IssuesToken() {
			t.Errorf("approved: %s", r.outcome())
		}
	})
}
