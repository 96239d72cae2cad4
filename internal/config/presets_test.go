package config

import (
	"strings"
	"testing"

	"oneshot/internal/setting"
)

// allPresets are the presets that are listed and those for tests.
func allPresets() (names []string) {
	for _, dir := range []string{"recipes", "recipes/test"} {
		for _, file := range recipesIn(dir) {
			names = append(names, presetName(file))
		}
	}
	return names
}

// ours begins the source of a value that nobody published, where it is not "time".
const ours = "chosen by us"

// TestRecipeFiles: every value has its source. A value that the preset would have anyway
// stands there only where somebody published it, so that another default would not change
// the recipe.
func TestRecipeFiles(t *testing.T) {
	values := 0
	for _, name := range allPresets() {
		r, err := OpenRecipe(name)
		if err != nil {
			t.Fatal(err)
		}
		if r.About == "" || strings.HasSuffix(r.About, ".") || len(r.About) > 100 {
			t.Errorf("%s: want a first line for the list, without a full stop: %q", name, r.About)
		}
		start, sources := startOf(t, name)
		before := setting.Fields(&start)
		for i, f := range setting.Fields(&r.Config) {
			source, set := sources[f.Key]
			same := f.Value.Interface() == before[i].Value.Interface()
			switch {
			case set && source == "":
				t.Errorf("%s: %s has no source", name, f.Key)
			case set && same && (strings.HasPrefix(source, ours) || strings.HasPrefix(source, "time")):
				t.Errorf("%s: %s = %v anyway", name, f.Key, f.Value)
			case !set && !same && f.Key != "preset":
				t.Errorf("%s: %s = %v, and the file does not say so", name, f.Key, f.Value)
			case set && r.Sources[f.Key] != source:
				t.Errorf("%s: the source of %s is %q, want %q", name, f.Key, r.Sources[f.Key], source)
			}
			if set {
				values++
			}
		}
	}
	if values < 200 {
		t.Errorf("only %d values seen", values)
	}
}

// startOf is the configuration from which a preset starts, and the sources of its own file.
func startOf(t *testing.T, name string) (start Config, sources map[string]string) {
	t.Helper()
	file, _ := recipeFile(name)
	b, err := recipeFiles.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, doc, err := parse(file, b, func(base string) (Config, error) {
		var err error
		start, err = FromPreset(base)
		return start, err
	})
	if err != nil {
		t.Fatal(err)
	}
	sources = map[string]string{}
	addSources(sources, "", doc.Content[0])
	return start, sources
}

// TestRecipeComplains: what is wrong with a file or a name is said.
func TestRecipeComplains(t *testing.T) {
	for name, want := range map[string]string{
		"tinny":      `unknown preset "tinny"; did you mean "tiny"?`,
		"test/micro": `unknown preset "test/micro"`,
		"../tiny":    `unknown preset "../tiny"`,
	} {
		if _, err := OpenRecipe(name); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := openRecipe("slow", []string{"micro"}); err == nil || !strings.Contains(err.Error(), "preset micro starts from itself") {
		t.Errorf("%v", err)
	}
}
