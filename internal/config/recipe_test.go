package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"oneshot/internal/setting"
)

// TestRecipeRoundTrip: what is printed is a configuration file of the same values, and says
// of every value where it comes from.
func TestRecipeRoundTrip(t *testing.T) {
	t.Chdir(t.TempDir())
	line := regexp.MustCompile(`^ *[a-z0-9_]+: +\S.*  # \S`)
	for _, name := range allPresets() {
		r, err := OpenRecipe(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.YAML()
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for text := range strings.Lines(string(b)) {
			if line.MatchString(text) {
				lines++
			}
		}
		if n := len(setting.Fields(new(Config))); lines != n {
			t.Errorf("%s: %d lines with a value and a source, want %d", name, lines, n)
		}
		template, err := r.Template()
		if err != nil {
			t.Fatal(err)
		}
		want, err := Request{Preset: name}.Resolve(nil, "")
		if err != nil {
			t.Fatal(err)
		}
		for form, b := range map[string][]byte{"recipe": b, "init": template} {
			if err := os.WriteFile("r.yaml", b, 0o644); err != nil {
				t.Fatal(err)
			}
			if back, err := (Request{File: "r.yaml"}).Resolve(nil, ""); err != nil || back != want {
				t.Errorf("%s of %s: %v %v", form, name, err, Drift(want, back))
			}
		}
	}
}

// TestTemplateSaysAll: above each key stand what it means and what it may be, in lines that fit a screen.
func TestTemplateSaysAll(t *testing.T) {
	r, err := (Request{Preset: "micro", Sets: []string{"train.lr=0.07"}}).Recipe("")
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Template()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if len([]rune(line)) > commentWidth+20 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
	joined := strings.Join(strings.Fields(strings.ReplaceAll(string(b), "#", "")), " ")
	for _, f := range setting.Fields(new(Config)) {
		if !strings.Contains(joined, f.Doc) || !strings.Contains(joined, f.Want) {
			t.Errorf("%s: what it means or may be is missing", f.Key)
		}
	}
	if want := "# (0,10]; default 0.025; source: " + given + "\n  lr: 0.07\n"; !strings.Contains(string(b), want) {
		t.Errorf("want %q in\n%s", want, b)
	}
}

// TestRecipeSaysItsSources has three kinds of lines of one preset.
func TestRecipeSaysItsSources(t *testing.T) {
	r, err := OpenRecipe("slow")
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`(?m)^# slow: micro whose supernet is never done; for tests$`,
		`(?m)^  steps: 100000 +# chosen by us: longer than any test$`, // its own
		`(?m)^  nodes: 2 +# time$`,                                    // of the preset that it starts from
		`(?m)^  momentum: 0\.9 +# default$`,
		`(?m)^  time: 0s +# default$`, // as in config.yaml
	} {
		if !regexp.MustCompile(want).Match(b) {
			t.Errorf("want %s in\n%s", want, b)
		}
	}
}
