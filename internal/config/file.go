package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/internal/setting"

	"go.yaml.in/yaml/v4"
)

// maxConfigBytes caps a configuration file; a real one has about 2 KB.
const maxConfigBytes = 1 << 20

// Keys returns every leaf key, and every section name with a final dot.
func Keys() (keys []string, sections map[string]bool) {
	sections = map[string]bool{}
	for _, f := range setting.Fields(new(Config)) {
		keys = append(keys, f.Key)
		if s, _, ok := strings.Cut(f.Key, "."); ok {
			sections[s] = true
		}
	}
	return keys, sections
}

// Set parses value as YAML and stores it under key, as --set and flags do.
// Epochs given this way count: a number of steps from a preset is dropped. The length of a
// warm-up has two units too, and the one that is given drops the other.
func (c *Config) Set(key, value string) error {
	key = strings.ReplaceAll(key, "-", "_")
	for section, t := range map[string]*SGD{"train": &c.Train.SGD, "retrain": &c.Retrain.SGD} {
		switch key {
		case section + ".epochs":
			t.Steps = 0
		case section + ".warmup_epochs":
			t.WarmupSteps = 0
		case section + ".warmup_steps":
			t.WarmupEpochs = 0
		}
	}
	for _, f := range setting.Fields(c) {
		if f.Key != key {
			continue
		}
		if f.Value.Kind() == reflect.String {
			f.Value.SetString(value)
			return nil
		}
		if isNumber(f.Value) {
			plain, ok := setting.Decimal(value)
			if !ok {
				return fault.Usage("", "%s = %q: want %s", key, value, kindOf(f.Value))
			}
			value = plain
		}
		var n yaml.Node
		if err := yaml.Load([]byte(value), &n); err == nil && len(n.Content) == 1 && n.Content[0].Kind == yaml.ScalarNode && n.Content[0].Tag != "!!null" {
			if n.Content[0].Decode(f.Value.Addr().Interface()) == nil {
				return nil
			}
		}
		return fault.Usage("", "%s = %q: want %s", key, value, kindOf(f.Value))
	}
	return unknownKey("", key)
}

// isNumber says whether a setting is a number that has no form of its own.
func isNumber(v reflect.Value) bool {
	_, own := v.Addr().Interface().(encoding.TextUnmarshaler)
	return !own && (v.CanInt() || v.CanUint() || v.CanFloat())
}

// kindOf says what a setting's value looks like.
func kindOf(v reflect.Value) string {
	switch {
	case v.Type() == reflect.TypeFor[Duration]():
		return "a time " + durationForms
	case v.Type() == reflect.TypeFor[Count]():
		return "a count " + countForms
	case v.CanInt() || v.CanUint():
		return "a whole number"
	case v.CanFloat():
		return "a number"
	case v.Kind() == reflect.Bool:
		return "true or false"
	}
	return "a text"
}

// removedKeys are those of earlier versions, and what became of them.
var removedKeys = map[string]string{
	"search.height":   "the search chooses the depth of its tree itself",
	"search.cp":       "the search takes the weight of exploration from the spread of the scores",
	"search.per_tree": "the search chooses itself when to learn its tree anew",
}

func unknownKey(where, key string) error {
	if why := removedKeys[key]; why != "" {
		return fault.Usage("delete the key", "%skey %q is gone since version 0.1.0: %s", where, key, why)
	}
	keys, _ := Keys()
	return fault.Usage("`oneshot run --dry-run` prints every key with its value",
		"%sunknown key %q%s", where, key, fault.DidYouMean(key, keys))
}

// Load reads a YAML file over base(preset named by the file). Unknown and
// repeated keys are errors that name the line. A relative data.dir,
// retrain.init or retrain.teacher becomes relative to the file's folder.
func Load(path string, base func(preset string) (Config, error)) (Config, error) {
	b, err := atomicfile.ReadAtMost(path, maxConfigBytes)
	if err != nil {
		return Config{}, fault.Wrap(fault.ExitUsage, fmt.Errorf("config: %w", err), "")
	}
	return Parse(path, b, base)
}

// Parse is Load of the bytes of a file, which path names in errors.
func Parse(path string, b []byte, base func(string) (Config, error)) (Config, error) {
	c, _, err := parse(path, b, base)
	if err != nil {
		return c, err
	}
	for _, p := range c.paths() {
		if filepath.IsAbs(*p) {
			continue
		}
		if *p = filepath.Join(filepath.Dir(path), *p); !filepath.IsAbs(*p) {
			*p = "." + string(filepath.Separator) + *p // a file called inherited stays one
		}
	}
	return c, nil
}

// paths are the files and folders of the configuration that decide what is computed.
func (c *Config) paths() (paths []*string) {
	for _, p := range []*string{&c.Data.Dir, &c.Retrain.Init, &c.Retrain.Teacher} {
		if *p != "" && !(p == &c.Retrain.Init && *p == Inherited) {
			paths = append(paths, p)
		}
	}
	return paths
}

