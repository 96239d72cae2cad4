package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// processWide are the functions and variables only the command may touch: the
// wall clock, the environment, the terminal, printing and exiting (I6).
var processWide = []string{
	"time.Now", "time.Since", "time.Until", "time.After", "time.Tick", "time.NewTimer", "time.NewTicker", "time.Sleep",
	"os.Exit", "os.Args", "os.Getenv", "os.LookupEnv", "os.Environ", "os.Stdin", "os.Stdout", "os.Stderr",
	"fmt.Print", "fmt.Printf", "fmt.Println", "fmt.Scan", "log.Print", "log.Printf", "log.Println", "log.Fatal", "log.Fatalf",
	"slog.Info", "slog.Warn", "slog.Error", "slog.Debug",
}

// allowed are the exceptions, with their reasons.
var allowed = map[string]string{
	"ops/cpu/isa.go os.Getenv": "ONESHOT_ISA is read once, before main",
}

// uses lists which of some names of packages a source file uses.
func uses(t *testing.T, name string, src any, of []string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if p, ok := s.X.(*ast.Ident); ok && slices.Contains(of, p.Name+"."+s.Sel.Name) {
				found = append(found, p.Name+"."+s.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestOnlyTheCommandTouchesTheProcess(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(path, "../../"))
		if d.IsDir() {
			// Generators are commands of their own; emu and faulttest are for tests.
			if n := d.Name(); rel == "cmd" || rel == "bin" || n == "testdata" || n == "_asm" || n == ".git" || n == "genargs" || n == "genptx" || n == "emu" || n == "faulttest" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		files++
		for _, u := range uses(t, path, nil, processWide) {
			if _, ok := allowed[rel+" "+u]; !ok {
				t.Errorf("%s uses %s; only cmd/oneshot may", rel, u)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("looked at %d files only", files)
	}
	// The broken twin: every forbidden name is found.
	for _, name := range processWide {
		if got := uses(t, "twin.go", "package p\nfunc f() { _ = "+name+" }", processWide); !slices.Equal(got, []string{name}) {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}
