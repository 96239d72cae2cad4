package blocks

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"oneshot/supernet/space"

	"go.yaml.in/yaml/v4"
)

// Definition says what a space consists of. It is what a file of a space has.
type Definition struct {
	Name    string   `yaml:"name"`
	Stem    Stem     `yaml:"stem"`
	Choices []Choice `yaml:"choices,omitempty"` // of the blocks of stages that have none of their own
	Stages  []Stage  `yaml:"stages"`
	Head    *Head    `yaml:"head,omitempty"`
}

// Stem is the convolution that reads the images.
type Stem struct {
	Channels int `yaml:"channels"`
	Kernel   int `yaml:"kernel"` // its side
	Stride   int `yaml:"stride"`
}

// Stage is a row of blocks of one shape.
type Stage struct {
	Channels int      `yaml:"channels"`
	Layers   int      `yaml:"layers"`
	Stride   int      `yaml:"stride"`
	First    []Choice `yaml:"first,omitempty"`   // of its first block, if it has others
	Choices  []Choice `yaml:"choices,omitempty"` // of its blocks
}

// Head is the 1x1 convolution in front of the classifier.
type Head struct {
	Channels int `yaml:"channels"`
}

// Choice is a candidate: an operation of candidates, with what it takes.
type Choice struct {
	Op     string `yaml:"op"`
	Kernel int    `yaml:"kernel,omitempty"`
	Expand int    `yaml:"expand,omitempty"`
}

// Name is how a candidate is called in names of tensors and in words: mbconv_e6_k5.
func (c Choice) Name() string {
	name := c.Op
	if c.Expand > 0 {
		name += fmt.Sprintf("_e%d", c.Expand)
	}
	if c.Kernel > 0 {
		name += fmt.Sprintf("_k%d", c.Kernel)
	}
	return name
}

// Limits of a definition: the digits of a text, and sizes for which all counts are numbers.
const (
	maxBlocks     = 64
	maxCandidates = 36
	maxChannels   = 4096
	maxExpand     = 16
)

var goodName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// Read reads a definition as YAML. Unknown fields and values out of range are
// *space.FieldError.
func Read(b []byte) (Definition, error) {
	var d Definition
	dec, err := yaml.NewLoader(bytes.NewReader(b), yaml.WithKnownFields())
	if err == nil {
		err = dec.Load(&d)
	}
	if errors.Is(err, io.EOF) {
		return d, &space.FieldError{Field: "blocks", Msg: "is empty"}
	}
	if err != nil {
		return d, &space.FieldError{Field: "blocks", Msg: inWords(err.Error())}
	}
	if err := dec.Load(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return d, &space.FieldError{Field: "blocks", Msg: "has more than one YAML document"}
	}
	return d, d.check()
}

// values are what the fields of a definition take, by how the reader of YAML calls it.
var values = map[string]string{
	"int": "a whole number", "string": "a text", "blocks.Definition": "fields as name, stem and stages", "blocks.Stem": "fields as {channels: 16, kernel: 3, stride: 1}",
	"blocks.Head": "a field as {channels: 256}", "blocks.Stage": "fields as {channels: 32, layers: 3, stride: 2}", "[]blocks.Stage": "a list of stages",
	"blocks.Choice": "fields as {op: conv, kernel: 3}", "[]blocks.Choice": "a list of candidates",
}

var (
	wrongValue = regexp.MustCompile(`cannot construct !!\S+( \x60[^\x60]*\x60)? into (\S+)`)
	noField    = regexp.MustCompile(`(?s)field (.*?) not found in type blocks\.([A-Za-z]+)`)
)

// inWords is what the reader of YAML says, without its own words for things; of many mistakes the first three.
func inWords(why string) string {
	why = strings.TrimPrefix(strings.TrimPrefix(why, "yaml: "), "construct errors: ")
	why = strings.TrimPrefix(why, "go-yaml load error in ")
	why = wrongValue.ReplaceAllStringFunc(why, func(s string) string {
		m := wrongValue.FindStringSubmatch(s)
		return strings.TrimPrefix(strings.TrimSpace(m[1])+": ", ": ") + "want " + cmp.Or(values[m[2]], m[2])
	})
	why = noField.ReplaceAllStringFunc(why, func(s string) string {
		m := noField.FindStringSubmatch(s)
		where := "a " + strings.ToLower(m[2])
		if m[2] == "Choice" {
			where = "a candidate"
		}
		return "there is no field " + m[1] + " in " + where
	})
	const most = 3
	if all := strings.Split(why, "; "); len(all) > most {
		why = fmt.Sprintf("%s; and %d more", strings.Join(all[:most], "; "), len(all)-most)
	}
	return why
}

// Text is the definition as YAML: of two that say the same it is the same.
func (d Definition) Text() string {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	if err := enc.Encode(d); err != nil {
		panic("blocks: " + err.Error()) // strings and numbers
	}
	return b.String()
}

