package pipeline

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
)

// Golden run folders of versions of this program, testdata/skew/NAME.tar.gz:
//
//	0.1.0     finished, by commit 0fd6586, the last of version 0.1.0:
//	          ONESHOT_ISA=noasm oneshot run --preset micro --seed 3 --out r010 --quiet and --set of each of
//	          skewed but search.top and search.baselines
//	finished  finished by this version; with -update-skew this test makes it
//	stopped   stopped in its search by this version; likewise
//
// They hold results, and results change on purpose only (I7): then both of this version are made again. The
// folders of a release stay.
var updateSkew = flag.Bool("update-skew", false, "make testdata/skew of this version again")

// skewed make a golden folder small.
var skewed = []string{"net.nodes=1", "net.layers=1", "net.channels=2", "retrain.layers=3", "retrain.channels=2", "run.checkpoint_keep=1",
	"search.samples=4", "search.init=3", "train.steps=4", "retrain.steps=4", "search.top=2", "search.baselines=random"}

// golden unpacks one of them, and returns its run folder.
func golden(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "skew", name+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir, run := t.TempDir(), ""
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return filepath.Join(dir, run)
		}
		if err != nil || !filepath.IsLocal(h.Name) {
			t.Fatal(h.Name, err)
		}
		run, _, _ = strings.Cut(h.Name, "/")
		if to := filepath.Join(dir, filepath.FromSlash(h.Name)); h.Typeflag == tar.TypeReg {
			b, err := io.ReadAll(r)
			if err == nil {
				err = errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, b, 0o644))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// pack writes a run folder as a golden one.
