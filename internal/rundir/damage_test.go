package rundir

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
)

// damages are a text cut at every byte, and with three other values of every byte: two of a bit, and for a
// digit the next one. Unless all faults are asked for, every seventh byte stands for those around it.
func damages(b string) (all []string) {
	stride := 7
	if faulttest.All() {
		stride = 1
	}
	for i := 0; i < len(b); i += stride {
		all = append(all, b[:i])
		others := []byte{b[i] ^ 1, b[i] ^ 0x20}
		if b[i] >= '0' && b[i] <= '9' {
			others = append(others, '0'+(b[i]-'0'+1)%10)
		}
		for _, c := range others {
			all = append(all, b[:i]+string([]byte{c})+b[i+1:])
		}
	}
	return all
}

func write(t *testing.T, d Folder, name, b string) {
	t.Helper()
	if err := os.WriteFile(d.File(name), []byte(b), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, d Folder, name string) string {
	t.Helper()
	b, err := os.ReadFile(d.File(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestFaultRecordDamaged: a record or a manifest of which any byte is another, or which is cut anywhere, is
// refused by its name.
func TestFaultRecordDamaged(t *testing.T) {
	d, loss := Folder(t.TempDir()), 1.25
	rec := Record{Stage: "train", Inputs: map[string]string{"seed": "3", "train.lr": "0.025", "images": strings.Repeat("0a", 32)}, Steps: 12,
		Arithmetic: []string{"cpu float32 avx2"}, Loss: &loss, Outputs: map[string]string{"supernet": strings.Repeat("b1", 32)}}
	m := Manifest{Schema: ManifestSchema, Program: Program{Version: "0.1.0"}, Seed: 3, ConfigSHA256: strings.Repeat("0a", 32), Dataset: Dataset{Name: "shapes10", Train: 120}}
	if err := d.WriteRecord("record.json", rec); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteManifest(m); err != nil {
		t.Fatal(err)
	}
	readers := map[string]func() error{
		"record.json": func() error {
			r, err := d.ReadRecord("record.json")
			if err == nil && r == nil {
				err = fmt.Errorf("no record")
			}
			return err
		},
		"manifest.json": func() error { _, err := d.ReadManifest(); return err },
	}
	tally := faulttest.New("record.json, manifest.json: every byte and every length")
	for name, reader := range readers {
		whole := read(t, d, name)
		for _, b := range damages(whole) {
			write(t, d, name, b)
			tally.Injected++
			if err := reader(); err != nil && fault.Classify(err).Code == fault.ExitInvalid && strings.Contains(err.Error(), d.File(name)) {
				tally.Survived++
			} else {
				t.Errorf("%s is read, or refused without its name (%v):\n%s", name, err, b)
			}
		}
		write(t, d, name, whole)
		if err := reader(); err != nil {
			t.Error(err)
		}
	}
	// A record without a checksum, as that of an earlier version.
	whole, _, _ := strings.Cut(read(t, d, "record.json"), checkKey)
	passed := 0
	for _, b := range damages(whole + "\n}\n") {
		write(t, d, "record.json", b)
		if readers["record.json"]() == nil {
			passed++
		}
	}
	tally.Twin("a record without its checksum", passed > 0)
	tally.Report(t)
}

// TestFaultLinesDamaged: lines of which any byte is another, or which are cut anywhere, are refused by the name
// of their file, or those that are right are kept. Damaged checksums are written again.
func TestFaultLinesDamaged(t *testing.T) {
	d := Folder(t.TempDir())
	path := d.File("samples.jsonl")
	silent := func(string, ...any) {}
	s, _, err := OpenSummed(path, silent, keepAll)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if err := s.Append(Sample{Index: i, Arch: "a", Score: 0.125 * float64(i), Loss: 2.5, Seed: 3}); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	whole := map[string]string{"samples.jsonl": read(t, d, "samples.jsonl"), "samples.sums": read(t, d, "samples.sums")}
	// open opens the damaged files, and says what was kept of the lines.
	open := func() (kept, said string, err error) {
		s, torn, err := OpenSummed(path, func(format string, args ...any) { said += fmt.Sprintf(format, args...) }, func(line []byte) (bool, error) {
			kept += string(line) + "\n"
			return true, nil
		})
		if err != nil {
			return "", said, err
		}
		if torn {
			said += "torn"
		}
		return kept, said, s.Close()
	}
	tally := faulttest.New("samples.jsonl and its checksums: every byte and every length")
	wrong := func(name, b string) string {
		write(t, d, "samples.jsonl", whole["samples.jsonl"])
		write(t, d, "samples.sums", whole["samples.sums"])
		write(t, d, name, b)
		kept, said, err := open()
		switch {
		case err != nil && fault.Classify(err).Code == fault.ExitInvalid && strings.Contains(err.Error(), path) && read(t, d, name) == b:
			return ""
		case err != nil:
			return fmt.Sprintf("refused without its name, or changed: %v", err)
		case !strings.HasPrefix(whole["samples.jsonl"], kept) || read(t, d, "samples.jsonl") != kept:
			return "a line is taken that was not written"
		case !strings.HasPrefix(whole["samples.sums"], read(t, d, "samples.sums")) || strings.Count(read(t, d, "samples.sums"), "\n") != strings.Count(kept, "\n"):
			return "the checksums are not those of the lines that are kept"
		case kept != whole["samples.jsonl"] && said == "":
			return "a line is lost without a word"
		}
		return ""
	}
	for name := range whole {
		for _, b := range damages(whole[name]) {
			tally.Injected++
			if why := wrong(name, b); why == "" {
				tally.Survived++
			} else {
				t.Errorf("%s: %s:\n%s", name, why, b)
			}
		}
	}
	// Lines that nothing proves.
	passed := 0
	for _, b := range damages(whole["samples.jsonl"]) {
		write(t, d, "samples.jsonl", b)
		if err := os.Remove(d.File("samples.sums")); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if kept, _, err := open(); err == nil && !strings.HasPrefix(whole["samples.jsonl"], kept) {
			passed++
		}
	}
	tally.Twin("lines without checksums", passed > 0)
	tally.Report(t)
}

// TestFaultSummedDamaged: a file that is known by a checksum beside it is refused where any byte of it is
// another.
func TestFaultSummedDamaged(t *testing.T) {
	d := Folder(t.TempDir())
	if err := os.Mkdir(d.File("retrain"), 0o755); err != nil {
		t.Fatal(err)
	}
	var s Seeds
	for i := range 2 {
		s.Add(SeedRun{Seed: uint64(i), Weights: "export/model.safetensors", Tested: Tested{TestTop1: 0.5 + float64(i)/8, TestImages: 40}})
		if err := d.WriteSummed(s, "retrain", "seeds.json"); err != nil {
			t.Fatal(err)
		}
	}
	tally := faulttest.New("retrain/seeds.json: every byte and every length")
	whole := read(t, d, "retrain/seeds.json")
	sweep := func(each func(b string, err error)) {
		for _, b := range damages(whole) {
			write(t, d, "retrain/seeds.json", b)
			each(b, d.ReadSummed(new(Seeds), "retrain", "seeds.json"))
		}
	}
	sweep(func(b string, err error) {
		tally.Injected++
		if err != nil && fault.Classify(err).Code == fault.ExitInvalid && strings.Contains(err.Error(), d.File("retrain", "seeds.json")) {
			tally.Survived++
		} else {
			t.Errorf("%v:\n%s", err, b)
		}
	})
	write(t, d, "retrain/seeds.json", whole)
	if err := d.ReadSummed(new(Seeds), "retrain", "seeds.json"); err != nil {
		t.Error(err)
	}
	if err := os.Remove(d.File("retrain/seeds.sums")); err != nil {
		t.Fatal(err)
	}
	passed := 0
	sweep(func(_ string, err error) {
		if err == nil {
			passed++
		}
	})
	tally.Twin("a file without its checksum", passed > 0)
	tally.Report(t)
}
