package config

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"oneshot/internal/fault"
)

func TestCount(t *testing.T) {
	for text, want := range map[string]Count{
		"0": 0, "600M": 600e6, "5.3M": 5300000, "1.2G": 1200e6, "300k": 300e3, "600000000": 600e6, "600m": 600e6, " 2 K ": 2000, "6e8": 600e6,
		"1.001G": 1001e6, "4.35k": 4350, "0.29T": 290e9, "9007199254740993": 9007199254740993, "9223372036854775807": math.MaxInt64,
	} {
		var n Count
		if err := n.Set(text); err != nil || n != want {
			t.Errorf("%q is %d, %v; want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "M", "6OOM", "-1", "-5M", "1.5", "0.0005k", "NaN", "Inf", "InfM", "1e300", "600MB", "600 M M", "0x10", "0x1p4", "1_000", "9223372036854775808", "1e16"} {
		n := Count(-7)
		if err := n.Set(text); err == nil || n != -7 || !strings.Contains(err.Error(), countForms) {
			t.Errorf("%q passes as %d, %v", text, n, err)
		}
	}
}

// TestNegativeCount: a setting is told by its range, as other numbers are.
func TestNegativeCount(t *testing.T) {
	_, err := Request{Sets: []string{"search.max_madds=-5M"}}.Resolve(nil, "tiny")
	if err == nil || err.Error() != "search.max_madds = -5000000: want 0 or more" {
		t.Error(err)
	}
}

// TestCountIsStoredInDigits, and read from either form.
func TestCountIsStoredInDigits(t *testing.T) {
	c, err := Request{Sets: []string{"search.max_madds=600M"}, Flags: []Flag{{"max-params", "search.max_params", "count", "5.3M"}}}.Resolve(nil, "tiny")
	if err != nil || c.Search.MaxMAdds != 600e6 || c.Search.MaxParams != 5300000 {
		t.Fatal(c.Search, err)
	}
	y, err := c.YAML()
	if err != nil || !strings.Contains(string(y), "max_params: 5300000\n  max_madds: 600000000\n") {
		t.Errorf("%v\n%s", err, y)
	}
	j, err := json.Marshal(c.Search)
	if err != nil || !strings.Contains(string(j), `"max_params":5300000,"max_madds":600000000,`) {
		t.Errorf("%v %s", err, j)
	}
	var s Search
	if err := json.Unmarshal([]byte(`{"max_params":5300000,"max_madds":"600M"}`), &s); err != nil || s.MaxParams != 5300000 || s.MaxMAdds != 600e6 {
		t.Error(s, err)
	}
	for _, text := range []string{"600M", "6.0e+8", "600000000", `"600M"`} {
		c, err := Parse("f.yaml", []byte("search:\n  max_madds: "+text+"\n"), FromPreset)
		if err != nil || c.Search.MaxMAdds != 600e6 {
			t.Errorf("%s: %v %v", text, c.Search.MaxMAdds, err)
		}
	}
}

// TestCountComplaints: each way in names what it was given for, and the form.
func TestCountComplaints(t *testing.T) {
	_, file := Parse("f.yaml", []byte("search:\n  max_madds: 6OOM\n"), FromPreset)
	_, set := Request{Sets: []string{"search.max_madds=6OOM"}}.Resolve(nil, "tiny")
	_, flag := Request{Flags: []Flag{{"max-madds", "search.max_madds", "count", "6OOM"}}}.Resolve(nil, "tiny")
	for _, x := range []struct {
		err  error
		want string
	}{
		{file, `config: f.yaml:2: search.max_madds = "6OOM": want a count ` + countForms},
		{set, `search.max_madds = "6OOM": want a count ` + countForms},
		{flag, `--max-madds "6OOM": want a count`},
	} {
		if x.err == nil || x.err.Error() != x.want || fault.Classify(x.err).Code != fault.ExitUsage {
			t.Errorf("%v\nwant %s", x.err, x.want)
		}
	}
	if hint := fault.Classify(flag).Hint; hint != countForms {
		t.Errorf("the hint is %q", hint)
	}
}
