package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/setting"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// compiled is the schema, as a program of others understands it.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	if s.DraftVersion != 2020 {
		t.Errorf("the schema is of the draft %d", s.DraftVersion)
	}
	return s
}

// valid is what the schema says of a YAML file.
func valid(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	var v any
	if err := yaml.Load(text, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// TestSchemaTakesEveryPreset, as a recipe, as what init writes, and as a run stores it.
func TestSchemaTakesEveryPreset(t *testing.T) {
	s := compiled(t)
	for _, name := range allPresets() {
		r, err := OpenRecipe(name)
		if err != nil {
			t.Fatal(err)
		}
		for form, write := range map[string]func() ([]byte, error){"recipe": r.YAML, "init": r.Template, "config.yaml": r.Config.YAML} {
			b, err := write()
			if err != nil {
				t.Fatal(err)
			}
			if err := valid(t, s, b); err != nil {
				t.Errorf("%s of %s: %v", form, name, err)
			}
		}
	}
	if valid(t, s, []byte("train:\n  lrr: 0.1\n")) == nil || valid(t, s, []byte("trian: {}\n")) == nil || valid(t, s, []byte("preset: tinny\n")) == nil {
		t.Error("a name that there is not passes")
	}
}

// TestSchemaSaysWhatTheProgramSays tries values at every key: the schema refuses none that the program takes,
// and takes only such a value that the program refuses for the sake of another setting.
func TestSchemaSaysWhatTheProgramSays(t *testing.T) {
	s := compiled(t)
	values := []string{"-1", "0", "1", "1.5", "100001", "1e39", "true", "nonsense", "10m", "linear"}
	keys, _ := Keys()
	taken, refused, by := 0, 0, map[string]bool{}
	for _, f := range setting.Fields(new(Config)) {
		if key, ok := strings.CutPrefix(f.Key, "retrain."); ok && slices.Contains(keys, "train."+key) {
			continue // of the type that train has too
		}
		for _, value := range values {
			text := fmt.Sprintf("%s: %s\n", f.Key, value)
			if section, key, ok := strings.Cut(f.Key, "."); ok {
				text = fmt.Sprintf("%s:\n  %s: %s\n", section, key, value)
			}
			c, err := Parse("x.yaml", []byte(text), FromPreset)
			if err == nil {
				err = c.Check()
			}
			schema := valid(t, s, []byte(text))
			switch {
			case err == nil && schema == nil:
				taken++
			case err != nil && schema != nil:
				refused++
			case err != nil:
				by[f.Key] = true
			case f.Want == "" && f.Value.Kind().String() == "string": // a number without quotes is a text to the program
			default:
				t.Errorf("%s: the program takes it, the schema says %v", strings.TrimSpace(text), schema)
			}
		}
	}
	if taken < 120 || refused < 400 {
		t.Errorf("%d values taken and %d refused", taken, refused)
	}
	// What depends on other settings.
	want := strings.Fields(`data.on_bad_sample score.recal_images score.recheck_recal_images search.baselines
		search.init search.samples train.distill train.epochs train.micro_batch train.min_lr train.rank_weight`)
	var got []string
	for key := range by {
		got = append(got, key)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the schema takes what the program refuses of\n%v, want\n%v", got, want)
	}
}