// parse reads the bytes of a file over base and returns them as a document too; folders
// stay as they are written.
func parse(path string, b []byte, base func(string) (Config, error)) (c Config, doc yaml.Node, err error) {
	bad := func(err error) (Config, yaml.Node, error) {
		return Config{}, doc, fault.Usage("", "config: %s: %w", path, err)
	}
	if err := loadOne(b, &doc); err != nil {
		return bad(err)
	}
	var named struct {
		Preset string `yaml:"preset"`
	}
	if len(doc.Content) > 0 {
		if err := checkKeys(path, "", doc.Content[0]); err != nil {
			return Config{}, doc, err
		}
		if err := doc.Decode(&named); err != nil {
			return bad(err)
		}
	}
	if c, err = base(named.Preset); err != nil {
		return Config{}, doc, err
	}
	if len(doc.Content) > 0 {
		if err := c.spaceOf(path, doc.Content[0]); err != nil {
			return Config{}, doc, err
		}
		if err := doc.Decode(&c); err != nil {
			if line, key, value, kind := badValue(doc.Content[0], ""); key != "" {
				return Config{}, doc, fault.Usage("", "config: %s:%d: %s = %q: want %s", path, line, key, value, kind)
			}
			return bad(err)
		}
	}
	return c, doc, nil
}

// loadOne reads the only document of b; an empty file has none.
func loadOne(b []byte, doc *yaml.Node) error {
	l, err := yaml.NewLoader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	if err := l.Load(doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	if err := l.Load(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("more than one YAML document")
	}
	return nil
}

// quoted are the styles of a value that is a text, whatever it looks like.
const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// plainNumber has a number of a document be read as Set reads it; false is no number.
func plainNumber(n *yaml.Node) bool {
	number, ok := setting.Decimal(n.Value)
	if n.Value, n.Tag = number, "!!int"; strings.ContainsAny(number, ".eE") {
		n.Tag = "!!float"
	}
	return ok
}

// checkKeys walks the mappings of a document, refuses keys that Config lacks, and has numbers
// mean what people write.
func checkKeys(path, prefix string, n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		return fault.Usage("", "config: %s:%d: YAML aliases are not supported", path, n.Line)
	}
	if n.Kind != yaml.MappingNode {
		if prefix == "" && (n.Kind != yaml.ScalarNode || n.Tag != "!!null") {
			return fault.Usage("", "config: %s:%d: want `key: value` lines", path, n.Line)
		}
		return nil
	}
	_, sections := Keys()
	leaf := map[string]reflect.Value{}
	for _, f := range setting.Fields(new(Config)) {
		leaf[f.Key] = f.Value
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := prefix + n.Content[i].Value
		value := n.Content[i+1]
		switch {
		case prefix == "" && sections[key]:
			if value.Kind != yaml.MappingNode {
				return fault.Usage("", "config: %s:%d: %s is a section: want `key: value` lines below it", path, value.Line, key)
			}
			if err := checkKeys(path, key+".", value); err != nil {
				return err
			}
		case leaf[key].IsValid():
			if value.Kind != yaml.ScalarNode || value.Tag == "!!null" {
				return fault.Usage("", "config: %s:%d: %s: want a single value", path, value.Line, key)
			}
			if isNumber(leaf[key]) && value.Style&quoted == 0 && !plainNumber(value) {
				return fault.Usage("", "config: %s:%d: %s = %q: want %s", path, value.Line, key, value.Value, kindOf(leaf[key]))
			}
		default:
			return unknownKey(fmt.Sprintf("config: %s:%d: ", path, n.Content[i].Line), key)
		}
	}
	return nil
}

// badValue finds the first value that its setting cannot hold, and says what it holds; the
// key is "" where there is none. The keys of the mapping are known.
func badValue(n *yaml.Node, prefix string) (line int, key, value, kind string) {
	var c Config
	fields := setting.Fields(&c)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := prefix+n.Content[i].Value, n.Content[i+1]
		if v.Kind == yaml.MappingNode {
			if line, key, value, kind = badValue(v, k+"."); key != "" {
				return
			}
			continue
		}
		for _, f := range fields {
			if f.Key == k && v.Decode(f.Value.Addr().Interface()) != nil {
				return v.Line, k, v.Value, kindOf(f.Value)
			}
		}
	}
	return 0, "", "", ""
}

// YAML returns the resolved configuration as config.yaml stores it.
func (c Config) YAML() ([]byte, error) {
	body, err := yaml.Dump(c)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	head := "# Resolved configuration of this run. `oneshot run -c config.yaml` repeats it.\n"
	return append([]byte(head), body...), nil
}

// Values are the keys for which which holds, with their values as text.
func (c Config) Values(which func(key string) bool) map[string]string {
	out := map[string]string{}
	for _, f := range setting.Fields(&c) {
		if which(f.Key) {
			out[f.Key] = fmt.Sprint(f.Value.Interface())
		}
	}
	return out
}

// Change is a key whose value differs between two configurations.
type Change struct {
	Key      string
	From, To any
}

func (c Change) String() string { return fmt.Sprintf("%s: %v -> %v", c.Key, c.From, c.To) }

// Drift lists the keys whose values differ, leaving out what cannot change the
// result: section run, the folder of the data (its checksum is compared
// instead) and the name of the preset.
func Drift(stored, asked Config) []Change {
	var out []Change
	b := setting.Fields(&asked)
	for i, a := range setting.Fields(&stored) {
		if strings.HasPrefix(a.Key, "run.") || a.Key == "data.dir" || a.Key == "preset" {
			continue
		}
		if x, y := a.Value.Interface(), b[i].Value.Interface(); x != y {
			out = append(out, Change{a.Key, x, y})
		}
	}
	return out
}
