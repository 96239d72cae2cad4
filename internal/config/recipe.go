package config

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"oneshot/internal/setting"

	"go.yaml.in/yaml/v4"
)

// unset is what is said of a value that the preset leaves alone.
const unset = "default"

// YAML is the whole preset as a configuration file: every key with its value, and behind it
// the value's source. Loading it gives the same configuration.
func (r Recipe) YAML() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s: %s\n", r.Name, r.About)
	for _, line := range r.Notes {
		fmt.Fprintf(&b, "# %s\n", line)
	}
	fmt.Fprintf(&b, "#\n# `oneshot run -c FILE` with this file is the same as --preset %s.\n", r.Name)
	c := r.Config
	last := ""
	var lines [][2]string // of a section: key with value, and source
	for _, f := range setting.Fields(&c) {
		section, key, ok := strings.Cut(f.Key, ".")
		if !ok {
			section, key = "", f.Key
		}
		if section != last {
			writeLines(&b, lines)
			lines, last = nil, section
			fmt.Fprintf(&b, "%s:\n", section)
		}
		value, err := yaml.Dump(f.Value.Interface())
		if err != nil {
			return nil, fmt.Errorf("config: %s: %w", f.Key, err)
		}
		indent := ""
		if section != "" {
			indent = "  "
		}
		lines = append(lines, [2]string{indent + key + ": " + strings.TrimSpace(string(value)), r.source(f.Key)})
	}
	writeLines(&b, lines)
	return b.Bytes(), nil
}

// source is what stands behind the value of a key.
func (r Recipe) source(key string) string {
	if key == "preset" {
		return "this one"
	}
	if s, ok := r.Sources[key]; ok {
		return s
	}
	return unset
}

// writeLines writes the lines of a section with their comments below each other.
func writeLines(b *bytes.Buffer, lines [][2]string) {
	width := 0
	for _, l := range lines {
		width = max(width, utf8.RuneCountInString(l[0]))
	}
	for _, l := range lines {
		fmt.Fprintf(b, "%s%s  # %s\n", l[0], strings.Repeat(" ", width-utf8.RuneCountInString(l[0])), l[1])
	}
}
