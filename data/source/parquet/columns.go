package parquet

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go/format"
)

// leaf is a column that holds values.
type leaf struct {
	path   []string
	index  int // among the columns of a row group
	typ    format.Type
	text   bool // marked as text
	maxDef int
	flat   bool // not repeated
}

func (l *leaf) name() string { return strings.Join(l.path, ".") }

// leaves lists the columns of a schema, which is a tree written depth first.
func leaves(schema []format.SchemaElement) ([]leaf, error) {
	var out []leaf
	at := 1
	var walk func(n int, path []string, def int, flat bool) error
	walk = func(n int, path []string, def int, flat bool) error {
		if len(path) > maxDepth {
			return fmt.Errorf("schema is nested more than %d deep", maxDepth)
		}
		for range n {
			if at >= len(schema) {
				return errors.New("schema ends in the middle")
			}
			e := &schema[at]
			at++
			def, flat := def, flat
			if e.RepetitionType.Valid && e.RepetitionType.V != format.Required {
				def++
				flat = flat && e.RepetitionType.V == format.Optional
			}
			path := append(slices.Clone(path), e.Name)
			if e.NumChildren.Valid && e.NumChildren.V != 0 {
				if err := walk(int(e.NumChildren.V), path, def, flat); err != nil {
					return err
				}
				continue
			}
			if !e.Type.Valid {
				continue // a group without columns
			}
			_, isString := e.LogicalType.Value.(*format.StringType)
			text := isString || e.ConvertedType.Valid && int(e.ConvertedType.V) == 0 // UTF8
			out = append(out, leaf{path, len(out), e.Type.V, text, def, flat})
		}
		return nil
	}
	if len(schema) == 0 {
		return nil, errors.New("schema is empty")
	}
	root := 0
	if schema[0].NumChildren.Valid {
		root = int(schema[0].NumChildren.V)
	}
	if err := walk(root, nil, 0, true); err != nil {
		return nil, err
	}
	if at != len(schema) {
		return nil, fmt.Errorf("schema has %d elements, %d belong to columns", len(schema), at)
	}
	return out, nil
}

// columns are those of a file that are read.
type columns struct {
	image, label leaf
	names        []string // of the label's values as the file gives them, or nil
}

// feature is what the datasets library notes of a column in the metadata key "huggingface".
type feature struct {
	Type  string   `json:"_type"`
	Names []string `json:"names"`
}

// features reads the notes. What cannot be read is left out: only names are taken from it.
func features(meta []format.KeyValue) map[string]feature {
	for _, kv := range meta {
		if kv.Key != "huggingface" {
			continue
		}
		var hf struct {
			Info struct {
				Features map[string]json.RawMessage `json:"features"`
			} `json:"info"`
		}
		if json.Unmarshal([]byte(kv.Value), &hf) != nil {
			return nil
		}
		out := map[string]feature{}
		for name, raw := range hf.Info.Features {
			var f feature
			if json.Unmarshal(raw, &f) == nil {
				out[name] = f
			}
		}
		return out
	}
	return nil
}

// choose finds the columns of the images and of the labels.
func choose(all []leaf, noted map[string]feature, opts Options) (columns, error) {
	var seen []string
	for _, l := range all {
		seen = append(seen, l.name())
	}
	what := "columns are " + strings.Join(seen, ", ")
	image, err := pick(all, opts.Image, []string{"image", "img"}, isImage, func(l *leaf) bool { return noted[l.path[0]].Type == "Image" })
	if err != nil {
		return columns{}, fmt.Errorf("%w; %s", err, what)
	}
	label, err := pick(all, opts.Label, []string{"label", "fine_label", "labels"}, isLabel, func(l *leaf) bool { return noted[l.path[0]].Type == "ClassLabel" })
	if err != nil {
		return columns{}, fmt.Errorf("%w; %s", err, what)
	}
	return columns{image, label, noted[label.path[0]].Names}, nil
}

// kind is what a column is looked for as.
type kind struct {
	title string
	// fits tells whether a column can be it, alone whether it is taken without a name for it.
	fits, alone func(*leaf) bool
}

var isImage = kind{"images (struct of bytes and path, or binary)",
	func(l *leaf) bool {
		return l.flat && l.typ == format.ByteArray && !l.text && (len(l.path) == 1 || len(l.path) == 2 && l.path[1] == "bytes")
	},
	func(*leaf) bool { return true }}

var isLabel = kind{"labels (whole numbers or text)",
	func(l *leaf) bool {
		return l.flat && len(l.path) == 1 && (l.typ == format.Int32 || l.typ == format.Int64 || l.typ == format.ByteArray)
	},
	func(l *leaf) bool { return l.typ != format.ByteArray }}

// pick returns the column that is asked for. Where none is, it returns the first with one
// of the names, or else the only one that is noted, or else the only one there is.
func pick(all []leaf, asked string, names []string, k kind, noted func(*leaf) bool) (leaf, error) {
	if asked != "" {
		names, noted, k.alone = []string{asked}, none, none
	}
	for _, name := range names {
		for _, l := range all {
			if l.path[0] == name && k.fits(&l) {
				return l, nil
			}
		}
	}
	for _, also := range []func(*leaf) bool{noted, k.alone} {
		var found []leaf
		for _, l := range all {
			if k.fits(&l) && also(&l) {
				found = append(found, l)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	if asked != "" {
		return leaf{}, fmt.Errorf("no column of %s is named %s", k.title, asked)
	}
	return leaf{}, fmt.Errorf("no column of %s is named %s, and none is the only one", k.title, strings.Join(names, ", "))
}

func none(*leaf) bool { return false }
