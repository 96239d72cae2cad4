package config

import (
	"embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"oneshot/internal/fault"

	"go.yaml.in/yaml/v4"
)

// recipeFiles are the presets, a file each. Its head comment says what the preset is for,
// in a first line that is listed, and notes. Below stand the keys that it sets, each with a
// comment that says where its value comes from. Those of the folder test work but are
// not listed.
//
//go:embed recipes/*.yaml recipes/test/*.yaml
var recipeFiles embed.FS

// Recipe is a preset with what its file says about it.
type Recipe struct {
	Name   string
	About  string   // what it is for, in a line
	Notes  []string // further lines about it
	Config Config
	// Sources says, by key, where a value comes from. It has the keys that the preset sets, and
	// those of the preset that it starts from.
	Sources map[string]string
}

// FromPreset returns the configuration of the named preset; "" is Default.
func FromPreset(name string) (Config, error) {
	if name == "" {
		return Default(), nil
	}
	r, err := OpenRecipe(name)
	return r.Config, err
}

// OpenRecipe reads the named preset. An unknown name is an error with the nearest one.
func OpenRecipe(name string) (Recipe, error) { return openRecipe(name, nil) }

// openRecipe reads a preset from which those of from start.
func openRecipe(name string, from []string) (Recipe, error) {
	r := Recipe{Name: name, Config: Default(), Sources: map[string]string{}}
	file, ok := recipeFile(name)
	if !ok {
		return r, fault.Usage("presets: "+strings.Join(PresetNames(), ", "),
			"unknown preset %q%s", name, fault.DidYouMean(name, PresetNames()))
	}
	if slices.Contains(from, name) {
		return r, fmt.Errorf("config: preset %s starts from itself", name)
	}
	b, err := recipeFiles.ReadFile(file)
	if err != nil {
		return r, fmt.Errorf("config: %w", err)
	}
	r.About, r.Notes = head(string(b))
	c, doc, err := parse(file, b, func(base string) (Config, error) {
		if base == "" {
			return Default(), nil
		}
		first, err := openRecipe(base, append(from, name))
		maps.Copy(r.Sources, first.Sources)
		return first.Config, err
	})
	if err != nil {
		return r, err
	}
	r.Config = c
	r.Config.Preset = name
	if len(doc.Content) > 0 {
		addSources(r.Sources, "", doc.Content[0])
	}
	return r, nil
}

// addSources adds the comments behind the values of a mapping.
func addSources(to map[string]string, prefix string, n *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := prefix+n.Content[i].Value, n.Content[i+1]
		switch {
		case value.Kind == yaml.MappingNode:
			addSources(to, key+".", value)
		case key != "preset":
			to[key] = strings.TrimSpace(strings.TrimLeft(value.LineComment, "#"))
		}
	}
}

// head returns the first line of the comment that a file begins with, and the others.
func head(text string) (first string, others []string) {
	for line := range strings.Lines(text) {
		line, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		others = append(others, strings.TrimSpace(line))
	}
	if len(others) == 0 {
		return "", nil
	}
	return others[0], others[1:]
}

// recipeFile finds the file of a preset.
func recipeFile(name string) (file string, ok bool) {
	for _, file := range append(recipesIn("recipes"), recipesIn("recipes/test")...) {
		if presetName(file) == name {
			return file, true
		}
	}
	return "", false
}

// recipesIn lists the files of a folder by their names.
func recipesIn(dir string) (files []string) {
	entries, _ := recipeFiles.ReadDir(dir) // it is embedded
	for _, e := range entries {
		if !e.IsDir() {
			files = append(files, path.Join(dir, e.Name()))
		}
	}
	return files
}

func presetName(file string) string { return strings.TrimSuffix(path.Base(file), ".yaml") }

// PresetNames are the presets that are listed.
func PresetNames() []string { return presetNames("recipes") }

func presetNames(dir string) (names []string) {
	for _, file := range recipesIn(dir) {
		names = append(names, presetName(file))
	}
	return names
}

// Preset is a line of the list of presets.
type Preset struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

// Presets lists the presets with what they are for.
func Presets() (list []Preset) {
	for _, file := range recipesIn("recipes") {
		b, _ := recipeFiles.ReadFile(file) // it is embedded
		about, _ := head(string(b))
		list = append(list, Preset{presetName(file), about})
	}
	return list
}

// PresetHelp is Presets as text, a line each.
func PresetHelp() string {
	var b strings.Builder
	for _, p := range Presets() {
		fmt.Fprintf(&b, "  %-16s%s\n", p.Name, p.About)
	}
	return b.String()
}
