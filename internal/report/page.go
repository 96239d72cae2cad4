package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"oneshot/internal/ui"
)

// Page is a report as one HTML file: figures, curves and trees, drawn with inline
// SVG. It has no scripts and loads nothing, follows the reader's light or dark
// scheme, and prints. Empty parts are left out. Its policy lets nothing in but the styles and pictures that
// it holds itself.
type Page struct {
	Title    string
	Lines    []string // below the title
	Sections []Section
}

// Section is a part of a page with its own heading.
type Section struct {
	Title    string
	Lines    []string
	Warnings []string // what is not as it should be
	Drawings []Drawing
	Charts   []Chart
	Bars     []Bars
	Scatters []Scatter
	Heats    []Heat
	Tables   []Table
	Pictures []Pictures
	Trees    []Tree
	Commands []string // to copy
}

// Drawing is a picture that was made elsewhere.
type Drawing struct {
	Title string
	SVG   template.HTML // of our own making, its texts escaped
}

// Table is a table of text; all columns but the first Left ones are
// figures, aligned to the right.
type Table struct {
	Title string
	Head  []string
	Left  int
	Text  int // the column, from 1, that has long texts, which are broken; 0 is none
	Rows  [][]string
	Note  string
}

//go:embed page/page.html.tmpl
var pageSource string

//go:embed page/style.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(Style()) },
}).Parse(pageSource))

// Render returns the file.
func (p Page) Render() ([]byte, error) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("page %q: %w", p.Title, err)
	}
	return []byte(ui.Safe(b.String())), nil // names of files may hold control characters and bytes that are no UTF-8
}

// Number says whether column i holds figures.
func (t Table) Number(i int) bool { return i >= t.Left && !t.Long(i) }

// Long says whether column i holds long texts.
func (t Table) Long(i int) bool { return i == t.Text-1 }

// Listed are the sections that the list of contents names, from three on; called by the template.
func (p Page) Listed() []Section {
	for _, s := range p.Sections {
		if s.Title == "" {
			return nil
		}
	}
	if len(p.Sections) < 3 {
		return nil
	}
	return p.Sections
}
