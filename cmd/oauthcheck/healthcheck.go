package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

func newHealthcheck() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "healthcheck URL",
		Short: "Exit 0 if a URL answers with a 2xx status (for images without a shell)",
		Long: `healthcheck sends one GET request and exits 0 if the answer's status is 2xx, else 1. It lets a container image
without a shell or curl check its own mock provider:

  HEALTHCHECK CMD ["/oauthcheck", "healthcheck", "http://127.0.0.1:8080/healthz"]`,
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
			req, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, args[0], nil)
			if err != nil {
				return usage(err)
			}
			resp, err := (&http.Client{Timeout: timeout}).Do(req)
			if err != nil {
				return &status{1, err}
			}
			defer resp.Body.Close()
			_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
			if resp.StatusCode/100 != 2 {
				return &status{1, fmt.Errorf("%s answered %s", args[0], resp.Status)}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s answered %s\n", args[0], resp.Status)
			return err
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long to wait for the answer")
	return cmd
}