func pack(t *testing.T, name, dir string) {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	all := tree(t, dir)
	for _, file := range slices.Sorted(maps.Keys(all)) {
		err = errors.Join(err, w.WriteHeader(&tar.Header{Name: "run/" + file, Mode: 0o644, Size: int64(len(all[file])), Typeflag: tar.TypeReg}))
		_, e := io.WriteString(w, all[file])
		err = errors.Join(err, e)
	}
	if err = errors.Join(err, w.Close(), z.Close(), os.WriteFile(filepath.Join("testdata", "skew", name+".tar.gz"), b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestFaultVersionSkew runs TestSkew where the golden folders' arithmetic is used, which every processor has.
func TestFaultVersionSkew(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skipf("the golden folders are of amd64; %s rounds in other places", runtime.GOARCH)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSkew$", "-test.v", fmt.Sprintf("-update-skew=%v", *updateSkew))
	cmd.Env = append(os.Environ(), "ONESHOT_ISA=noasm", "ONESHOT_SKEW=1")
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if _, row, ok := strings.Cut(line, faulttest.Mark); ok {
			t.Log(faulttest.Mark + strings.TrimSpace(row))
		}
	}
	if err != nil || !bytes.Contains(out, []byte(faulttest.Mark)) {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSkew: folders of this version and of earlier ones are read; what a newer one has written is refused
// with what to do, and stays as it is.
func TestSkew(t *testing.T) {
	if os.Getenv("ONESHOT_SKEW") == "" {
		t.Skip("TestFaultVersionSkew runs it")
	}
	if *updateSkew {
		dir := newRun(t)
		if _, err := goesOn(skewed...)(t, dir); err != nil {
			t.Fatal(err)
		}
		pack(t, "finished", dir)
		dir = newRun(t)
		stopWhen(t, dir, "search/samples.jsonl", 2, skewed...)
		pack(t, "stopped", dir)
	}
	t.Run("0.1.0", skewReleased)
	t.Run("finished", skewFinished)
	t.Run("stopped", skewStopped)
	skewNewer(t)
}

// skewReleased: the search of 0.1.0 has settings that are gone, so its run is not gone on with, which is said by
// the key. What it exported is evaluated, and its architecture trained.
func skewReleased(t *testing.T) {
	dir := golden(t, "0.1.0")
	before := tree(t, dir)
	refused := func(what string, err error) {
		t.Helper()
		if fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), "config.yaml") || !strings.Contains(err.Error(), `"search.height" is gone since version 0.1.0`) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := Chain(rundir.Folder(dir))
	refused("status", err)
	_, err = Inspect(rundir.Folder(dir))
	refused("inspect", err)
	q := microRequest(dir)
	q.Config.Preset, q.Config.Sets = "", nil
	refused("run --resume", runAll(t, q))
	sameTree(t, "0.1.0", before, tree(t, dir))
	if got := exportedTop1(t, filepath.Join(dir, "export", "model.safetensors")); !strings.Contains(before["result.json"], fmt.Sprintf(`"test_top1": %v,`, got)) {
		t.Errorf("its network has %v now, and had\n%s", got, before["result.json"])
	}
	in, err := config.Default().Net.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := plan.ReadArch(filepath.Join(dir, "export", "arch.json"), in); err != nil {
		t.Error(err)
	}
}

// exportedTop1 is the accuracy of an exported network on the test images that it names.
func exportedTop1(t *testing.T, path string) float64 {
	t.Helper()
	file, err := ReadExport(path)
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Seed, c.Data, c.Run.Device = file.Seed, file.Data, "cpu"
	c.Data.Image, c.Data.CropPct = file.Image, 1
	rt, err := device.Open(c.Run, device.Files{}, process().UI)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	x, err := file.Network("", 0, rt)
	if err != nil {
		t.Fatal(err)
	}
	_, res, err := EvaluateFile(t.Context(), process().UI, x, file.About, c, func(string) bool { return false }, "test", Room{})
	if err != nil {
		t.Fatal(err)
	}
	return res.Top1
}

func skewFinished(t *testing.T) {
	dir := golden(t, "finished")
	before := tree(t, dir)
	for stage, state := range states(t, dir) {
		if state != StateFresh {
			t.Errorf("%s is %s", stage, state)
		}
	}
	if in, err := Inspect(rundir.Folder(dir)); err != nil || in.Result == nil || in.Search == nil {
		t.Errorf("%+v, %v", in, err)
	}
	q := microRequest(dir)
	q.Config.Preset, q.Config.Sets = "", nil
	if err := runAll(t, q); err != nil {
		t.Error(err)
	}
	sameTree(t, "finished", before, tree(t, dir))
	if got := exportedTop1(t, filepath.Join(dir, "export", "model.safetensors")); !strings.Contains(before["result.json"], fmt.Sprintf(`"test_top1": %v,`, got)) {
		t.Errorf("its network has %v now, and had\n%s", got, before["result.json"])
	}
}

// skewStopped: a folder that was stopped ends in the bytes of the finished one.
func skewStopped(t *testing.T) {
	dir := golden(t, "stopped")
	chain, err := Chain(rundir.Folder(dir))
	if err != nil || chain[0].State != StateFresh || chain[1].State != StatePartial {
		t.Errorf("%+v, %v", chain, err)
	}
	q := microRequest(dir)
	q.Config.Preset, q.Config.Sets = "", nil
	if err := runAll(t, q); err != nil {
		t.Fatal(err)
	}
	want, got := tree(t, golden(t, "finished")), tree(t, dir)
	for _, folder := range []map[string]string{want, got} { // how a page looks is no promise
		maps.DeleteFunc(folder, func(name, _ string) bool { return filepath.Ext(name) == ".html" })
	}
	sameTree(t, "stopped", want, got)
}

// sameTree compares two run folders but for what has times.
func sameTree(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if isResult(name) && got[name] != want[name] {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is new", what, name)
		}
	}
}

// unversioned are the files of a run that have no number of a version, by the last part of their name, with
// the reason.
var unversioned = map[string]string{
	"config.yaml":           "a key that this version does not know is refused by name",
	"LOCK":                  "only printed",
	"log.jsonl":             "only written",
	"metrics.jsonl":         "a line that is none is set aside",
	"samples.jsonl":         "search/record.json has one, and is written first",
	"rechecks.jsonl":        "likewise",
	"baseline-random.jsonl": "likewise",
	"times.jsonl":           "likewise",
	"samples.sums":          "likewise",
	"rechecks.sums":         "likewise",
	"baseline-random.sums":  "likewise",
	"best.json":             "likewise; a key that this version does not know is refused",
	"report.html":           "only written",
	"arch.json":             "record.json beside it has one; a form that this version does not know is refused",
	"examples.json":         "result.record.json has one; a key that this version does not know is refused",
	"result.json":           "result.record.json has one; a key that this version does not know is refused",
	"state.json":            "DONE beside it has one",
	"model.safetensors":     "DONE beside it has one; of an exported file a key in the metadata that this version does not know is refused",
}

// held is what a folder holds, but for who has worked there.
func held(t *testing.T, dir string) map[string]string {
	all := tree(t, dir)
	delete(all, "LOCK")
	return all
}

// skewNewer raises the number in each file that has one.
func skewNewer(t *testing.T) {
	tally := faulttest.New("version skew: newer number in each file")
	whole := golden(t, "finished")
	number := regexp.MustCompile(`"(schema|schema_version)": ?(\d+)`)
	twin := false
	for _, name := range slices.Sorted(maps.Keys(tree(t, whole))) {
		b := tree(t, whole)[name]
		at := number.FindStringSubmatchIndex(b)
		if at == nil || name == "log.jsonl" {
			if unversioned[path.Base(name)] == "" {
				t.Errorf("%s has no number of a version, and no reason", name)
			}
			continue
		}
		if name == "search/tree.json" { // only written
			continue
		}
		newer := b[:at[4]] + "2" + b[at[5]:]
		if body, _, ok := strings.Cut(newer, `,"check":"`); ok && path.Base(name) == "DONE" {
			newer = fmt.Sprintf("%s,\"check\":\"%x\"}\n", body, sha256.Sum256([]byte(body)))
		}
		for what, do := range map[string]func(dir string) error{
			"status":  func(dir string) error { _, err := Chain(rundir.Folder(dir)); return err },
			"inspect": func(dir string) error { _, err := Inspect(rundir.Folder(dir)); return err },
			"run": func(dir string) error {
				q := microRequest(dir)
				q.Config.Preset, q.Config.Sets = "", nil
				return runAll(t, q)
			},
			"run --override": func(dir string) error {
				q := redo(dir)
				q.Config.Preset, q.Config.Sets = "", nil
				return runAll(t, q)
			},
		} {
			dir := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(newer), 0o644); err != nil {
				t.Fatal(err)
			}
			before := held(t, dir)
			err := do(dir)
			tally.Injected++
			got := fault.Classify(err)
			advice := strings.Contains(got.Hint, "newer one") || err != nil && strings.Contains(err.Error(), "or a later one")
			if got.Code == fault.ExitInvalid && strings.Contains(err.Error(), filepath.FromSlash(name)) && advice && maps.Equal(before, held(t, dir)) {
				tally.Survived++
			} else {
				t.Errorf("%s of a folder with a newer %s: code %d, %v (hint %q), folder unchanged: %v", what, name, got.Code, err, got.Hint, maps.Equal(before, held(t, dir)))
			}
		}
		// The number of this version is not refused: the refusal comes from the number alone.
		if err := os.WriteFile(filepath.Join(whole, filepath.FromSlash(name)), []byte(b), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Chain(rundir.Folder(whole))
		twin = err == nil
	}
	tally.Twin("the same folder with this version's numbers", twin)
	tally.Report(t)
}
