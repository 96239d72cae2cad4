package pipeline

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/plan"
	"oneshot/internal/rank"
	"oneshot/internal/rundir"
	"oneshot/supernet/space"
)

// TestTwinsAreRankedAsOne: texts of one network are one network, whatever their order in the table.
func TestTwinsAreRankedAsOne(t *testing.T) {
	c := config.Default()
	c.Net.Space = "nasbench-macro"
	s, err := plan.OpenSpace(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{Config: c, Space: s}
	rows := []string{
		`"22212202": {"test_acc": [90, 91], "params": 7, "flops": 30}`, // the twin of 22212220
		`"nasbench-macro:22212220": {"test_acc": [92, 93, 94], "params": 6, "flops": 20}`,
		`"22202220": {"test_acc": [80, 81], "params": 1, "flops": 1}`,
		`"22220222": {"test_acc": [70, 71], "params": 2, "flops": 2}`,
		`"22202222": {"test_acc": [70, 71], "params": 2, "flops": 2}`, // its twin, with the very same trainings
		`"22200222": {"test_acc": [60, 61], "params": 3, "flops": 3}`,
	}
	ask := func(rows []string, sample int) ([]ranked, rundir.RankTruths, error) {
		path := filepath.Join(t.TempDir(), "table.json")
		if err := os.WriteFile(path, []byte("{"+strings.Join(rows, ",\n")+"}"), 0o644); err != nil {
			t.Fatal(err)
		}
		spec := &RankSpec{Table: path, Sample: sample}
		if err := spec.Check(); err != nil {
			t.Fatal(err)
		}
		return spec.tabled(p)
	}
	all, from, err := ask(rows, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 || from.Networks != 4 || from.Texts != 6 || !from.Percent || from.Costs != rundir.CostsOfTable {
		t.Fatalf("%d networks, %+v", len(all), from)
	}
	of := map[string]rank.Network{}
	for i, n := range all {
		of[s.Format(n.arch)] = n.Network
		if i > 0 && all[i-1].hash >= n.hash {
			t.Error("not sorted by hash")
		}
	}
	if n := of["nasbench-macro:22212220"]; !(math.Abs(n.Truth-(0.905+0.93)/2) <= 1e-12) || len(n.Truths) != 5 || n.Params != 6 || n.MAdds != 20 {
		t.Errorf("twins: %+v", n)
	}
	if n := of["nasbench-macro:22220222"]; !(math.Abs(n.Truth-0.705) <= 1e-12) || len(n.Truths) != 2 {
		t.Errorf("twins with one list of trainings: %+v", n)
	}
	back := slices.Clone(rows)
	slices.Reverse(back)
	if again, _, err := ask(back, 0); err != nil || fmt.Sprint(again) != fmt.Sprint(all) {
		t.Errorf("in another order: %v, %v", again, err)
	}
	three, _, err := ask(rows, 3)
	if err != nil || len(three) != 3 {
		t.Errorf("a sample: %v, %v", three, err)
	}
	for _, n := range three {
		if !slices.ContainsFunc(all, func(o ranked) bool { return o.hash == n.hash && fmt.Sprint(o) == fmt.Sprint(n) }) {
			t.Errorf("%v is in the sample alone", n)
		}
	}
	if _, _, err := ask(append(rows, `"22200223": 50`), 0); err == nil || !strings.Contains(err.Error(), `"22200223": the run is of space nasbench-macro: `) {
		t.Errorf("a text of no network: %v", err)
	}
	if _, _, err := ask(rows[:2], 0); err == nil || !strings.Contains(err.Error(), "has 1 network; 3 are the least") {
		t.Errorf("one network: %v", err)
	}
}

// TestNetworksOfNothingAreLeftOut: a table of NAS-Bench-201 has networks whose output is the same for all images. They have no
// path, and the others are ranked all the same.
func TestNetworksOfNothingAreLeftOut(t *testing.T) {
	c := config.Default()
	c.Net.Named = space.OfKind("nasbench-201")
	s, err := c.Net.Open()
	if err != nil {
		t.Fatal(err)
	}
	c.Net.Geometry, c.Retrain.Geometry = s.Geometry(), s.Geometry()
	var rows []string
	for _, last := range []string{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"} {
		rows = append(rows, `"|nor_conv_3x3~0|+|none~0|none~1|+|none~0|`+last+`~1|none~2|": 50`)
	}
	path := filepath.Join(t.TempDir(), "table.json")
	if err := os.WriteFile(path, []byte("{"+strings.Join(rows, ",")+"}"), 0o644); err != nil {
		t.Fatal(err)
	}
	spec := &RankSpec{Table: path}
	if err := spec.Check(); err != nil {
		t.Fatal(err)
	}
	all, from, err := spec.tabled(&plan.Plan{Config: c, Space: s, Data: &data.Dataset{Classes: make([]string, 10), Image: 32}})
	if err != nil || len(all) != 4 || from.LeftOut != 1 || from.Texts != 5 {
		t.Errorf("%d networks, %+v, %v; want 4 and one left out", len(all), from, err)
	}
}
