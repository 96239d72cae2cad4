package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fileChanges are the functions that change files. What changes a run folder calls those of
// atomicfile.OS instead, where the fault tests stand in between.
var fileChanges = []string{
	"os.Create", "os.CreateTemp", "os.OpenFile", "os.WriteFile", "os.Truncate", "os.Rename", "os.Remove", "os.RemoveAll", "os.Link", "os.Symlink",
	"os.Mkdir", "os.MkdirAll", "os.MkdirTemp", "os.CopyFS", "os.Chmod", "os.Chtimes", "os.OpenRoot", "syscall.Open", "syscall.Unlink", "syscall.Rename",
}

// changesElsewhere are the exceptions, with their reasons.
var changesElsewhere = map[string]string{
	"internal/rundir/try.go os.MkdirTemp":      "doctor tries a folder that is no run's",
	"internal/rundir/try.go os.RemoveAll":      "likewise",
	"data/source/index/stamp.go os.CreateTemp": "a file for the clock of the file system, gone at once",
	"data/source/index/stamp.go os.Remove":     "likewise",
	"internal/serve/run.go os.OpenRoot":        "to read in it",
	"internal/serve/list.go os.OpenRoot":       "likewise",
}

// TestRunFoldersChangeThroughOneFileSystem: a change of a run folder that went past atomicfile.OS would
// be one that no fault is injected at. The lock itself is the kernel's, and the library's that asks for it.
func TestRunFoldersChangeThroughOneFileSystem(t *testing.T) {
	files := 0
	for _, room := range []string{"internal/rundir", "internal/pipeline", "internal/search", "internal/report", "internal/serve", "internal/plan", "internal/config", "supernet", "weights", "data/source/index"} {
		paths, err := filepath.Glob(filepath.Join("../..", room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			rel := filepath.ToSlash(strings.TrimPrefix(path, "../../"))
			if strings.HasSuffix(rel, "_test.go") {
				continue
			}
			files++
			for _, u := range uses(t, path, nil, fileChanges) {
				if _, ok := changesElsewhere[rel+" "+u]; !ok {
					t.Errorf("%s uses %s; a change of a run folder goes through atomicfile.OS", rel, u)
				}
			}
		}
	}
	if files < 80 {
		t.Errorf("looked at %d files only", files)
	}
	// The broken twin: a file of ours that renames by itself is found.
	b, err := os.ReadFile("../../internal/pipeline/replaced.go")
	if err != nil {
		t.Fatal(err)
	}
	twin := strings.Replace(string(b), "atomicfile.OS.Rename(", "os.Rename(", 1)
	if got := uses(t, "twin.go", twin, fileChanges); !slices.Equal(got, []string{"os.Rename"}) {
		t.Errorf("os.Rename in replaced.go goes unnoticed: %q", got)
	}
}
