package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/*.yaml, testdata/*.json and docs/settings.md")

// golden compares with a file, or writes it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the program writes; see go test ./internal/config -update\n%s", path, got)
	}
}

// TestStoredForm: a configuration is stored, and printed as JSON, in the same bytes as
// ever, so that the files of old runs stay readable.
func TestStoredForm(t *testing.T) {
	for _, preset := range []string{"tiny", "lanet-l"} {
		c, err := FromPreset(preset)
		if err != nil {
			t.Fatal(err)
		}
		y, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", preset+".yaml"), y)
		j, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, filepath.Join("testdata", preset+".json"), append(j, '\n'))
	}
}

// TestJSONHasTheSameKeys: both forms are made from tags of their own.
func TestJSONHasTheSameKeys(t *testing.T) {
	b, err := json.Marshal(Default())
	if err != nil {
		t.Fatal(err)
	}
	var sections map[string]any
	if err := json.Unmarshal(b, &sections); err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, v := range sections {
		in, ok := v.(map[string]any)
		if !ok {
			got = append(got, name)
		}
		for key := range in {
			got = append(got, name+"."+key)
		}
	}
	want, _ := Keys()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("JSON has %v\nYAML has %v", got, want)
	}
}
