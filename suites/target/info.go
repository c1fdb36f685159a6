package target

import (
	"time"

	"github.com/oauthcheck/oauthcheck/reports"
)

// Info is what is known of a target before the first check runs: the given configuration joined with what discovery
// found.
type Info struct {
	Config       Config    // as given, defaults filled in
	Issuer       string    // the issuer identifier: the metadata's, else Config.Target unless that is the token endpoint
	Endpoints    Endpoints // given ones, else discovered ones; empty where the target has none
	Metadata     *Metadata // the document that the endpoints were taken from; nil if none was found
	Documents    []*Metadata
	Facts        []string             // what discovery noticed, in sentences: an issuer mismatch, a document at an unusual place
	Capabilities []reports.Capability // in catalogue order
	Exchanges    []reports.Exchange   // every exchange that discovery made, in order
	Discovered   time.Time
}

// Metadata is an authorization server metadata document (RFC 8414, OpenID Connect Discovery 1.0).
type Metadata struct {
	URL      string            // where it was found
	OpenID   bool              // found at an OpenID Connect location
	Appended bool              // found under the issuer's path although RFC 8414 section 3.1 puts the well-known part before it
	Members  map[string]any    // the JSON object
	Exchange *reports.Exchange // how it was fetched
}
