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
		if err := os.WriteFile("r.yaml", b, 0o644); err != nil {
			t.Fatal(err)
		}
		back, err := Request{File: "r.yaml"}.Resolve(nil, "")
		want, errWant := Request{Preset: name}.Resolve(nil, "")
		if err != nil || errWant != nil || back != want {
			t.Errorf("%s: %v %v %v", name, err, errWant, Drift(want, back))
		}
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
