package profiles

import (
	"cmp"
	"embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/oauthcheck/oauthcheck/profiles/internal/compact"
)

//go:generate go run ./internal/gen

// The generated data: one file per YAML source, decoded when first asked for.
//
//go:embed generated
var generated embed.FS

// RequirementsFile is the content of a file `requirements/<slug>.yaml`.
type RequirementsFile struct {
	Spec         string        `yaml:"spec"` // "RFC 6749"
	Title        string        `yaml:"title"`
	URL          string        `yaml:"url"`
	Note         string        `yaml:"note,omitempty"` // what a reader of the file should know
	Requirements []Requirement `yaml:"requirements"`
}

// DeviationsFile is the content of a file `deviations/<slug>_<part>.yaml`.
type DeviationsFile struct {
	Deviations []Deviation `yaml:"deviations"`
}

// Spec is a specification of the catalogue.
type Spec struct {
	Slug  string // "rfc6749"
	Name  string // "RFC 6749"
	Title string // "The OAuth 2.0 Authorization Framework"
	URL   string // "https://www.rfc-editor.org/rfc/rfc6749"
	Note  string // edition read, conditions; often empty
}

// section is one generated file of requirements, decoded once.
type section struct {
	slug string
	load func() *sectionData
}

type sectionData struct {
	spec         Spec
	requirements []Requirement
	byID         map[string]int
}

// sections lists the generated files of requirements in catalogue order: RFCs by number, then drafts and other documents
// by name.
var sections = sync.OnceValue(func() []section {
	var all []section
	for _, name := range generatedFiles("requirements") {
		slug := baseName(name)
		all = append(all, section{slug: slug, load: sync.OnceValue(func() *sectionData { return loadSection(name, slug) })})
	}
	slices.SortFunc(all, func(a, b section) int { return CompareSlugs(a.slug, b.slug) })
	return all
})

func loadSection(name, slug string) *sectionData {
	var file RequirementsFile
	decodeGenerated(name, &file)
	data := &sectionData{
		spec:         Spec{Slug: slug, Name: file.Spec, Title: file.Title, URL: file.URL, Note: file.Note},
		requirements: file.Requirements,
		byID:         make(map[string]int, len(file.Requirements)),
	}
	for i := range data.requirements {
		data.requirements[i].Spec = slug
		data.byID[data.requirements[i].ID] = i
	}
	return data
}

// CompareSlugs is the order of specifications in the catalogue: RFCs by number, then everything else by name.
func CompareSlugs(a, b string) int {
	return cmp.Or(cmp.Compare(rfcNumber(a), rfcNumber(b)), strings.Compare(a, b))
}

func rfcNumber(slug string) int {
	if number, err := strconv.Atoi(strings.TrimPrefix(slug, "rfc")); err == nil {
		return number
	}
	return 1 << 30
}

// Specs returns the specifications in catalogue order.
func Specs() []Spec {
	specs := make([]Spec, 0, len(sections()))
	for _, s := range sections() {
		specs = append(specs, s.load().spec)
	}
	return specs
}

// LookupSpec finds a specification by its slug ("rfc6749").
func LookupSpec(slug string) (Spec, bool) {
	for _, s := range sections() {
		if s.slug == slug {
			return s.load().spec, true
		}
	}
	return Spec{}, false
}

// Requirements returns the requirements of a specification ("rfc6749"), or of all of them for "", in catalogue order: that
// of the text. An unknown slug has none. The slice is the caller's; what the requirements refer to (Needs) must not be
// changed.
func Requirements(slug string) []Requirement {
	var all []Requirement
	for _, s := range sections() {
		if slug == "" || s.slug == slug {
			all = append(all, s.load().requirements...)
		}
	}
	return all
}

// LookupRequirement finds a requirement by its identifier ("RFC6749-5.1-13").
func LookupRequirement(id string) (Requirement, bool) {
	prefix, _, _ := strings.Cut(id, "-")
	prefix = strings.ToLower(prefix)
	find := func(s section) (Requirement, bool) {
		data := s.load()
		if i, ok := data.byID[id]; ok {
			return data.requirements[i], true
		}
		return Requirement{}, false
	}
	for _, s := range sections() { // nearly all identifiers begin with the slug: decode one file only
		if s.slug == prefix {
			return find(s)
		}
	}
	for _, s := range sections() {
		if r, ok := find(s); ok {
			return r, true
		}
	}
	return Requirement{}, false
}

// NearestRequirement returns the identifier that id most likely meant, or "".
func NearestRequirement(id string) string {
	var ids []string
	for _, s := range sections() {
		for _, r := range s.load().requirements {
			ids = append(ids, r.ID)
		}
	}
	return Nearest(id, ids)
}

// deviations is every deviation and fault, by name.
var deviations = sync.OnceValue(func() map[string]Deviation {
	all := map[string]Deviation{}
	for _, name := range generatedFiles("deviations") {
		var file DeviationsFile
		decodeGenerated(name, &file)
		for _, d := range file.Deviations {
			d.Source = baseName(name) + ".yaml"
			all[d.Name] = d
		}
	}
	return all
})

// sortedDeviations is the same, ordered by the requirement broken (catalogue order) and name; faults last.
var sortedDeviations = sync.OnceValue(func() []Deviation {
	position := map[string]int{}
	for i, r := range Requirements("") {
		position[r.ID] = i
	}
	place := func(d Deviation) int {
		if i, ok := position[d.Breaks]; ok {
			return i
		}
		return len(position)
	}
	all := make([]Deviation, 0, len(deviations()))
	for _, d := range deviations() {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b Deviation) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a.Name, b.Name))
	})
	return all
})

// Deviations returns all deviations, in the order of the requirements that they break, and then all faults by name. The
// slice is the caller's; maps and slices inside must not be changed.
func Deviations() []Deviation { return slices.Clone(sortedDeviations()) }

// LookupDeviation finds a deviation or fault by its name ("token-response-cacheable").
func LookupDeviation(name string) (Deviation, bool) {
	d, ok := deviations()[name]
	return d, ok
}

// NearestDeviation returns the name of the deviation or fault that name most likely meant, or "".
func NearestDeviation(name string) string {
	return Nearest(name, slices.Sorted(maps.Keys(deviations())))
}

// generatedFiles lists the files of one kind, by name.
func generatedFiles(kind string) []string {
	entries, err := generated.ReadDir(path.Join("generated", kind))
	if err != nil {
		return nil // no file of that kind
	}
	var names []string
	for _, entry := range entries {
		names = append(names, path.Join("generated", kind, entry.Name()))
	}
	return names
}

// decodeGenerated reads an embedded file. That it cannot fail on the files of a build is what the test of the generator
// proves: only someone who changed a type or a source without generating again sees the panic.
func decodeGenerated(name string, into any) {
	data, err := generated.ReadFile(name)
	if err == nil {
		err = compact.Unmarshal(string(data), into)
	}
	if err != nil {
		panic(fmt.Sprintf("profiles: %s: %v: run go generate ./profiles", name, err))
	}
}

// baseName is the file's name without directory and extension.
func baseName(name string) string {
	base := path.Base(name)
	return strings.TrimSuffix(base, path.Ext(base))
}
