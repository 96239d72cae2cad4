package space

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Form is a way to write architectures down, such as the names of published networks. Every
// space has three more: Space.Format, Space.MarshalArch and Space.Encode.
type Form struct {
	Name  string   // in words, for messages
	Words []string // all texts of the form, where it has no others
	// Is tells whether a text is meant to be of this form, be it right or wrong.
	Is func(text string) bool
	// Parse reads one. The text names its space, or the form does.
	Parse func(text string) (Space, Arch, error)
}

var forms []Form

// RegisterForm makes a form known to ParseAny. Packages of spaces call it when they
// are imported. A text must be of one form at most.
func RegisterForm(f Form) { forms = append(forms, f) }

// FormNames are the forms that ParseAny reads, in words.
func FormNames() []string {
	names := []string{"a text such as nasbench-macro:22212220 or lanas2:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5:...", "the JSON form of arch.json"}
	for _, f := range forms {
		names = append(names, f.Name)
	}
	return names
}

// FormWords are the texts of the forms that list all of their texts: published names.
func FormWords() (words []string) {
	for _, f := range forms {
		words = append(words, f.Words...)
	}
	return words
}

// ParseAny reads an architecture that names its own space: the JSON form, the text
// form or one of the registered forms. A 0/1 code names none; see IsCode.
func ParseAny(text string) (Space, Arch, error) {
	text = strings.TrimSpace(text)
	s, a, err := parseAny(text)
	if err != nil {
		return nil, nil, err
	}
	return s, a, nil
}

func parseAny(text string) (s Space, a Arch, err error) {
	for _, f := range forms {
		if f.Is(text) {
			return f.Parse(text)
		}
	}
	switch {
	case strings.HasPrefix(text, "{"):
		if s, err = ofJSON([]byte(text)); err == nil {
			a, err = s.UnmarshalArch([]byte(text))
		}
	case IsCode(text):
		err = &FieldError{"mask", "does not say which space it belongs to"}
	default:
		if s, err = ofText(text); err == nil {
			a, err = s.Parse(text)
		}
	}
	return s, a, err
}

// IsName tells whether what a text begins with is meant to be the name of a space, be there one or not.
func IsName(head string) bool {
	_, cells := parseName(head)
	return cells || strings.Contains(head, "@") || slices.ContainsFunc(kinds, func(k Kind) bool { return k.Name == head })
}

// ofText finds the space that the text form begins with.
func ofText(text string) (Space, error) {
	id, _, _ := strings.Cut(text, ":")
	for _, k := range kinds {
		if k.Name == id {
			return OfKind(id).Open()
		}
		if k.Find == nil {
			continue
		}
		if n, ok := k.Find(id); ok {
			return n.Open()
		}
	}
	n, ok := parseName(id)
	if strings.Contains(id, "@") {
		return nil, &FieldError{"space", fmt.Sprintf("%.60q is one of one's own that nothing here defines: --space FILE, its file, does", id)}
	}
	if !ok {
		return nil, &FieldError{"space", fmt.Sprintf("%.40q is neither operation set and node count, such as lanas5, nor another form of an architecture", id)}
	}
	return n.Open()
}

// ofJSON finds the space that the JSON form names; the rest is the space's to read.
func ofJSON(b []byte) (Space, error) {
	var j struct {
		Space JSONName `json:"space"`
	}
	if err := json.NewDecoder(strings.NewReader(string(b))).Decode(&j); err != nil {
		return nil, &FieldError{"json", err.Error()}
	}
	return j.Space.Named().Open()
}

// IsCode tells whether a text is meant to be a 0/1 code. Only a space can read it, see ParseCode.
func IsCode(text string) bool {
	if !strings.HasPrefix(text, "[") {
		return false
	}
	for _, f := range forms {
		if f.Is(text) {
			return false
		}
	}
	return true
}

// ParseCode reads a 0/1 code as text, such as "[0, 1, ...]", of an architecture of s.
func ParseCode(s Space, text string) (Arch, error) {
	var values []int
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, &FieldError{"mask", "is no list of 0 and 1: " + err.Error()}
	}
	code := make([]byte, len(values))
	for i, v := range values {
		if v != 0 && v != 1 {
			return nil, &FieldError{fmt.Sprintf("mask[%d]", i), fmt.Sprintf("%d, want 0 or 1", v)}
		}
		code[i] = byte(v)
	}
	return s.Decode(code)
}
