package report

import (
	"bytes"
	"fmt"
	"html/template"
	"oneshot/internal/ui"
)

// Style is the style sheet of pages, for those that show parts of a page elsewhere.
func Style() string { return pageStyle }

// HTML is the chart as a part of another page.
func (c Chart) HTML() (template.HTML, error) { return fragment("chart", c) }

// HTML is the scatter as a part of another page.
func (s Scatter) HTML() (template.HTML, error) { return fragment("scatter", s) }

// HTML is the tree as a part of another page.
func (t Tree) HTML() (template.HTML, error) { return fragment("tree", t) }

// fragment executes a template of the page, which escapes the texts in it.
func fragment(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("part %q of a page: %w", name, err)
	}
	return template.HTML(ui.Safe(b.String())), nil
}
