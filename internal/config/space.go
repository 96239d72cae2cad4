package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/supernet/space"

	"go.yaml.in/yaml/v4"
)

// spaceKey is the setting that says of which kind the space is. A file with a space of one's
// own may stand there, but never is stored.
const spaceKey = "net.space"

// maxSpaceBytes caps the file of a space; a real one has about 1 KB.
const maxSpaceBytes = 64 << 10

// IsSpaceFile says whether what stands for a space is a file, by its name: NAME.yaml.
func IsSpaceFile(value string) bool {
	return slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(value))
}

// useSpace changes to another space: value is a kind, or a file. Sizes chosen for one space
// mean nothing for another, so those of the networks become the usual ones of the new space.
func (c *Config) useSpace(value, text string) error {
	n := space.OfKind(value)
	switch {
	case IsSpaceFile(value):
		b, err := atomicfile.ReadAtMost(value, maxSpaceBytes)
		if err != nil {
			return fault.Wrap(fault.ExitUsage, fmt.Errorf("%s: %w", spaceKey, err), "")
		}
		n = space.OfKind(space.Own)
		n.Blocks = string(b)
	case !slices.Contains(space.Kinds(), value):
		if _, err := os.Stat(value); err == nil {
			return fault.Usage("the file of a space is called NAME.yaml", "%s = %q is a file or folder, but not a file of YAML by its name", spaceKey, value)
		}
		kinds := slices.DeleteFunc(space.Kinds(), func(kind string) bool { return kind == space.Own })
		return fault.Usage("`oneshot space` says what they are", "%s = %q: want one of %s, or a file NAME.yaml%s", spaceKey, value, strings.Join(kinds, ", "), fault.DidYouMean(value, kinds))
	case value == space.Own:
		if n.Blocks = text; text == "" {
			return fault.Usage("--space FILE names a file of YAML with it; `oneshot space` has more about that", "%s = %s: nothing says what the space is", spaceKey, space.Own)
		}
	}
	s, err := n.Open()
	if err != nil {
		if IsSpaceFile(value) {
			err = fmt.Errorf("%s: %w", value, err)
		}
		return fault.Wrap(fault.ExitUsage, err, "")
	}
	c.Net.Named = s.Named()
	c.Net.Geometry, c.Retrain.Geometry = s.Geometry(), s.Geometry()
	c.Retrain.Aux = 0 // heads are made for cells
	return nil
}

// changesSpace says whether a value stands for another space than the one of c.
func (c *Config) changesSpace(value, text string) bool {
	return IsSpaceFile(value) || value != c.Net.Space || value == space.Own && text != "" && text != c.Net.Blocks
}

// spaceOf changes to the space that a document names, before its other values are read. A
// file is relative to that of the document, path, and becomes what it says.
func (c *Config) spaceOf(path string, doc *yaml.Node) error {
	section := entry(doc, "net")
	if section == nil {
		return nil
	}
	named, text := entry(section, "space"), ""
	if named == nil || named.Kind != yaml.ScalarNode {
		return nil
	}
	if n := entry(section, "blocks"); n != nil {
		text = n.Value
	}
	value := named.Value
	if IsSpaceFile(value) && !filepath.IsAbs(value) {
		value = filepath.Join(filepath.Dir(path), value)
	}
	if !c.changesSpace(value, text) {
		return nil
	}
	err := c.useSpace(value, text)
	named.Value = c.Net.Space
	return err
}
