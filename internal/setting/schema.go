package setting

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Formed is a setting's type that a file may write in a form of its own, such as 10m.
type Formed interface {
	// Form is what such a value looks like, in the keywords of JSON Schema.
	Form() map[string]any
}

// Words lists, by key, the words that a setting may be: those of its tag, or those that a rule about it
// knows, as the struct that p points to stands.
func Words(p any) map[string][]string {
	words := map[string][]string{}
	var fields []Field
	walk(reflect.ValueOf(p).Elem(), "", &fields, func(v reflect.Value, section string) {
		if r, ok := v.Interface().(Ruled); ok {
			for _, r := range r.Rules() {
				if key := join(section, r.Name); r.Among != nil {
					words[key] = r.Among
				}
			}
		}
	})
	for _, f := range fields {
		if f.want.among != nil {
			words[f.Key] = f.want.among
		}
	}
	return words
}

// Schema is the JSON Schema (draft 2020-12) of a file with the settings of the struct that p points to: an
// object with a property for each setting and for each section, and no others. Defaults are those of the tags.
// about says what a section is. A range that depends on other settings is only told in words.
func Schema(p any, about func(section string) string) map[string]any {
	fresh := reflect.New(reflect.TypeOf(p).Elem())
	words := Words(p)
	top := object("")
	for _, f := range Fields(fresh.Interface()) {
		if err := f.setDefault(); err != nil {
			panic("setting: " + f.Key + ": " + err.Error())
		}
		at, section := top, ""
		for {
			name, _, ok := strings.Cut(strings.TrimPrefix(f.Key, section), ".")
			properties := at["properties"].(map[string]any)
			if !ok {
				properties[name] = f.schema(words[f.Key])
				break
			}
			section += name + "."
			if properties[name] == nil {
				properties[name] = object(about(strings.TrimSuffix(section, ".")))
			}
			at = properties[name].(map[string]any)
		}
	}
	return top
}

// object is a schema of a mapping that has no property yet.
func object(about string) map[string]any {
	s := map[string]any{"type": "object", "properties": map[string]any{}, "additionalProperties": false}
	if about != "" {
		s["description"] = about
	}
	return s
}

// schema is that of a value. words, if any, are those that it may be.
func (f Field) schema(words []string) map[string]any {
	s := map[string]any{"description": f.Doc, "default": f.Value.Interface()}
	if f.ruled {
		s["description"] = f.Doc + " (" + f.Want + ")"
	}
	maps.Copy(s, f.want.limits)
	switch v := f.Value; {
	case v.CanInt():
		s["type"] = "integer"
	case v.CanUint():
		s["type"], s["minimum"], s["maximum"] = "integer", 0, uint64(math.MaxUint64)
	case v.CanFloat():
		s["type"] = "number"
	case v.Kind() == reflect.Bool:
		s["type"] = "boolean"
	default:
		s["type"] = "string"
	}
	if own, ok := f.Value.Interface().(Formed); ok {
		maps.Copy(s, own.Form())
	}
	// A text that need not be given may also be empty.
	if f.want.among == nil && len(words) > 0 {
		s["enum"] = append([]string{""}, slices.Clone(words)...)
	}
	return s
}
