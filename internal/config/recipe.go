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
	parts, err := r.parts()
	for _, p := range parts {
		if p.name != "" {
			fmt.Fprintf(&b, "%s:\n", p.name)
		}
		width := 0
		for _, e := range p.entries {
			width = max(width, utf8.RuneCountInString(e.text))
		}
		for _, e := range p.entries {
			fmt.Fprintf(&b, "%s%s  # %s\n", e.text, strings.Repeat(" ", width-utf8.RuneCountInString(e.text)), r.source(e.field.Key))
		}
	}
	return b.Bytes(), err
}

// Template is the configuration as a file to edit: every key with its value, and above it what it means, its
// range and its default. Loading it gives the same configuration.
func (r Recipe) Template() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# Settings of a run: `oneshot run -c FILE`. Lines that are taken out have the value of the preset.\n")
	b.WriteString("# Ranges: 1..64 are integers with both ends; [0,1) is from 0 to below 1, (0,10] above 0, at most 10.\n")
	if r.Name != "" {
		fmt.Fprintf(&b, "#\n# Preset %s: %s\n", r.Name, r.About)
	}
	for _, line := range r.Notes {
		fmt.Fprintf(&b, "# %s\n", line)
	}
	parts, err := r.parts()
	for _, p := range parts {
		if p.name != "" {
			fmt.Fprintf(&b, "\n# %s\n%s:\n", sectionTitles[p.name], p.name)
		}
		for i, e := range p.entries {
			indent := e.text[:len(e.text)-len(strings.TrimLeft(e.text, " "))]
			if i > 0 || p.name == "" {
				b.WriteByte('\n')
			}
			writeComment(&b, indent, e.field.Doc)
			writeComment(&b, indent, r.rangeOf(e))
			fmt.Fprintf(&b, "%s\n", e.text)
		}
	}
	return b.Bytes(), err
}

// rangeOf says what a value may be, what it is by default and, if it is another one, where that comes from.
func (r Recipe) rangeOf(e entryOfFile) string {
	var parts []string
	if e.field.Want != "" {
		parts = append(parts, e.field.Want)
	}
	if e.field.Key != "preset" {
		parts = append(parts, "default "+e.def)
	}
	if s, ok := r.Sources[e.field.Key]; ok {
		parts = append(parts, "source: "+s)
	}
	return strings.Join(parts, "; ")
}

// commentWidth is where a line of a comment ends.
const commentWidth = 100

// writeComment writes a text as lines of a comment; nothing for none.
func writeComment(b *bytes.Buffer, indent, text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(indent+"# "+line+" "+word) > commentWidth {
			fmt.Fprintf(b, "%s# %s\n", indent, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		fmt.Fprintf(b, "%s# %s\n", indent, line)
	}
}

// part is a section of a configuration file, or what stands above the sections.
type part struct {
	name    string // "" above the sections
	entries []entryOfFile
}

// entryOfFile is a key of a configuration file.
type entryOfFile struct {
	field setting.Field
	text  string // the key with its value, indented
	def   string // the default, as a file has it
}

// parts lists the keys of the configuration, in the order of Config.
func (r Recipe) parts() (parts []part, err error) {
	c, d := r.Config, Default()
	defaults := setting.Fields(&d)
	for i, f := range setting.Fields(&c) {
		section, key, ok := strings.Cut(f.Key, ".")
		indent := "  "
		if !ok {
			section, key, indent = "", f.Key, ""
		}
		value, err := yaml.Dump(f.Value.Interface())
		if err != nil {
			return nil, fmt.Errorf("config: %s: %w", f.Key, err)
		}
		def, err := yaml.Dump(defaults[i].Value.Interface())
		if err != nil {
			return nil, fmt.Errorf("config: %s: %w", f.Key, err)
		}
		text := strings.ReplaceAll(strings.TrimSpace(string(value)), "\n", "\n"+indent) // a space of one's own has lines
		if len(parts) == 0 || parts[len(parts)-1].name != section {
			parts = append(parts, part{name: section})
		}
		last := &parts[len(parts)-1]
		last.entries = append(last.entries, entryOfFile{f, indent + key + ": " + text, strings.TrimSpace(string(def))})
	}
	return parts, nil
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
