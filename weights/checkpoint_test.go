package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSaveAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "supernet")
	want := sampleCheckpoint(123, 1)
	if err := SaveCheckpoint(dir, 123, want, 1); err != nil {
		t.Fatal(err)
	}
	if got := names(t, filepath.Join(dir, "ckpt-00000123")); !slices.Equal(got, []string{"DONE", "model.safetensors", "state.json"}) {
		t.Errorf("files %v", got)
	}
	got, skipped, err := LoadLatest(dir)
	if err != nil || len(skipped) > 0 {
		t.Fatal(skipped, err)
	}
	if err := sameCheckpoint(got, want); err != nil {
		t.Error(err)
	}
	// A copy under a name of its own loads too.
	other := filepath.Join(t.TempDir(), "best")
	if err := os.CopyFS(other, os.DirFS(filepath.Join(dir, "ckpt-00000123"))); err != nil {
		t.Fatal(err)
	}
	if got, err = Load(other); err != nil {
		t.Fatal(err)
	}
	if err := sameCheckpoint(got, want); err != nil {
		t.Error(err)
	}
}

func TestEqualCheckpointsAreEqualBytes(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	c := sampleCheckpoint(5, 1)
	quickSave(t, a, c, 1)
	slices.Reverse(c.Tensors)
	quickSave(t, b, c, 1)
	for _, name := range []string{modelFile, stateFile, doneFile} {
		if !bytes.Equal(readFile(t, a, "ckpt-00000005", name), readFile(t, b, "ckpt-00000005", name)) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestLoadLatestWithout(t *testing.T) {
	dir := t.TempDir()
	// Names that are not exactly a checkpoint's are somebody else's.
	for _, name := range []string{"ckpt-123", "ckpt-000000123", "ckpt-00000123x", ".ckpt-00000123.tmp", "ckpt--0000001", "best"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{dir, filepath.Join(dir, "missing")} {
		c, skipped, err := LoadLatest(d)
		if !errors.Is(err, ErrNoCheckpoint) || errors.Is(err, ErrCorrupt) || len(skipped) > 0 || c.Tensors != nil {
			t.Errorf("%s: %v %v", d, skipped, err)
		}
	}
}

func TestLoadLatestFallsBack(t *testing.T) {
	dir := t.TempDir()
	for step := range 4 {
		quickSave(t, dir, sampleCheckpoint(step, step), 9)
	}
	os.Remove(filepath.Join(dir, "ckpt-00000003", doneFile))
	writeFile(t, []byte("{}"), dir, "ckpt-00000002", stateFile)
	os.RemoveAll(filepath.Join(dir, "ckpt-00000001"))
	writeFile(t, nil, dir, "ckpt-00000001") // not even a directory
	c, skipped, err := LoadLatest(dir)
	if err != nil || c.Step != 0 || len(skipped) != 3 {
		t.Fatal(c.Step, skipped, err)
	}
	for i, part := range []string{"ckpt-00000003/DONE", "ckpt-00000002/state.json", "ckpt-00000001/DONE"} {
		if !strings.Contains(skipped[i].Error(), part) || !errors.Is(skipped[i], ErrCorrupt) {
			t.Errorf("error %d is %v", i, skipped[i])
		}
	}
	writeFile(t, nil, dir, "ckpt-00000000", modelFile)
	_, skipped, err = LoadLatest(dir)
	if !errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNoCheckpoint) || len(skipped) != 4 {
		t.Error(skipped, err)
	}
}

func TestLoadRefusesAnotherStep(t *testing.T) {
	dir := t.TempDir()
	quickSave(t, dir, sampleCheckpoint(1, 1), 1)
	if err := os.Rename(filepath.Join(dir, "ckpt-00000001"), filepath.Join(dir, "ckpt-00000002")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadLatest(dir); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// makeNewer turns the checkpoint into an intact one of a later schema version.
func makeNewer(t *testing.T, ckpt string) {
	t.Helper()
	d, err := readDone(ckpt)
	if err != nil {
		t.Fatal(err)
	}
	d.SchemaVersion++
	b, err := encodeDone(d)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, b, ckpt, doneFile)
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	quickSave(t, dir, sampleCheckpoint(1, 1), 9)
	quickSave(t, dir, sampleCheckpoint(2, 2), 9)
	newest := filepath.Join(dir, "ckpt-00000002")
	makeNewer(t, newest)
	_, _, err := LoadLatest(dir)
	if !errors.Is(err, ErrNewer) || errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "continue with the oneshot that wrote it") {
		t.Error(err)
	}
	// Nor is it overwritten.
	done := readFile(t, newest, doneFile)
	if err := SaveCheckpoint(dir, 2, sampleCheckpoint(2, 3), 1); !errors.Is(err, ErrNewer) {
		t.Error(err)
	}
	if !bytes.Equal(done, readFile(t, newest, doneFile)) || len(names(t, dir)) != 2 {
		t.Error("the newer checkpoint was touched", names(t, dir))
	}
}

func TestSaveKeepsTheNewest(t *testing.T) {
	dir := t.TempDir()
	for step := 1; step <= 5; step++ {
		quickSave(t, dir, sampleCheckpoint(step*10, step), 3)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"ckpt-00000030", "ckpt-00000040", "ckpt-00000050"}) {
		t.Errorf("kept %v", got)
	}
	// A damaged one does not count: 40 and 60 are the two that are kept.
	os.Remove(filepath.Join(dir, "ckpt-00000050", stateFile))
	quickSave(t, dir, sampleCheckpoint(60, 6), 2)
	if got := names(t, dir); !slices.Equal(got, []string{"ckpt-00000040", "ckpt-00000050", "ckpt-00000060"}) {
		t.Errorf("kept %v", got)
	}
	// After a resume from 40, later ones do not push out what is new.
	writeFile(t, nil, dir, "ckpt-00000060", modelFile)
	quickSave(t, dir, sampleCheckpoint(45, 7), 1)
	if got := names(t, dir); !slices.Equal(got, []string{"ckpt-00000045", "ckpt-00000050", "ckpt-00000060"}) {
		t.Errorf("kept %v", got)
	}
	if c, _, err := LoadLatest(dir); err != nil || c.Step != 45 {
		t.Error(c.Step, err)
	}
}

func TestSaveAgain(t *testing.T) {
	dir := t.TempDir()
	quickSave(t, dir, sampleCheckpoint(1, 1), 1)
	before, err := os.Stat(filepath.Join(dir, "ckpt-00000001"))
	if err != nil {
		t.Fatal(err)
	}
	quickSave(t, dir, sampleCheckpoint(1, 1), 1)
	after, err := os.Stat(filepath.Join(dir, "ckpt-00000001"))
	if err != nil || !os.SameFile(before, after) {
		t.Error("equal content was written again", err)
	}
	for version, spoil := range []func(){
		func() {},
		func() { writeFile(t, []byte("x"), dir, "ckpt-00000001", modelFile) },
		func() { os.RemoveAll(filepath.Join(dir, "ckpt-00000001")); writeFile(t, nil, dir, "ckpt-00000001") },
	} {
		spoil()
		want := sampleCheckpoint(1, 10+version)
		quickSave(t, dir, want, 1)
		got, skipped, err := LoadLatest(dir)
		if err != nil || len(skipped) > 0 {
			t.Fatal(skipped, err)
		}
		if err := sameCheckpoint(got, want); err != nil {
			t.Error(err)
		}
		if got := names(t, dir); len(got) != 1 {
			t.Error(got)
		}
	}
}

func TestSaveRefuses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	good := sampleCheckpoint(1, 1)
	with := func(change func(*Checkpoint)) Checkpoint {
		c := sampleCheckpoint(1, 1)
		change(&c)
		return c
	}
	cases := map[string]struct {
		step int
		c    Checkpoint
		keep int
	}{
		"keep 0":      {1, good, 0},
		"other step":  {2, good, 1},
		"negative":    {-1, with(func(c *Checkpoint) { c.Step = -1 }), 1},
		"no state":    {1, with(func(c *Checkpoint) { c.State = nil }), 1},
		"not JSON":    {1, with(func(c *Checkpoint) { c.State = json.RawMessage("{") }), 1},
		"large state": {1, with(func(c *Checkpoint) { c.State = bytes.Repeat([]byte("1"), maxState+1) }), 1},
		"NaN":         {1, with(func(c *Checkpoint) { c.Tensors[0].F32[4] = float32(math.NaN()) }), 1},
		"two names":   {1, with(func(c *Checkpoint) { c.Tensors = append(c.Tensors, c.Tensors[0]) }), 1},
	}
	for name, k := range cases {
		if err := SaveCheckpoint(dir, k.step, k.c, k.keep); err == nil {
			t.Errorf("%s: saved", name)
		}
		if _, _, err := LoadLatest(dir); !errors.Is(err, ErrNoCheckpoint) {
			t.Errorf("%s: left %v", name, err)
		}
	}
	if err := SaveCheckpoint(filepath.Join(dir, "no", "parent"), 1, good, 1); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestCheckFinite(t *testing.T) {
	ts := sample(1)
	if err := CheckFinite(ts); err != nil {
		t.Error(err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		ts[0].F32[3] = float32(v)
		var fault *NonFiniteError
		if err := CheckFinite(ts); !errors.As(err, &fault) || fault.Tensor != "stem.conv.weight" || fault.Index != 3 {
			t.Errorf("%g: %v", v, err)
		}
	}
	want := `weights: tensor "stem.conv.weight" holds -Inf at index 3`
	if err := CheckFinite(ts); fmt.Sprint(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestExportModel(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.safetensors")
	if err := ExportModel(path, sample(1), map[string]string{"arch": "lanas5:x"}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := ReadSafetensors(path)
	if err != nil || f.Meta["arch"] != "lanas5:x" || f.Meta["format"] != "pt" || len(f.Tensors) != 4 {
		t.Error(f.Meta, err)
	}
	before := readFile(t, path)
	bad := sample(2)
	bad[0].F32[0] = float32(math.Inf(1))
	var fault *NonFiniteError
	if err := ExportModel(path, bad, nil, nil); !errors.As(err, &fault) {
		t.Error(err)
	}
	if !bytes.Equal(before, readFile(t, path)) || len(names(t, dir)) != 1 {
		t.Error("a refused export changed the folder")
	}
	// The self-check notices every wrong bit of the data, which the format
	// itself cannot.
	size := 0
	for _, x := range sample(1) {
		size += int(x.size())
	}
	for i := len(before) - size; i < len(before); i++ {
		before[i] ^= 1
		writeFile(t, before, path)
		before[i] ^= 1
		if err := checkExport(path, path, sample(1)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("byte %d wrong: %v", i, err)
		}
	}
}
