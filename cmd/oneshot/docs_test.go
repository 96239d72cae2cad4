package main

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named is a test with its file, as documents name them: `TestX` (`a/b_test.go`), or
// several tests and (both `...`) or (all `...`).
var named = regexp.MustCompile("((?:`(?:Test|Benchmark)[A-Za-z0-9]+`[,;\\s]*(?:and\\s+)?)+)\\s*\\((?:both\\s+|all\\s+)?`([a-z0-9_/]+_test\\.go)`\\)")

// mentioned is a test or benchmark, with a file or without.
var mentioned = regexp.MustCompile("`((?:Test|Benchmark|Fuzz)[A-Z][A-Za-z0-9]*)`")

// testsOf are the names of all tests, benchmarks and fuzz targets.
func testsOf(t *testing.T, root string) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "bin" || d.Name() == ".git") {
			return cmp.Or(err, filepath.SkipDir)
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(path)
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			there[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return there
}

// TestDocumentsNameWhatIsThere: every test that a page of docs/decisions names is in
// the file that it names, and every relative link of the documents leads somewhere.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	root := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/settings.md", "bench/cpu.md", "bench/gpu.md", "bench/search.md", "bench/ranking.md", "bench/data.md", "bench/export.md", "bench/recipes.md", "bench/record.md", "ops/cpu/KERNELS.md"} {
		pages = append(pages, filepath.Join(root, filepath.FromSlash(name)))
	}
	link := regexp.MustCompile(`\]\(([^):#]+)\)`)
	there := testsOf(t, root)
	tests, links := 0, 0
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m[2])))
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			for _, name := range regexp.MustCompile("`([A-Za-z0-9]+)`").FindAllStringSubmatch(m[1], -1) {
				tests++
				if !strings.Contains(string(source), "func "+name[1]+"(") {
					t.Errorf("%s: %s has no %s", page, m[2], name[1])
				}
			}
		}
		for _, m := range mentioned.FindAllStringSubmatch(text, -1) {
			if !there[m[1]] {
				t.Errorf("%s: there is no %s", page, m[1])
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
	if tests < 50 || links < 20 {
		t.Errorf("only %d tests and %d links found", tests, links)
	}
	// The broken twin: a test that is not there is noticed.
	if m := named.FindStringSubmatch("**Held by.** `TestNo` and\n`TestNeither` (both `a/b_test.go`)."); m == nil || m[2] != "a/b_test.go" || strings.Count(m[1], "`") != 4 {
		t.Errorf("the twin is read as %q", m)
	}
}
