package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

// startTimeout bounds the start of `oauthcheck mock`.
const startTimeout = 20 * time.Second

// mockOf says which provider a client meets.
type mockOf struct {
	profile string         // "" for the strict one
	shuffle int64          // 0 for none
	auth    string         // how the client authenticates, "" for HTTP Basic
	config  map[string]any // settings, deviations and do, laid over the profile
}

// merge adds settings, under those that are there.
func (m *mockOf) merge(settings map[string]any) {
	if len(settings) > 0 {
		m.config = merged(map[string]any{"settings": settings}, m.config)
	}
}

// merged is a with b laid over it.
func merged(a, b map[string]any) map[string]any {
	result := maps.Clone(a)
	for key, value := range b {
		below, both := result[key].(map[string]any)
		if above, ok := value.(map[string]any); ok && both {
			value = merged(below, above)
		}
		result[key] = value
	}
	return result
}

// start starts the provider, in this process or with the command line, until the test ends.
func (m mockOf) start(t *testing.T, inProcess bool) mockprovider.Description {
	t.Helper()
	if m.profile == "" {
		m.profile = "strict"
	}
	var file string
	if len(m.config) > 0 {
		data, err := yaml.Marshal(m.config)
		if err != nil {
			t.Fatal(err)
		}
		file = filepath.Join(t.TempDir(), "mock.yaml")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if inProcess {
		options := []mockprovider.Option{mockprovider.Profile(m.profile)}
		if file != "" {
			options = append(options, mockprovider.Profile(file))
		}
		if m.shuffle != 0 {
			options = append(options, mockprovider.Shuffle(m.shuffle))
		}
		return mockprovider.New(t, options...).Describe()
	}
	args := []string{"mock", "--json", "--addr", "127.0.0.1:0", "--profile", m.profile}
	if file != "" {
		args = append(args, "--config", file)
	}
	if m.shuffle != 0 {
		args = append(args, fmt.Sprintf("--shuffle=%d", m.shuffle))
	}
	return startProcess(t, args)
}

// startProcess runs oauthcheck and reads the line of JSON with which it says that it serves.
func startProcess(t *testing.T, args []string) mockprovider.Description {
	t.Helper()
	cmd := exec.Command(fromEnvironment(t, "OAUTHCHECK"), args...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(startTimeout, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	late.Stop()
	if err != nil {
		t.Fatalf("oauthcheck %v says nothing: %v", args, err)
	}
	var d mockprovider.Description
	if err := json.Unmarshal(line, &d); err != nil {
		t.Fatalf("oauthcheck %v: %v: %s", args, err, line)
	}
	return d
}

// fromEnvironment is a path that ./run sets.
func fromEnvironment(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: start these tests with mockprovider/interop/run", name)
	}
	return value
}
