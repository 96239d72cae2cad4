package curves_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/report/curves"
)

var points = []curves.Point{
	{Tag: "train/loss", Step: 1, Value: 2.5}, {Tag: "train/lr", Step: 1, Value: 0.1},
	{Tag: "train/loss", Step: 2, Value: 2.25},
	{Tag: "search/top1", Step: 1, Value: 0.5},
}

func TestCSV(t *testing.T) {
	want := "stage,step,loss,lr,top1\ntrain,1,2.5,0.1,\ntrain,2,2.25,,\nsearch,1,,,0.5\n"
	if got := string(curves.CSV(points)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestEventsReadByAnother: Python's protobuf reads what was written, checksums included; in a damaged file
// it finds the damage.
func TestEventsReadByAnother(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import google.protobuf").Run(); err != nil {
		t.Skipf("%s has no protobuf (Debian: python3-protobuf)", python)
	}
	b := curves.Events(points, 1.75e9, map[string]any{"lr": 0.025, "optimizer": "sgd", "nesterov": true})
	if again := curves.Events(points, 1.75e9, map[string]any{"nesterov": true, "optimizer": "sgd", "lr": 0.025}); !bytes.Equal(b, again) {
		t.Error("written twice, the bytes differ")
	}
	read := func(b []byte) (string, error) {
		path := filepath.Join(t.TempDir(), "events")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, "testdata/read_events.py", path).CombinedOutput()
		return string(out), err
	}
	out, err := read(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	type line struct {
		Time    float64
		Step    int64
		Version string
		Tag     string
		Value   float64
		Plugin  string
		Params  map[string]any
		Status  int
	}
	var lines []line
	for _, text := range strings.Split(strings.TrimSpace(out), "\n") {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	if len(lines) != 3+len(points) || lines[0].Version != "brain.Event:2" {
		t.Fatalf("%d events: %s", len(lines), out)
	}
	start, end := lines[1], lines[len(lines)-1]
	if start.Plugin != "hparams" || start.Params["lr"] != 0.025 || start.Params["optimizer"] != "sgd" || start.Params["nesterov"] != true || end.Status != 1 {
		t.Errorf("hyperparameters %+v, end %+v", start, end)
	}
	for i, p := range points {
		if l := lines[2+i]; l.Tag != p.Tag || l.Step != p.Step || l.Value != float64(float32(p.Value)) || l.Time != 1.75e9 {
			t.Errorf("event %+v, want %+v", l, p)
		}
	}
	t.Logf("%d scalars and 3 other events are read as they were written", len(points))
	b[len(b)/2] ^= 1
	if out, err := read(b); err == nil {
		t.Errorf("a changed bit is not noticed: %s", out)
	}
}
