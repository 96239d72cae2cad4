package audit

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	mostBad     = 20 // bad records that text shows
	mostClasses = 40 // classes that text shows one by one
)

// Text writes a report for people.
func (r *Report) Text(w io.Writer) {
	r.Collection.head(w)
	decoded := 0
	for _, s := range r.Splits {
		for _, n := range s.ByClass {
			decoded += n
		}
	}
	if decoded == r.Images {
		line(w, "decoded", "all %d", r.Images)
	} else {
		line(w, "decoded", "%d of %d", decoded, r.Images)
	}
	r.Collection.table(w)
	for i, b := range r.Bad[:min(len(r.Bad), mostBad)] {
		at := ""
		if b.Offset > 0 {
			at = fmt.Sprintf("offset %d: ", b.Offset)
		}
		line(w, first(i, "bad"), "%s: %s%s", r.within(b.name()), at, b.Reason)
	}
	if n := len(r.Bad) - mostBad; n > 0 {
		line(w, "", "and %d more; --json lists all", n)
	}
	show := func(what string, f Finding) {
		line(w, what, "%s", f.Text)
		if f.Kind == BadRecords {
			return // they stand above
		}
		for i := 0; i+1 < len(f.Files); i += 2 {
			line(w, "", "  %s = %s", r.within(f.Files[i]), r.within(f.Files[i+1]))
		}
		if f.Count > mostNamed/2 && len(f.Files) > 0 {
			line(w, "", "  ...; --json lists up to %d", mostGroups)
		}
	}
	for _, f := range r.Warnings {
		show("warning", f)
	}
	for _, f := range r.Problems {
		show("problem", f)
	}
	if len(r.Problems)+len(r.Warnings) == 0 {
		line(w, "result", "nothing is wrong")
	}
}

// within is a file's name from the folder of the data on.
func (c *Collection) within(file string) string {
	return strings.TrimPrefix(file, c.Data+string(filepath.Separator))
}

// first is a word on the first line of several.
func first(i int, word string) string {
	if i == 0 {
		return word
	}
	return ""
}

func line(w io.Writer, what, format string, args ...any) {
	fmt.Fprintf(w, "%-8s %s\n", what, fmt.Sprintf(format, args...))
}

func (c *Collection) head(w io.Writer) {
	line(w, "data", "%s: %s", c.Data, cmp.Or(c.Provenance, c.About))
	line(w, "images", "%d of %s in %s", c.Images, plural(len(c.Classes), "class", "classes"), Bytes(c.Bytes))
	line(w, "kinds", "%s", c.Kinds)
	if c.Looked > 0 {
		line(w, "sizes", "width %s, height %s", c.Width, c.Height)
	}
	if c.Roles != "" {
		line(w, "roles", "%s", c.Roles)
	}
	for _, n := range c.Notes {
		line(w, "note", "%s", n)
	}
}

func (r Range) String() string {
	if r.Min == r.Max {
		return fmt.Sprint(r.Min)
	}
	return fmt.Sprintf("%d to %d (median %d)", r.Min, r.Max, r.Median)
}

var formatNames = map[string]string{"jpeg": "JPEG", "png": "PNG", "webp": "WebP", "gif": "GIF", "bmp": "BMP", "raw": "plain pixels"}

func (k Kinds) String() string {
	names := slices.SortedFunc(maps.Keys(k.Formats), func(a, b string) int {
		return cmp.Or(cmp.Compare(k.Formats[b], k.Formats[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%d %s", k.Formats[name], formatNames[name]))
	}
	for _, p := range []struct {
		n    int
		what string
	}{{k.Grey, "grey"}, {k.Alpha, "with alpha, which is dropped"}, {k.CMYK, "CMYK"}, {k.Deep, "of 16 bits"}, {k.Turned, "turned by EXIF"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		return "none that can be read"
	}
	return strings.Join(parts, ", ")
}

// table writes the images of every class and split.
func (c *Collection) table(w io.Writer) {
	if len(c.Splits) == 0 {
		return
	}
	var columns []column
	for _, s := range c.Splits {
		columns = append(columns, column{cmp.Or(s.Name, "images"), s.ByClass})
	}
	table(w, c.Classes, columns)
}

type column struct {
	name    string
	byClass []int
}

func table(w io.Writer, classes []string, columns []column) {
	wide := len("least")
	if len(classes) <= mostClasses {
		for _, name := range classes {
			wide = max(wide, utf8.RuneCountInString(name))
		}
	}
	row := func(name string, cell func(c column) string) {
		fmt.Fprintf(w, "         %-*s", wide, name)
		for _, c := range columns {
			fmt.Fprintf(w, "  %*s", max(6, utf8.RuneCountInString(c.name)), cell(c))
		}
		fmt.Fprintln(w)
	}
	row("", func(c column) string { return c.name })
	if len(classes) <= mostClasses {
		for k, name := range classes {
			row(name, func(c column) string { return fmt.Sprint(c.byClass[k]) })
		}
	} else {
		row("least", func(c column) string { return fmt.Sprint(slices.Min(c.byClass)) })
		row("most", func(c column) string { return fmt.Sprint(slices.Max(c.byClass)) })
	}
	row("all", func(c column) string {
		n := 0
		for _, v := range c.byClass {
			n += v
		}
		return fmt.Sprint(n)
	})
}

// Bytes writes a size: "22.9 MB".
func Bytes(n int64) string {
	v, units := float64(n), []string{"bytes", "kB", "MB", "GB", "TB"}
	i := 0
	for v >= 999.5 && i < len(units)-1 {
		v /= 1000
		i++
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}
