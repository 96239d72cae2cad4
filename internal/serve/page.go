package serve

import (
	"embed"
	"html/template"
	"io"
	"net/http"
	"strconv"

	"oneshot/internal/report"
)

//go:embed page
var files embed.FS

var pages = template.Must(template.ParseFS(files, "page/*.tmpl"))

var (
	script = mustRead("page/script.js")
	icon   = mustRead("page/icon.svg")
)

func mustRead(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic("serve: a file of the page is missing")
	}
	return b
}

// styleSheet is that of reports, whose charts, tables and trees the page has, and what it has beside them.
func styleSheet() []byte { return append([]byte(report.Style()), mustRead("page/style.css")...) }

// page is what both templates of whole pages show.
type page struct {
	Title, Base string
	Home        bool // there is a list to go back to
	Mark        string
	Version     string
	Key         string // of the form
	Parts       []shown
}

// shown is a part of a page.
type shown struct {
	Name string
	HTML template.HTML
}

// showRun is the page of a run.
func (s *Server) showRun(w http.ResponseWriter, _ *http.Request, x *run) {
	x.mu.Lock()
	x.draw(true)
	p := page{Title: x.dir().Base(), Base: s.base, Home: !s.single, Key: s.key, Mark: x.metrics.mark.String()}
	newest := int64(0)
	for _, name := range partNames {
		p.Parts = append(p.Parts, shown{name, x.parts[name].html})
		newest = max(newest, x.parts[name].version)
	}
	x.mu.Unlock()
	p.Version = strconv.FormatInt(newest, 10)
	s.render(w, "run", p)
}

func (s *Server) render(w http.ResponseWriter, name string, p page) {
	html, err := fill(name, p)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the page cannot be made: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, string(html))
}
