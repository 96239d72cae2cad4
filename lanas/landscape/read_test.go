package landscape

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const small = `{"name": "small", "choices": [2,1,3], "scores": {"0.0.0": 10, "1.0.2": 94.37, "0.0.1": 50.5}}`

func readString(t testing.TB, s string) *Table {
	t.Helper()
	tb, err := Read(strings.NewReader(s), "test", "test")
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

func (t *Table) scoreOf(tb testing.TB, key string) Row {
	tb.Helper()
	code, err := t.choices.Parse(key)
	if err != nil {
		tb.Fatal(err)
	}
	row, err := t.Row(code)
	if err != nil {
		tb.Fatal(err)
	}
	return row
}

func TestReadGeneric(t *testing.T) {
	for _, text := range []string{
		small,
		`{"scores": {"1.0.2": 94.37, "0.0.1": 50.5, "0.0.0": 1e1}, "choices": [2,1,3], "name": "small"}` + "\n",
	} {
		tb := readString(t, text)
		if tb.Name() != "small" || tb.Len() != 3 || tb.Max() != 94.37 || tb.Noisy() || !slices.Equal(tb.Choices().Sizes(), []int{2, 1, 3}) {
			t.Errorf("table %s of %d, best %v, noisy %v, choices %v", tb.Name(), tb.Len(), tb.Max(), tb.Noisy(), tb.Choices().Sizes())
		}
		if row := tb.scoreOf(t, "0.0.1"); row != (Row{Score: 50.5, True: 50.5}) {
			t.Errorf("0.0.1 has %+v", row)
		}
	}
	noisy := readString(t, `{"name": "n", "choices": [2], "scores": {"0": 10, "1": 20}, "truth": {"1": 11, "0": 12}}`)
	if row := noisy.scoreOf(t, "0"); row != (Row{Score: 10, True: 12}) || !noisy.Noisy() || noisy.Max() != 12 {
		t.Errorf("0 has %+v, noisy %v, best %v", row, noisy.Noisy(), noisy.Max())
	}
}

func TestAbsentArchitectureIsNamed(t *testing.T) {
	tb := readString(t, small)
	code, err := tb.choices.Parse("1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	_, err = tb.Row(code)
	var absent *AbsentError
	if !errors.As(err, &absent) || err.Error() != "landscape: table small has no score for 1.0.0; it has 3 of 6 architectures" {
		t.Errorf("error %v", err)
	}
}

const macro1 = `{"test_acc": [1, 2], "mean_acc": 91.5, "std": 0.1, "params": 1000, "flops": 2000}`

func TestReadMacro(t *testing.T) {
	tb := readString(t, `{"00000012": `+macro1+`, "22222222": {"mean_acc": 45, "params": 1, "flops": 2}}`)
	if row := tb.scoreOf(t, "0.0.0.0.0.0.1.2"); row != (Row{91.5, 91.5, 1000, 2000}) || tb.Len() != 2 || tb.Name() != "test" {
		t.Errorf("table %s of %d, row %+v", tb.Name(), tb.Len(), row)
	}
}

// TestReadRefuses: every error names the file and the place.
func TestReadRefuses(t *testing.T) {
	field := func(f string) string { return `{"name": "x", "choices": [2,2], ` + f + `}` }
	for text, want := range map[string]string{
		``:                                      "ends early",
		`[]`:                                    "[ where an object is wanted",
		`{}`:                                    `no "name"`,
		`{"name": "x"`:                          "ends early",
		small + `{}`:                            "something follows the table",
		small + `x`:                             "something follows the table",
		`{"name": "x", "name": "y"}`:            `key "name" comes twice`,
		`{"name": 5}`:                           `"name": json`,
		`{"name": ""}`:                          `"name": is empty`,
		`{"name": null}`:                        `"name": is empty`,
		`{"name": "a\u001b[31m"}`:               `"name": has a control character`,
		`{"nome": "x"}`:                         `"nome": is no field of a table`,
		`{"Name": "x"}`:                         `"Name": is no field of a table`,
		`{"choices": [2], "scores": {}}`:        `no "name"`,
		`{"name": "x", "scores": {"0": 1}}`:     `no "choices"`,
		`{"name": "x", "choices": [2]}`:         `no "scores"`,
		field(`"scores": {}`):                   `table "x" has no scores`,
		field(`"scores": []`):                   "scores: [ where an object is wanted",
		field(`"scores": null`):                 "scores: <nil> where an object is wanted",
		field(`"scores": {"0.1": 5, "0.1": 5}`): `scores: key "0.1" comes twice`,
		field(`"scores": {"0.2": 5}`):           `scores: "0.2": key "0.2": block 1 takes candidate "2", want 0..1`,
		field(`"scores": {"0.1.1": 5}`):         `key "0.1.1" names 3 blocks, want 2`,
		field(`"scores": {"0.1": 100.01}`):      `scores: "0.1": score 100.01, want percent in 0..100`,
		field(`"scores": {"0.1": -1}`):          `"0.1": score -1`,
		field(`"scores": {"0.1": 1e999}`):       `scores: "0.1": json`,
		field(`"scores": {"0.1": NaN}`):         `"scores": invalid character 'N'`,
		field(`"scores": {"0.1": "5"}`):         `scores: "0.1": json`,
		field(`"scores": {"0.1": null}`):        `scores: "0.1": score null`,
		field(`"scores": {"0.0": 1}, "truth": {"0.1": 1}`):           "truth: 0.1 has no score",
		field(`"scores": {"0.0": 1, "0.1": 2}, "truth": {"0.1": 1}`): "truth: 0.0 is missing",
		field(`"scores": {"0.0": 1}, "truth": {"0.0": 101}`):         `truth: "0.0": score 101`,
		`{"name": "x", "choices": [], "scores": {}}`:                 "0 choice blocks, want 1..64",
		`{"name": "x", "choices": [2,0], "scores": {}}`:              "choices[1] is 0, want 1..64",
		`{"name": "x", "choices": [2.5], "scores": {}}`:              `"choices": json`,
		`{"00000000": {}}`:                                         `"00000000": want mean_acc, params and flops`,
		`{"0000000": ` + macro1 + `}`:                              `key "0000000", want 8 digits 0..2`,
		`{"00000003": ` + macro1 + `}`:                             `key "00000003", want 8 digits`,
		`{"00000000": ` + macro1 + `, "name": "x"}`:                `key "name", want 8 digits`,
		`{"00000000": ` + macro1 + `, "00000000": ` + macro1 + `}`: `key "00000000" comes twice`,
		`{"00000000": 5}`:                                          `"00000000": json`,
		`{"00000000": {"mean_acc": 101, "params": 1, "flops": 1}}`: `"00000000": mean_acc: score 101`,
		`{"00000000": {"mean_acc": 1, "params": -1, "flops": 1}}`:  `"00000000": params -1 and flops 1`,
	} {
		tb, err := Read(strings.NewReader(text), "dir/file.json", "file")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "landscape: dir/file.json: ") {
			t.Errorf("%s:\n got %v %v\nwant %q", text, tb, err, want)
		}
	}
}

// TestReadIsBounded with a source that never ends.
func TestReadIsBounded(t *testing.T) {
	if _, err := read(spaces{}, "endless", 3<<20); err == nil || err.Error() != "larger than 3 MB" {
		t.Errorf("error %v", err)
	}
}

type spaces struct{}

func (spaces) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestWriteReadsBack(t *testing.T) {
	for _, name := range []string{"noisy", "cell"} {
		tb, err := Generate(name, 3)
		if err != nil {
			t.Fatal(err)
		}
		sameTable(t, tb, rewrite(t, tb))
	}
	tb := readString(t, small) // incomplete
	sameTable(t, tb, rewrite(t, tb))
}

func rewrite(t testing.TB, tb *Table) *Table {
	t.Helper()
	var b bytes.Buffer
	if err := tb.Write(&b); err != nil {
		t.Fatal(err)
	}
	return readString(t, b.String())
}

func sameTable(t testing.TB, a, b *Table) {
	t.Helper()
	if a.Name() != b.Name() || !slices.Equal(a.Choices().Sizes(), b.Choices().Sizes()) || a.Len() != b.Len() {
		t.Fatalf("table %s of %d became %s of %d", a.Name(), a.Len(), b.Name(), b.Len())
	}
	for code, row := range a.rows {
		if b.rows[code] != row {
			t.Fatalf("%s: %s had %+v and became %+v", a.Name(), a.choices.Key([]byte(code)), row, b.rows[code])
		}
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "some.table.json")
	if _, err := ReadFile(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"00000000": `+macro1+`}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if tb, err := ReadFile(path); err != nil || tb.Name() != "some.table" {
		t.Errorf("table %v, error %v", tb, err)
	}
}

// macroFile is the table of NAS-Bench-Macro on CIFAR-10, which is not part of the
// repository.
func macroFile(t testing.TB) *Table {
	t.Helper()
	const path = "../../../shared/data/nas-bench-macro_cifar10.json"
	tb, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no %s: the NAS-Bench-Macro table is not part of the repository", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

func TestNASBenchMacro(t *testing.T) {
	tb := macroFile(t)
	if tb.Len() != 6561 || float64(tb.Len()) != tb.Choices().Size() {
		t.Errorf("%d architectures, want 3^8", tb.Len())
	}
	row := tb.scoreOf(t, "0.2.0.1.2.1.0.0")
	if want := (Row{89.19666544596355, 89.19666544596355, 890666, 47327744}); row != want {
		t.Errorf("02012100 has %+v, want %+v", row, want)
	}
	if !near(tb.Max(), 93.1267, 1e-4) || !near(tb.Top(), 93.0600, 1e-4) { // the 6th best
		t.Errorf("best %v, top %v", tb.Max(), tb.Top())
	}
	within, err := tb.Within(1e6, 5e7)
	if err != nil {
		t.Fatal(err)
	}
	if n := within.Len(); n == 0 || n >= 6561 || !(within.Max() < tb.Max()) {
		t.Errorf("%d architectures within the limits, best %v", n, within.Max())
	}
	for code, row := range within.rows {
		if row.Params > 1e6 || row.Madds > 5e7 {
			t.Fatalf("%s has %+v", tb.choices.Key([]byte(code)), row)
		}
	}
}

// A pipe in the place of a table must not make anybody wait for a writer.
func TestReadFileOfAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "table.json")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	done := make(chan error, 1)
	go func() { _, err := ReadFile(pipe); done <- err }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), pipe+": not a regular file") {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("reading a pipe waits")
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		small, `{"00000012": ` + macro1 + `}`, `{}`, `[[[[`, `{"name": "n", "choices": [2], "scores": {"0": 1}, "truth": {"0": 2}}`,
		`{"name": "` + strings.Repeat("a", 99) + `", "choices": [64,64], "scores": {"63.63": 100, "0.0": 0}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tb, err := Read(bytes.NewReader(b), "fuzz", "fuzz")
		if err != nil {
			return
		}
		if tb.Len() < 1 || float64(tb.Len()) > tb.Choices().Size() || !(tb.Max() >= tb.Top()) || checkScore(tb.Max()) != nil {
			t.Fatalf("%d architectures, best %v, top %v", tb.Len(), tb.Max(), tb.Top())
		}
		if !tb.costs {
			sameTable(t, tb, rewrite(t, tb))
		}
	})
}
