package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// A program is a client in another language: it reads tasks as lines of JSON, and answers each with a line: {"ok": true} or
// {"error": "…"}; before that it may ask for the browser with {"open": "URL"}, and reads where that landed.
type program struct {
	command func() (*exec.Cmd, error)

	mu    sync.Mutex // one task at a time
	lines chan []byte
	stdin io.WriteCloser
	ended error
	log   bytes.Buffer // standard error, read after lines is closed
}

// message is a line of a program.
type message struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
	Open  string `json:"open"`
	Stay  bool   `json:"stay"`
}

func (p *program) start() error {
	if p.lines != nil {
		return p.ended
	}
	cmd, err := p.command()
	if err != nil {
		return err
	}
	cmd.Stderr = &p.log
	if p.stdin, err = cmd.StdinPipe(); err != nil { // closed when this process ends, which ends the program
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.lines = make(chan []byte)
	go func() {
		scanner := bufio.NewScanner(stdout)
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			p.lines <- bytes.Clone(scanner.Bytes())
		}
		p.ended = errors.Join(scanner.Err(), cmd.Wait(), errors.New("the client's program has ended"))
		close(p.lines)
	}()
	return nil
}

// run is one task.
func (p *program) run(ctx context.Context, task Task, open browser) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.start(); err != nil {
		return fmt.Errorf("%w\n%s", err, p.log.String())
	}
	say := json.NewEncoder(p.stdin)
	if err := say.Encode(task); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case line, ok := <-p.lines:
			if !ok {
				return fmt.Errorf("%w\n%s", p.ended, p.log.String())
			}
			var m message
			if err := json.Unmarshal(line, &m); err != nil {
				return fmt.Errorf("the client's program says %q: %w", line, err)
			}
			switch {
			case m.OK:
				return nil
			case m.Open == "":
				return errors.New(m.Error)
			}
			landing, err := open(m.Open, m.Stay)
			if err != nil {
				landing = &Landing{}
			}
			if err := say.Encode(landing); err != nil {
				return err
			}
		}
	}
}

// inNode is a program in npm/, which ./run has copied to where its packages are installed.
func inNode(file string) func(context.Context, Task, browser) error {
	p := &program{command: func() (*exec.Cmd, error) {
		dir := os.Getenv("CLIENTS_NPM")
		if dir == "" {
			return nil, errors.New("CLIENTS_NPM is not set: start these tests with mockprovider/interop/run")
		}
		return exec.Command("node", filepath.Join(dir, file)), nil
	}}
	return p.run
}

// inPython is a program in python/, for the interpreter that Debian's packages belong to.
func inPython(file string) func(context.Context, Task, browser) error {
	p := &program{command: func() (*exec.Cmd, error) {
		python := os.Getenv("CLIENTS_PYTHON")
		if python == "" {
			return nil, errors.New("CLIENTS_PYTHON is not set: start these tests with mockprovider/interop/run")
		}
		return exec.Command(python, "-W", "ignore", filepath.Join("python", file)), nil
	}}
	return p.run
}

// processJudges are the clients in other languages.
var processJudges = []judge{
	{name: "openid-client", run: inNode("openid-client.mjs"), flows: []string{"oidc", "hybrid", "code", "post", "public", "metadata", "form-post", "registration", "denied", "refused",
		"bad-secret", "refresh", "client-credentials", "introspection", "revocation", "token-exchange", "logout"}},
	{name: "oauth4webapi", run: inNode("oauth4webapi.mjs"), flows: []string{"oidc", "hybrid", "code", "post", "public", "metadata", "form-post", "registration", "denied", "refused",
		"bad-secret", "refresh", "client-credentials", "password", "introspection", "revocation", "token-exchange", "jwt-access-token"}},
	{name: "simple-oauth2", run: inNode("simple-oauth2.mjs"), flows: []string{"code", "post", "refused", "bad-secret", "refresh", "client-credentials", "password",
		"revocation"}},
	{name: "axios-qs", run: inNode("axios-qs.cjs"), vendorsOnly: true, flows: []string{"code", "json", "denied", "refused", "bad-secret", "refresh"}},
	{name: "authlib", run: inPython("authlib_client.py"), flows: []string{"oidc", "code", "post", "public", "implicit", "refused", "bad-secret",
		"refresh", "client-credentials", "password", "introspection", "revocation", "token-exchange"}},
	{name: "requests-oauthlib", run: inPython("requests_oauthlib_client.py"), flows: []string{"code", "post", "public", "implicit", "denied", "refused",
		"bad-secret", "refresh", "client-credentials", "password"}},
}