// between reports a number out of range.
func between(field string, got, lo, hi int) error {
	if got < lo || got > hi {
		return &space.FieldError{Field: field, Msg: fmt.Sprintf("%d, want %d..%d", got, lo, hi)}
	}
	return nil
}

// number reports a list that is empty or has more than most things.
func number(field, things string, got, most int) error {
	if got < 1 || got > most {
		return &space.FieldError{Field: field, Msg: fmt.Sprintf("has %d %s, want 1..%d", got, things, most)}
	}
	return nil
}

func (d Definition) check() error {
	if !goodName.MatchString(d.Name) {
		return &space.FieldError{Field: "name", Msg: fmt.Sprintf("%.60q, want small letters, digits and dashes, a letter first, at most 40", d.Name)}
	}
	if d.Stem.Kernel%2 == 0 {
		return &space.FieldError{Field: "stem.kernel", Msg: fmt.Sprintf("%d, want an odd number", d.Stem.Kernel)}
	}
	errs := []error{between("stem.channels", d.Stem.Channels, 2, 1024), between("stem.kernel", d.Stem.Kernel, 1, 7), between("stem.stride", d.Stem.Stride, 1, 4)}
	if d.Head != nil {
		errs = append(errs, between("head.channels", d.Head.Channels, 1, maxChannels))
	}
	errs = append(errs, number("stages", "stages", len(d.Stages), maxBlocks))
	blocks, cin := 0, d.Stem.Channels
	for i, s := range d.Stages {
		at := fmt.Sprintf("stages[%d]", i)
		errs = append(errs, between(at+".channels", s.Channels, 1, maxChannels), between(at+".layers", s.Layers, 1, maxBlocks), between(at+".stride", s.Stride, 1, 4))
		if s.Layers <= 0 || s.Layers > maxBlocks {
			break
		}
		blocks += s.Layers
		for k := range s.Layers {
			stride := 1
			if k == 0 {
				stride = max(1, s.Stride)
			}
			errs = append(errs, checkChoices(d.fieldOf(i, k), d.choices(i, k), cin, s.Channels, stride))
			cin = s.Channels
		}
	}
	errs = append(errs, number("stages", "layers in all", blocks, maxBlocks))
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// fieldOf is where the candidates of block k of a stage are said.
func (d Definition) fieldOf(stage, k int) string {
	s := d.Stages[stage]
	switch {
	case k == 0 && len(s.First) > 0:
		return fmt.Sprintf("stages[%d].first", stage)
	case len(s.Choices) > 0:
		return fmt.Sprintf("stages[%d].choices", stage)
	}
	return "choices"
}

// choices are the candidates of block k of a stage.
func (d Definition) choices(stage, k int) []Choice {
	s := d.Stages[stage]
	switch {
	case k == 0 && len(s.First) > 0:
		return s.First
	case len(s.Choices) > 0:
		return s.Choices
	}
	return d.Choices
}

// checkChoices wants candidates that there are, for a block from cin to cout channels.
func checkChoices(field string, cs []Choice, cin, cout, stride int) error {
	if err := number(field, "candidates", len(cs), maxCandidates); err != nil {
		return err
	}
	for i, c := range cs {
		at := fmt.Sprintf("%s[%d]", field, i)
		o, ok := candidates[c.Op]
		if !ok {
			return &space.FieldError{Field: at + ".op", Msg: fmt.Sprintf("there is no %.40q, want one of %v", c.Op, Operations())}
		}
		if slices.Contains(cs[:i], c) {
			return &space.FieldError{Field: at, Msg: c.Name() + " is there twice"}
		}
		if c.Kernel != 0 && o.kernels[0] == 0 {
			return &space.FieldError{Field: at + ".kernel", Msg: c.Op + " takes none"}
		}
		if c.Expand != 0 && o.expand[1] == 0 {
			return &space.FieldError{Field: at + ".expand", Msg: c.Op + " takes none"}
		}
		if !slices.Contains(o.kernels, c.Kernel) {
			return &space.FieldError{Field: at + ".kernel", Msg: fmt.Sprintf("%d, want one of %v", c.Kernel, o.kernels)}
		}
		if c.Expand < o.expand[0] || c.Expand > o.expand[1] {
			return &space.FieldError{Field: at + ".expand", Msg: fmt.Sprintf("%d, want %d..%d", c.Expand, o.expand[0], o.expand[1])}
		}
		if o.keeps && cin != cout {
			return &space.FieldError{Field: at, Msg: fmt.Sprintf("%s keeps the number of channels, and a block changes it from %d to %d; `first` of the stage names other candidates for it", c.Name(), cin, cout)}
		}
		if o.strides > 0 && stride > o.strides {
			return &space.FieldError{Field: at, Msg: fmt.Sprintf("%s has strides up to %d, and a block has %d", c.Name(), o.strides, stride)}
		}
	}
	return nil
}
