package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

// Page is a report as one HTML file: figures, curves and trees, drawn with inline
// SVG. It has no scripts and loads nothing, follows the reader's light or dark
// scheme, and prints. Empty parts are left out.
type Page struct {
	Title    string
	Lines    []string // below the title
	Sections []Section
}

// Section is a part of a page with its own heading.
type Section struct {
	Title    string
	Lines    []string
	Drawings []Drawing
	Charts   []Chart
	Scatters []Scatter
	Tables   []Table
	Trees    []Tree
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
	Rows  [][]string
	Note  string
}

//go:embed page/page.html.tmpl
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// Render returns the file.
func (p Page) Render() ([]byte, error) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("page %q: %w", p.Title, err)
	}
	return b.Bytes(), nil
}

// Number says whether column i holds figures.
func (t Table) Number(i int) bool { return i >= t.Left }
