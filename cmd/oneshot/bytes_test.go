package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"oneshot/ops/cpu"
	"oneshot/weights"
)

// wantBytes are the digests of what whole runs compute, by preset and instruction
// set; see TestBytesOfARun. A change that alters one alters results that users
// have: it says which and why in its commit and in CHANGELOG.md.
var wantBytes = map[string]struct{ tensors, samples string }{
	"micro avx512": {"ed25d86006eb8856", "3a5f8054323d819e"},
	"micro avx2":   {"3559677cea4cb4e5", "06146dd0b32518d8"},
	"micro noasm":  {"0914f04e414e3dd3", "e99926b9f96428ea"},
	"tiny avx512":  {"833e2c4ea7cbc1da", "c8f430d64542b933"},
}

// TestBytesOfARun: the weights that a run exports, and the architecture, score and
// loss of each of its samples, are those that the program computed when the digests
// were taken, with every instruction set that this processor has. Names of fields,
// metadata and what is recorded beside may change. $ONESHOT_BYTES=all adds a run of
// the preset tiny, of half a minute (scripts/check-bytes.sh).
func TestBytesOfARun(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skipf("the digests are of amd64; %s rounds in other places", runtime.GOARCH)
	}
	compared := 0
	for _, isa := range []string{"avx512", "avx2", "noasm"} {
		if !slices.Contains(cpu.ISAs(), isa) {
			t.Logf("not compared: this processor or build has no %s", isa)
			continue
		}
		checkBytes(t, "micro", isa)
		compared++
		if _, ok := wantBytes["tiny "+isa]; ok && os.Getenv("ONESHOT_BYTES") == "all" {
			checkBytes(t, "tiny", isa, "--set", "train.epochs=1", "--set", "retrain.epochs=1")
		}
	}
	if compared == 0 {
		t.Error("no instruction set was compared")
	}
}

func checkBytes(t *testing.T, preset, isa string, more ...string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(program(t), append([]string{"run", "--preset", preset, "--seed", "7", "--device", "cpu", "--quiet", "--out", dir}, more...)...)
	cmd.Env = append(os.Environ(), "ONESHOT_ISA="+isa)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := wantBytes[preset+" "+isa]
	f, err := weights.ReadSafetensors(filepath.Join(dir, "export", "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if got := tensorDigest(f.Tensors); got != want.tensors {
		t.Errorf("%s, %s: tensors %s, want %s: other weights than before", preset, isa, got, want.tensors)
	}
	f.Tensors[0].F32[0]++ // the broken twin
	if tensorDigest(f.Tensors) == want.tensors {
		t.Error("another weight goes unnoticed")
	}
	b, err := os.ReadFile(filepath.Join(dir, "search", "samples.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if got := sampleDigest(t, string(b)); got != want.samples {
		t.Errorf("%s, %s: samples %s, want %s: other architectures, scores or losses than before", preset, isa, got, want.samples)
	}
}

// tensorDigest is the start of the SHA-256 of names, types, shapes and values, in the
// order of the names.
func tensorDigest(ts []weights.Tensor) string {
	ts = slices.Clone(ts)
	slices.SortFunc(ts, func(a, b weights.Tensor) int { return strings.Compare(a.Name, b.Name) })
	h := sha256.New()
	for _, x := range ts {
		shape := strings.ReplaceAll(fmt.Sprint(x.Shape), " ", ", ")
		if x.I64 != nil {
			fmt.Fprintf(h, "%s I64 %s\n", x.Name, shape)
			h.Write(littleEndian(x.I64))
			continue
		}
		fmt.Fprintf(h, "%s F32 %s\n", x.Name, shape)
		h.Write(littleEndian(x.F32))
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

func littleEndian(v any) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, v) // to memory: cannot fail
	return b.Bytes()
}

// sampleDigest is that of the lines "arch score loss", numbers as JSON has them.
func sampleDigest(t *testing.T, lines string) string {
	t.Helper()
	h := sha256.New()
	for line := range strings.Lines(lines) {
		var s struct {
			Arch        string
			Score, Loss json.Number
		}
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%s %s %s\n", s.Arch, s.Score, s.Loss)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}
