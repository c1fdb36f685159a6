package matrix

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oauthcheck/oauthcheck/mockprovider"
	"github.com/oauthcheck/oauthcheck/profiles"
)

// vendorPage is the page about the vendors. What follows from data stands between comments that name the profile and the part.
var vendorPage = filepath.Join("..", "..", "docs", "vendors.md")

var generatedPart = regexp.MustCompile(`(?s)<!-- generated: (\S+) (\S+) -->\n.*?<!-- end -->`)

// TestPageVendors keeps the page about the vendors in step with their profiles and with what is known of each (TestVendors).
func TestPageVendors(t *testing.T) {
	text, err := os.ReadFile(vendorPage)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	page := generatedPart.ReplaceAllStringFunc(string(text), func(part string) string {
		m := generatedPart.FindStringSubmatch(part)
		write, ok := vendorParts[m[2]]
		if !ok || !slices.Contains(vendors(), m[1]) {
			t.Errorf("docs/vendors.md: there is no part %s of %s", m[2], m[1])
			return part
		}
		written[m[1]+" "+m[2]] = true
		profile, err := profiles.Load(m[1])
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("<!-- generated: %s %s -->\n%s<!-- end -->", m[1], m[2], write(t, profile))
	})
	for _, name := range vendors() {
		for part := range vendorParts {
			if !written[name+" "+part] {
				t.Errorf("docs/vendors.md lacks the part %s of %s", part, name)
			}
		}
	}
	if *update {
		if err := os.WriteFile(vendorPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if page != string(text) {
		t.Errorf("docs/vendors.md does not tell what the profiles say: go test ./internal/matrix -run TestPage -update")
	}
}

// vendorParts write the generated parts of the page.
var vendorParts = map[string]func(*testing.T, *profiles.Profile) string{
	"endpoints": endpointTable, "clients": clientTable, "deviations": deviationTable, "known": knownTable, "switches": switchTable,
}

// asStarted is the mock in the manner of a vendor, as `oauthcheck mock --profile NAME` describes it.
func asStarted(t *testing.T, p *profiles.Profile) mockprovider.Description {
	t.Helper()
	mock, err := mockprovider.NewHandler(mockprovider.Profile(p.Name), mockprovider.Issuer("http://127.0.0.1:8080"))
	if err != nil {
		t.Fatal(err)
	}
	return mock.Describe()
}

func endpointTable(t *testing.T, p *profiles.Profile) string {
	further := map[string][]string{}
	aliases, _ := p.Settings["aliases"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(aliases)) {
		name := fmt.Sprint(aliases[path])
		further[name] = append(further[name], "`"+path+"`")
	}
	table := "| endpoint | URL | also at |\n|---|---|---|\n"
	d := asStarted(t, p)
	for _, name := range slices.Sorted(maps.Keys(d.Endpoints)) {
		if name == "login" || name == "consent" { // pages between the others
			continue
		}
		table += fmt.Sprintf("| %s | `%s` | %s |\n", name, d.Endpoints[name], strings.Join(further[name], ", "))
	}
	return table
}

func clientTable(t *testing.T, p *profiles.Profile) string {
	table := "| client | for | grants |\n|---|---|---|\n"
	for _, c := range asStarted(t, p).Clients {
		table += fmt.Sprintf("| `%s` | %s | %s |\n", c.ID, c.Description, strings.Join(c.Grants, ", "))
	}
	return table
}

func deviationTable(t *testing.T, p *profiles.Profile) string {
	table := "| deviation | breaks | because | known from |\n|---|---|---|---|\n"
	for _, d := range p.Deviations {
		breaks := "(a fault)"
		if deviation, ok := profiles.LookupDeviation(d.Deviation); ok && deviation.Breaks != "" {
			breaks = deviation.Breaks
		}
		table += fmt.Sprintf("| `%s` | %s | %s | %s |\n", d, breaks, cell(d.Why), cell(d.Provenance))
	}
	return table
}

// knownTable is the list that TestVendors pins.
func knownTable(t *testing.T, p *profiles.Profile) string {
	text, err := os.ReadFile(filepath.Join("testdata", "known", p.Name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	table := "| check | variants | deviation |\n|---|---|---|\n"
	for line := range strings.Lines(string(text)) {
		finding, deviations, _ := strings.Cut(strings.TrimSpace(line), ": ")
		id, variants, _ := strings.Cut(strings.TrimSuffix(finding, "]"), " [")
		table += fmt.Sprintf("| `%s` | %s | `%s` |\n", id, variants, strings.ReplaceAll(deviations, ", ", "`, `"))
	}
	return table
}

func switchTable(_ *testing.T, p *profiles.Profile) string {
	table := "| switch | what it changes |\n|---|---|\n"
	for _, s := range p.Switches {
		table += fmt.Sprintf("| `%s+%s` | %s |\n", p.Name, s.Name, cell(s.Doc))
	}
	return table
}

// cell is text for a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
