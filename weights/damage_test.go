package weights

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// loadUnchecked is the broken twin of Load: it looks for DONE but believes the
// files.
func loadUnchecked(path string) (Checkpoint, error) {
	done, err := readDone(path)
	if err != nil {
		return Checkpoint{}, err
	}
	f, err := ReadSafetensors(filepath.Join(path, modelFile))
	if err != nil {
		return Checkpoint{}, err
	}
	state, err := os.ReadFile(filepath.Join(path, stateFile))
	return Checkpoint{done.Step, f.Tensors, state}, err
}

// sweepDamage flips bits of every byte and cuts the file at every byte, for
// each file of a checkpoint. Loading must fail with ErrCorrupt and name the
// file, or return what was saved. It returns the number of damages done and
// the first that got through.
func sweepDamage(t *testing.T, load func(string) (Checkpoint, error)) (injections int, fault error) {
	dir := t.TempDir()
	want := sampleCheckpoint(7, 1)
	quickSave(t, dir, want, 1)
	path := filepath.Join(dir, "ckpt-00000007")
	try := func(name, what string) {
		injections++
		got, err := load(path)
		switch {
		case fault != nil:
		case err == nil && sameCheckpoint(got, want) != nil:
			fault = fmt.Errorf("%s with %s loads as another", name, what)
		case err != nil && (!errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), filepath.Join(path, name))):
			fault = fmt.Errorf("%s with %s: %w", name, what, err)
		}
	}
	for _, name := range []string{modelFile, stateFile, doneFile} {
		b := readFile(t, path, name)
		// The file is changed in place: rewriting it costs a disk flush each time.
		f, err := os.OpenFile(filepath.Join(path, name), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		put := func(at int, part ...byte) {
			if _, err := f.WriteAt(part, int64(at)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range b {
			for _, mask := range []byte{0x01, 0x20, 0xff} { // 0x20: the other case of a letter
				put(i, b[i]^mask)
				try(name, fmt.Sprintf("byte %d changed by %#x", i, mask))
			}
			put(i, b[i])
		}
		put(len(b), ' ')
		try(name, "a byte more")
		for n := len(b) - 1; n >= 0; n-- {
			if err := f.Truncate(int64(n)); err != nil {
				t.Fatal(err)
			}
			try(name, fmt.Sprintf("%d of %d bytes", n, len(b)))
		}
		put(0, b...)
	}
	if got, err := load(path); err != nil || sameCheckpoint(got, want) != nil {
		t.Fatal("the undamaged checkpoint does not load", err)
	}
	return injections, fault
}

func TestEveryDamageIsFound(t *testing.T) {
	n, fault := sweepDamage(t, Load)
	if fault != nil {
		t.Error(fault)
	}
	if n < 2000 {
		t.Errorf("only %d damages", n)
	}
	t.Logf("%d damages", n)
	if _, fault := sweepDamage(t, loadUnchecked); fault == nil {
		t.Error("a loader without checksums passes")
	}
}

// Every damage of the newest model file falls back to the checkpoint before.
func TestFallBackFromEveryTruncation(t *testing.T) {
	dir := t.TempDir()
	for step := 1; step <= 2; step++ {
		quickSave(t, dir, sampleCheckpoint(step, step), 2)
	}
	path := filepath.Join(dir, "ckpt-00000002", modelFile)
	b := readFile(t, path)
	for n := len(b) - 1; n >= 0; n-- {
		if err := os.Truncate(path, int64(n)); err != nil {
			t.Fatal(err)
		}
		c, skipped, err := LoadLatest(dir)
		if err != nil || len(skipped) != 1 || !strings.Contains(skipped[0].Error(), path) {
			t.Fatalf("%d bytes: %v, skipped %v", n, err, skipped)
		}
		if err := sameCheckpoint(c, sampleCheckpoint(1, 1)); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestMissingFiles(t *testing.T) {
	for _, name := range []string{modelFile, stateFile, doneFile} {
		dir := t.TempDir()
		quickSave(t, dir, sampleCheckpoint(1, 1), 1)
		path := filepath.Join(dir, "ckpt-00000001", name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, _, err := LoadLatest(dir); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s missing: %v", name, err)
		}
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, _, err := LoadLatest(dir); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s a directory: %v", name, err)
		}
	}
}

// Records that are intact but make no sense.
func TestDoneRecords(t *testing.T) {
	files := map[string]fileDigest{modelFile: {Size: 8}, stateFile: {Size: 2}}
	bad := map[string]doneRecord{
		"version 0":     {0, 1, files},
		"negative step": {1, -1, files},
		"no files":      {1, 1, nil},
		"other file":    {1, 1, map[string]fileDigest{modelFile: {}, "x": {}}},
		"one file":      {1, 1, map[string]fileDigest{modelFile: {}}},
		"three files":   {1, 1, map[string]fileDigest{modelFile: {}, stateFile: {}, "x": {}}},
		"negative size": {1, 1, map[string]fileDigest{modelFile: {Size: -1}, stateFile: {}}},
	}
	for name, d := range bad {
		b, err := encodeDone(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseDone(b, "DONE"); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err := encodeDone(doneRecord{1, 1, files})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseDone(good, "DONE"); err != nil {
		t.Error(err)
	}
	body, _, _ := bytes.Cut(good, []byte(checkKey))
	for _, tail := range []string{`,"extra":1`, `}{`, `,`} {
		if _, err := parseDone(appendCheck(append(bytes.Clone(body), tail...)), "DONE"); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", tail, err)
		}
	}
	if _, err := parseDone(make([]byte, maxDone+1), "DONE"); !errors.Is(err, ErrCorrupt) {
		t.Error(err)
	}
}

// Files that DONE vouches for and that were wrong when written: the parser's
// word counts, also where it stopped early.
func TestVouchedFiles(t *testing.T) {
	good := raw("{}      ", 0)
	for name, k := range map[string]struct {
		model, state []byte
		want         error
	}{
		"good":         {good, []byte("{}"), nil},
		"other type":   {raw(`{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`, 4), []byte("{}"), ErrDType},
		"no tensors":   {[]byte("not a safetensors file"), []byte("{}"), ErrCorrupt},
		"no JSON":      {good, []byte("{"), ErrCorrupt},
		"empty state":  {good, nil, ErrCorrupt},
		"bytes behind": {append(good, 0), []byte("{}"), ErrCorrupt},
	} {
		path := t.TempDir()
		done, err := encodeDone(doneRecord{schemaVersion, 1, map[string]fileDigest{modelFile: digestOf(k.model), stateFile: digestOf(k.state)}})
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, k.model, path, modelFile)
		writeFile(t, k.state, path, stateFile)
		writeFile(t, done, path, doneFile)
		if _, err := Load(path); !errors.Is(err, k.want) || err != nil && strings.Contains(err.Error(), "sha256") {
			t.Errorf("%s: %v, want %v", name, err, k.want)
		}
	}
}

// A checkpoint that vouches for what is no number was not written here: it is named, and an
// older one taken.
func TestCheckpointOfNoNumbers(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		dir := t.TempDir()
		quickSave(t, dir, sampleCheckpoint(6, 1), 2)
		quickSave(t, dir, sampleCheckpoint(7, 2), 2)
		path := filepath.Join(dir, "ckpt-00000007")
		ts := sample(2)
		ts[0].F32[3] = float32(v)
		var model bytes.Buffer
		if err := WriteSafetensors(&model, ts, nil); err != nil {
			t.Fatal(err)
		}
		done, err := encodeDone(doneRecord{schemaVersion, 7, map[string]fileDigest{
			modelFile: digestOf(model.Bytes()), stateFile: digestOf(readFile(t, path, stateFile))}})
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, model.Bytes(), path, modelFile)
		writeFile(t, done, path, doneFile)
		want := fmt.Sprintf(`"stem.conv.weight" holds %v at index 3`, v)
		if _, err := Load(path); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Join(path, modelFile)) {
			t.Errorf("%v, want %s", err, want)
		}
		c, skipped, err := LoadLatest(dir)
		if err != nil || c.Step != 6 || len(skipped) != 1 || !strings.Contains(skipped[0].Error(), want) {
			t.Errorf("step %d, skipped %v, %v", c.Step, skipped, err)
		}
	}
}

// Falling back to an older checkpoint is right where the newest is lost, and
// wrong where it only cannot be opened just now.
func TestDamageIsNotMissingRights(t *testing.T) {
	for cause, want := range map[error]bool{
		syscall.ENOENT: true, syscall.ENOTDIR: true, syscall.ELOOP: true, syscall.EIO: true,
		syscall.EACCES: false, syscall.EMFILE: false, syscall.ENOMEM: false,
	} {
		err := damage(&os.PathError{Op: "open", Path: "x", Err: cause}, "")
		if errors.Is(err, ErrCorrupt) != want || !errors.Is(err, cause) {
			t.Errorf("%v: %v", cause, err)
		}
	}
}
