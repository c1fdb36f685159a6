package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// The container files cannot be built by a Go test; that their commands still mean something can be tested.
func TestContainerCommands(t *testing.T) {
	t.Parallel()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	list := func(pattern string) (out []string) {
		m := regexp.MustCompile(pattern).FindSubmatch(read("Dockerfile"))
		if m == nil {
			t.Fatalf("Dockerfile: nothing matches %s", pattern)
		}
		if err := json.Unmarshal(m[1], &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	var compose struct {
		Services map[string]struct {
			Command     []string
			Healthcheck struct{ Test []string }
		}
	}
	if err := yaml.Unmarshal(read("compose.yaml"), &compose); err != nil {
		t.Fatal(err)
	}
	idp := compose.Services["idp"]
	for name, c := range map[string]struct{ command, health []string }{
		"Dockerfile":   {list(`(?m)^CMD (\[.*\])`), list(`(?m)^HEALTHCHECK .*CMD (\[.*\])`)},
		"compose.yaml": {idp.Command, slices.DeleteFunc(idp.Healthcheck.Test, func(s string) bool { return s == "CMD" })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var args []string
			for _, arg := range c.command {
				// A free port of this machine: no port of the container's is free here for sure.
				args = append(args, regexp.MustCompile(`^0\.0\.0\.0:\d+$`).ReplaceAllString(arg, "127.0.0.1:0"))
			}
			_, d := startMock(t, args[1:]...)
			if len(c.health) != 3 || c.health[0] != "/oauthcheck" || c.health[1] != "healthcheck" || !strings.HasSuffix(c.health[2], "/healthz") {
				t.Fatalf("health check: %q", c.health)
			}
			oauthcheck(t, "healthcheck", d.Issuer+"/healthz").mustExit(t, 0)
		})
	}
}
