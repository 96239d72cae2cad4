package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"oneshot/internal/fault"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
)

// WriteRunPage writes the page of one run to a file outside of its place in the folder.
func WriteRunPage(d rundir.Folder, file string) error {
	if err := pageName(file); err != nil {
		return err
	}
	r, err := readRun(d)
	if err != nil {
		return err
	}
	return writePage(report.Run(r.RunParts), file)
}

// WriteComparison writes the page that compares runs.
func WriteComparison(folders []rundir.Folder, file string) error {
	if err := pageName(file); err != nil {
		return err
	}
	names, err := tellApart(folders)
	if err != nil {
		return err
	}
	var runs []report.Compared
	for i, d := range folders {
		r, err := readRun(d)
		if err != nil {
			return err
		}
		m := r.manifest
		c := report.Compared{Name: names[i], RunParts: r.RunParts, Settings: r.config.Values(func(key string) bool { return !strings.HasPrefix(key, "run.") && key != "data.dir" })}
		c.TestImages = testImages(m, r.config.Data.TestFrom)
		if m.Dataset.SHA256 != "" {
			c.Settings["images"] = fmt.Sprintf("%s (sha256 %.12s)", m.Dataset.Source, m.Dataset.SHA256)
		}
		if m.Schema > 0 { // there is one
			c.Settings["program"] = fmt.Sprintf("%s, revision %s", m.Version, m.Revision)
			c.Settings["processor"] = m.CPU
		}
		runs = append(runs, c)
	}
	return writePage(report.Compare(runs), file)
}

// testImages tells the test images of runs apart; "" is that they are not known. Where the seed may have chosen them, as
// it may have in a run of an earlier version, those of two seeds are not the same.
func testImages(m rundir.Manifest, from string) string {
	d := m.Dataset
	if d.SHA256 == "" {
		return ""
	}
	key := fmt.Sprint(d.SHA256, " ", from, " ", d.Test)
	if d.TestBySeed == nil || *d.TestBySeed {
		key += fmt.Sprint(" seed ", m.Seed)
	}
	return key
}

// pageName refuses a file that is no page by its name: what a run folder holds is not written over.
func pageName(file string) error {
	if ext := strings.ToLower(filepath.Ext(file)); ext != ".html" && ext != ".htm" {
		return fault.Usage("name a file that ends in .html", "-o %s: a page is written to a file whose name ends in .html", file)
	}
	return nil
}

func writePage(p report.Page, file string) error {
	b, err := p.Render()
	if err != nil {
		return err
	}
	return WriteFile(file, b)
}

// tellApart gives runs the names of their folders and, where two have the same, as much more of their paths as it takes.
func tellApart(folders []rundir.Folder) ([]string, error) {
	paths := make([]string, len(folders))
	for i, d := range folders {
		info, err := os.Stat(string(d))
		if err != nil || !info.IsDir() {
			return nil, noRun(d)
		}
		if paths[i], err = filepath.Abs(string(d)); err != nil {
			return nil, err
		}
		for _, other := range folders[:i] {
			if o, err := os.Stat(string(other)); err == nil && os.SameFile(info, o) {
				return nil, fault.Usage("name each run once", "%s and %s are the same run", other, d)
			}
		}
	}
	names := make([]string, len(paths))
	for i := range paths {
		for depth := 1; ; depth++ { // ends: whole paths differ
			name, taken := ending(paths[i], depth), false
			for j := range paths {
				taken = taken || j != i && ending(paths[j], depth) == name
			}
			if !taken || name == filepath.ToSlash(paths[i]) {
				names[i] = name
				break
			}
		}
	}
	return names, nil
}

// ending are the last parts of a path.
func ending(path string, parts int) string {
	all := strings.Split(filepath.ToSlash(path), "/")
	if parts >= len(all) {
		return filepath.ToSlash(path)
	}
	return strings.Join(all[len(all)-parts:], "/")
}
