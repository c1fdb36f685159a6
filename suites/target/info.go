package target

import (
	"slices"
	"time"

	"github.com/oauthcheck/oauthcheck/reports"
)

// Info is what is known of a target before the first check runs: the given configuration joined with what discovery
// found.
type Info struct {
	Config     Config    // as given, defaults filled in
	Issuer     string    // the issuer identifier: the metadata's, else Config.Target unless that is the token endpoint
	Endpoints  Endpoints // given ones, else discovered ones; empty where the target has none
	Metadata   *Metadata // the document that the endpoints were taken from; nil if none was found
	Documents  []*Metadata
	Facts      []string           // what discovery noticed, in sentences: an issuer mismatch, a document at an unusual place
	Detections []Detection        // the capabilities, in the order of Capabilities()
	Exchanges  []reports.Exchange // every exchange that discovery made, in order
	Discovered time.Time
}

// Metadata is an authorization server metadata document (RFC 8414, OpenID Connect Discovery 1.0).
type Metadata struct {
	URL      string            // where it was found
	OpenID   bool              // found at an OpenID Connect location
	Appended bool              // found under the issuer's path although RFC 8414 section 3.1 puts the well-known part before it
	Members  map[string]any    // the JSON object
	Exchange *reports.Exchange // how it was fetched
}

// Strings returns a member that is an array of strings; where a member is absent and RFC 8414 section 2 defines a
// default, that default. listed reports whether the member was there.
func (m *Metadata) Strings(member string) (values []string, listed bool) {
	if m == nil {
		return nil, false
	}
	array, listed := m.Members[member].([]any)
	if !listed {
		return slices.Clone(metadataDefaults[member]), false
	}
	for _, v := range array {
		if s, ok := v.(string); ok {
			values = append(values, s)
		}
	}
	return values, true
}

// String returns a member that is a string; "" if it is absent or of another type.
func (m *Metadata) String(member string) string {
	if m == nil {
		return ""
	}
	s, _ := m.Members[member].(string)
	return s
}

// metadataDefaults are the values that absent members stand for (RFC 8414 section 2).
var metadataDefaults = map[string][]string{
	"response_modes_supported":                   {"query", "fragment"},
	"grant_types_supported":                      {"authorization_code", "implicit"},
	"token_endpoint_auth_methods_supported":      {"client_secret_basic"},
	"revocation_endpoint_auth_methods_supported": {"client_secret_basic"},
}
