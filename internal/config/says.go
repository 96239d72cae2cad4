package config

import (
	"strings"

	"oneshot/internal/atomicfile"

	"go.yaml.in/yaml/v4"
)

// Says tells whether the command line or the configuration file gives a key a value.
// Presets, defaults and what a run folder has stored do not.
func (r Request) Says(key string) bool {
	if r.Gives(key) {
		return true
	}
	if r.File == "" {
		return false
	}
	b, err := atomicfile.ReadAtMost(r.File, maxConfigBytes)
	if err != nil {
		return false // Resolve has told
	}
	var doc yaml.Node
	if loadOne(b, &doc) != nil || len(doc.Content) == 0 {
		return false
	}
	at := doc.Content[0]
	for part := range strings.SplitSeq(key, ".") {
		if at = entry(at, part); at == nil {
			return false
		}
	}
	return true
}

// entry is the value that a mapping has under a key, nil if it has none.
func entry(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
