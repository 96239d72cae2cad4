package rundir

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/fault"
)

const threeLines = "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n"

func keepAll([]byte) (bool, error) { return true, nil }

// A file cut at any byte opens, keeps the whole lines, and can be continued.
func TestJSONLTornAnywhere(t *testing.T) {
	torn := 0
	for cut := range len(threeLines) + 1 {
		path := filepath.Join(t.TempDir(), "f.jsonl")
		if err := os.WriteFile(path, []byte(threeLines[:cut]), 0o644); err != nil {
			t.Fatal(err)
		}
		j, isTorn, err := OpenJSONL(path, keepAll)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		whole := threeLines[:strings.LastIndex(threeLines[:cut], "\n")+1]
		if isTorn != (len(whole) != cut) {
			t.Errorf("cut at %d: torn = %v", cut, isTorn)
		}
		if isTorn {
			torn++
		}
		if err := j.Append(map[string]int{"n": 9}); err != nil {
			t.Fatal(err)
		}
		j.Close()
		got, _ := os.ReadFile(path)
		if want := whole + "{\"n\":9}\n"; string(got) != want {
			t.Errorf("cut at %d: %q, want %q", cut, got, want)
		}
	}
	if torn != len(threeLines)-3 {
		t.Errorf("%d torn lines met", torn)
	}
}

func TestJSONLDamage(t *testing.T) {
	for name, tc := range map[string]struct {
		content, kept string
		code          int
	}{
		"last line of zeros": {threeLines + "\x00\x00\x00\n", threeLines, 0},
		"in the middle":      {"{\"n\":1}\n{\"n\"\n{\"n\":3}\n", "", fault.ExitInvalid},
		"before a torn line": {"{\"n\":1}\n{\"n\"\n{\"n\":3", "", fault.ExitInvalid},
		"an array":           {"[1]\n{\"n\":3}\n", "", fault.ExitInvalid},
		"empty line":         {"\n{\"n\":3}\n", "", fault.ExitInvalid},
		"too long":           {strings.Repeat("x", maxJSONLine+1), "", fault.ExitFailure},
	} {
		path := filepath.Join(t.TempDir(), "f.jsonl")
		if err := os.WriteFile(path, []byte(tc.content), 0o644); err != nil {
			t.Fatal(err)
		}
		j, _, err := OpenJSONL(path, keepAll)
		got, _ := os.ReadFile(path)
		if tc.code != 0 {
			if err == nil || fault.Classify(err).Code != tc.code {
				t.Errorf("%s: %v, want code %d", name, err, tc.code)
			}
			if string(got) != tc.content {
				t.Errorf("%s: a file that was refused has changed", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		j.Close()
		if string(got) != tc.kept {
			t.Errorf("%s: kept %q", name, got)
		}
	}
}

func TestJSONLKeepCuts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.jsonl")
	if err := os.WriteFile(path, []byte(threeLines), 0o644); err != nil {
		t.Fatal(err)
	}
	j, _, err := OpenJSONL(path, func(b []byte) (bool, error) { return !bytes.Contains(b, []byte("2")), nil })
	if err != nil {
		t.Fatal(err)
	}
	j.Close()
	if got, _ := os.ReadFile(path); string(got) != "{\"n\":1}\n" {
		t.Errorf("%q", got)
	}
}
