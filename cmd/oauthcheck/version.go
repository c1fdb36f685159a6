package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/oauthcheck/oauthcheck/reports"
)

// version is set by release builds: -ldflags "-X main.version=v1.2.3".
var version string

// buildVersion is the release's version, else the module's as `go install` records it, else "devel" with the commit.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

// tool identifies this program in reports.
func tool() reports.Tool {
	return reports.Tool{Name: "oauthcheck", Version: buildVersion(), URL: "https://github.com/oauthcheck/oauthcheck"}
}

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			platform := runtime.GOOS + "/" + runtime.GOARCH
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{
					"version": buildVersion(), "go": runtime.Version(), "platform": platform, "report_schema": reports.Schema,
				})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "oauthcheck %s (%s, %s)\n", buildVersion(), runtime.Version(), platform)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
