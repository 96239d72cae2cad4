package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// removing are the words of a message that may cost somebody work.
var removing = regexp.MustCompile(`(?i)\b(delet\w*|remov\w*|eras\w*|rm|mov(e|es|ed|ing)|overwrit\w*|renam\w*)\b`)

// harmless are the messages that have such a word and cost nothing, by a part of them, with the reason.
var harmless = map[string]string{
	"probability of random erasing":                     "an augmentation",
	"is removed again":                                  "what `data prepare` itself has begun and says that it takes away",
	"written, synced and renamed":                       "doctor, of its own file",
	"delete the key":                                    "a key of a configuration that was misspelt, not a file",
	"a copy moves":                                      "a speed",
	"put the file back as it was; renamed to":           "a damaged file is kept under the other name, and the run goes on",
	"rename the folder":                                 "a split of the user's images, by whatever name they want",
	"rename one of them":                                "likewise",
	"rename the one to train on":                        "likewise",
	"checkpoint %d is saved, but removing older ones: ": "what failed",
}

// messages are the texts of a source file that have several words, without the tags of fields.
func messages(t *testing.T, name string, src any) (texts []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			return n.Tag == nil
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && strings.Contains(text, " ") {
				texts = append(texts, text)
			}
		}
		return true
	})
	return texts
}

// TestNoHintRemoves: no message of the program asks to delete, move or overwrite what it did not itself prove
// worthless. Whoever follows a hint must not lose work.
func TestNoHintRemoves(t *testing.T) {
	seen, used := 0, map[string]bool{}
	for _, room := range []string{"cmd/oneshot", "internal", "data", "weights", "supernet", "lanas", "ops"} {
		err := filepath.WalkDir(filepath.Join("..", "..", filepath.FromSlash(room)), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			for _, text := range messages(t, path, nil) {
				seen++
				if !removing.MatchString(text) {
					continue
				}
				ok := false
				for part := range harmless {
					if strings.Contains(text, part) {
						ok, used[part] = true, true
					}
				}
				if !ok {
					t.Errorf("%s: %q may cost somebody work", path, text)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 500 {
		t.Errorf("only %d messages seen", seen)
	}
	for part := range harmless {
		if !used[part] {
			t.Errorf("no message says %q any more", part)
		}
	}
	// The broken twin: the hint of a search that was changed, as it once was.
	twin := "package p\nvar hint = \"delete the folder, or move it away, to start anew\"\n"
	if found := messages(t, "twin.go", twin); len(found) != 1 || !removing.MatchString(found[0]) {
		t.Errorf("the twin is not noticed: %q", found)
	}
}

// command is a command line in a message that goes on with what a folder has.
var command = regexp.MustCompile("`oneshot (?:run|train|search|retrain|export)[^`]*--(?:resume|override)[^`]*")

// TestHintsNameTheFolder: a command of a hint that goes on in a run folder names it, so that it can be copied.
func TestHintsNameTheFolder(t *testing.T) {
	seen := 0
	for _, room := range []string{"cmd/oneshot", "internal"} {
		err := filepath.WalkDir(filepath.Join("..", "..", filepath.FromSlash(room)), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			for _, text := range messages(t, path, nil) {
				for _, c := range command.FindAllString(text, -1) {
					seen++
					if !strings.Contains(c, "--out") {
						t.Errorf("%s: %s... names no folder", path, c)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 4 {
		t.Errorf("only %d commands seen", seen)
	}
	if doubled("oneshot: space: space: is wrong") != "space:" || doubled("oneshot: space: is a space") != "" {
		t.Error("a word that is said twice is not noticed, or one that is not")
	}
	if !command.MatchString("twin := `oneshot run --resume --override` does all of it") {
		t.Error("the twin is not noticed")
	}
}
