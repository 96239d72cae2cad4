package serve

import (
	"bytes"
	"html/template"
	"oneshot/internal/ui"
	"time"
)

// partNames are the parts of the page of a run, in its order. Each is drawn, and exchanged, by itself.
var partNames = []string{"state", "stages", "found", "curves", "search", "choices", "tree", "log"}

// part is a part of a page as it was last drawn.
type part struct {
	html    template.HTML
	version int64 // when it was drawn; a later one is higher
	dirty   bool
	next    time.Time // when it may be drawn again
}

func newParts() map[string]*part {
	all := map[string]*part{}
	for _, name := range partNames {
		all[name] = &part{dirty: true}
	}
	return all
}

// dirty says that parts are not what the files say any more.
func (x *run) dirty(names ...string) {
	for _, name := range names {
		x.parts[name].dirty = true
	}
}

// Drawing takes processor time that a training on the same machine would have. So a part that took a time to draw is
// drawn again only after wait times that: the eight of them together take at most 8/wait of one processor. When a stage
// has ended each is drawn once more (see lookAtFiles).
const (
	wait    = 1000
	soonest = time.Second
)

// draw draws the parts that have changed and may be drawn again; all, those that have changed. A page that is
// loaded is of now.
func (x *run) draw(all bool) {
	if now := x.tells(); now != x.told {
		x.told = now
		x.dirty("state", "stages")
	}
	for _, name := range partNames {
		p := x.parts[name]
		begun := x.now()
		if !p.dirty || !all && begun.Before(p.next) {
			continue
		}
		html, err := x.drawPart(name)
		if err != nil {
			html = template.HTML("<p>" + template.HTMLEscapeString(err.Error()) + "</p>")
		}
		now := x.now()
		if html != p.html {
			p.html, p.version = html, now.UnixNano()
		}
		p.dirty = false
		p.next = now.Add(max(soonest, wait*now.Sub(begun)))
	}
}

// drawPart executes the template of a part.
func (x *run) drawPart(name string) (template.HTML, error) {
	var data any
	var err error
	switch name {
	case "state":
		data = x.stateView()
	case "stages":
		data = x.stages()
	case "found":
		data = x.foundView()
	case "curves":
		data, err = x.curvesView()
	case "search":
		data, err = x.searchView()
	case "choices":
		data = x.choicesView()
	case "tree":
		data, err = x.treeView()
	case "log":
		data = x.entries
	}
	if err != nil {
		return "", err
	}
	return fill(name, data)
}

// fill is a template with data in it. What acts on a terminal or is no UTF-8, in names of files and lines of the log, is
// written in words.
func fill(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, name, data)
	return template.HTML(ui.Safe(b.String())), err
}
