package config

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/setting"
)

func TestPresetsCheck(t *testing.T) {
	for _, name := range allPresets() {
		c, err := FromPreset(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.Preset != name {
			t.Errorf("%s: preset is recorded as %q", name, c.Preset)
		}
	}
	if err := Default().Check(); err != nil {
		t.Errorf("default: %v", err)
	}
}

// Every number of the configuration has a range that excludes NaN or a
// negative value.
func TestCheckCoversEveryNumber(t *testing.T) {
	checked := 0
	for i, f := range setting.Fields(new(Config)) {
		if f.Key == "seed" { // every value is valid
			continue
		}
		c := Default()
		v := setting.Fields(&c)[i].Value
		switch {
		case v.CanInt():
			v.SetInt(-1)
		case v.CanFloat():
			v.SetFloat(math.NaN())
		default:
			continue
		}
		checked++
		err := c.Check()
		if err == nil {
			t.Errorf("%s = %v passes", f.Key, v.Interface())
		} else if !strings.Contains(err.Error(), f.Key+" = ") {
			t.Errorf("%s: the error does not name it: %v", f.Key, err)
		}
	}
	if checked < 40 {
		t.Errorf("only %d numbers checked", checked)
	}
}

func TestConfigRoundTrip(t *testing.T) {
	for _, name := range allPresets() {
		c, _ := FromPreset(name)
		c.Seed = math.MaxUint64
		c.Train.LR = 0.1 + 0.2 // no short decimal form
		c.Data.Dir = "/tmp/with: colon # and hash"
		b, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		back, err := Load(path, FromPreset)
		if err != nil {
			t.Fatal(err)
		}
		if back != c {
			t.Errorf("%s: %v", name, Drift(c, back))
		}
	}
}

// Drift sees a change of every key but those that change no result.
func TestDriftSeesEveryKey(t *testing.T) {
	seen := 0
	for i, f := range setting.Fields(new(Config)) {
		a, b := Default(), Default()
		v := setting.Fields(&b)[i].Value
		switch {
		case v.CanInt():
			v.SetInt(v.Int() + 1)
		case v.CanUint():
			v.SetUint(v.Uint() + 1)
		case v.CanFloat():
			v.SetFloat(v.Float() + 1)
		case v.Kind().String() == "bool":
			v.SetBool(!v.Bool())
		default:
			v.SetString(v.String() + "x")
		}
		want := 1
		if strings.HasPrefix(f.Key, "run.") || f.Key == "data.dir" || f.Key == "preset" {
			want = 0
		}
		lines := Drift(a, b)
		if len(lines) != want {
			t.Errorf("%s: %v", f.Key, lines)
		}
		seen += len(lines)
	}
	if seen < 40 {
		t.Errorf("only %d keys seen", seen)
	}
}

func TestDidYouMean(t *testing.T) {
	keys, _ := Keys()
	for word, want := range map[string]string{
		"train.lrr": "train.lr", "lr": "train.lr", "weight_decay": "train.weight_decay",
		"retrain.drop_pth": "retrain.drop_path", "sed": "seed", "zzzzzzzz": "", "nope": "", "weigth_decay": "train.weight_decay",
	} {
		got := fault.DidYouMean(word, keys)
		if want == "" && got != "" || want != "" && !strings.Contains(got, `"`+want+`"`) {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("seed: 3\ntrain:\n  lr: 0.1\n"))
	f.Add([]byte("train: &a\n  lr: 1\nretrain: *a\n"))
	f.Add([]byte("? [1]\n: 2\n"))
	f.Add([]byte("<<: {seed: 1}\n"))
	f.Add([]byte("---\nseed: 1\n---\nseed: 2\n"))
	f.Add([]byte("train: null\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse("f.yaml", b, FromPreset)
		if err != nil {
			if code := fault.Classify(err).Code; code != fault.ExitUsage {
				t.Errorf("exit code %d for %v", code, err)
			}
			return
		}
		if c.Check() != nil {
			return
		}
		out, err := c.YAML()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse("f.yaml", out, FromPreset)
		if err != nil || len(Drift(c, back)) > 0 {
			t.Errorf("%v %v\n%s", err, Drift(c, back), out)
		}
	})
}
