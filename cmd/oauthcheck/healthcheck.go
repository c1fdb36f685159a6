package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

func newHealthcheck() *cobra.Command {
	timeout, wait, insecure := 3*time.Second, time.Duration(0), false
	cmd := &cobra.Command{
		Use:   "healthcheck URL",
		Short: "Exit 0 if a URL answers with a 2xx status (for images without a shell)",
		Long: `healthcheck sends one GET request and exits 0 if the answer's status is 2xx, else 1. It lets a container image
without a shell or curl check its own mock provider:

  HEALTHCHECK CMD ["/oauthcheck", "healthcheck", "http://127.0.0.1:8080/healthz"]

With --wait a script goes on as soon as the mock that it has started answers:

  oauthcheck mock & oauthcheck healthcheck --wait 10s http://127.0.0.1:8080/healthz

oauthcheck mock --tls has a certificate of its own: check it with --insecure.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("healthcheck needs one URL, for example http://127.0.0.1:8080/healthz")
			}
			u, err := url.Parse(args[0])
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				return usagef("healthcheck: %q is not an http or https URL", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			transport := http.DefaultTransport.(*http.Transport).Clone()
			transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure} // nothing secret is sent
			client := &http.Client{Timeout: timeout, Transport: transport}
			healthy, err := healthyOf(ctx, client, args[0])
			for end := time.Now().Add(wait); err != nil && time.Now().Before(end) && pause(ctx, 50*time.Millisecond); {
				healthy, err = healthyOf(ctx, client, args[0])
			}
			if err != nil {
				return &status{1, err}
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), healthy)
			return err
		},
	}
	cmd.Flags().Var(duration{&timeout}, "timeout", "how long to wait for an answer")
	cmd.Flags().Var(duration{&wait}, "wait", "how long to go on trying (default: one try)")
	cmd.Flags().BoolVar(&insecure, "insecure", false, "take any certificate")
	return cmd
}

// healthyOf says that a URL answers well.
func healthyOf(ctx context.Context, client *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	text := fmt.Sprintf("%s answered %s", url, resp.Status)
	if resp.StatusCode/100 != 2 {
		return "", errors.New(text)
	}
	return text, nil
}

// pause waits, and reports whether there is a reason to go on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
