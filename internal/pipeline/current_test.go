package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// result.json says of several seeds what is asked for now, whichever verb asked last. What was trained stays.
func TestResultOfFewerSeeds(t *testing.T) {
	dir := newRun(t)
	sets := append(slices.Clone(small), "retrain.steps=4")
	if err := runAll(t, microRequest(dir, append(sets, "retrain.seeds=3")...)); err != nil {
		t.Fatal(err)
	}
	seeds := func(q Request, n int) {
		t.Helper()
		q.Retrains, q.Override = true, true
		q.Redoes, q.Frees = []string{"retrain"}, []string{"retrain"}
		q.Resume = true
		if _, err := retrainAll(t, q, 0); err != nil {
			t.Fatal(err)
		}
		allFresh(t, dir)
		got := storedResult(t, dir).Retrain.Seeds
		if n == 1 && got != nil || n > 1 && (got == nil || len(got.Runs) != n || got.Test != rundir.SpreadOf(tests(got)) && got.Test.Mean != rundir.SpreadOf(tests(got)).Mean) {
			t.Errorf("%d are asked for, and result.json has %+v", n, got)
		}
		if all, err := readSeeds(rundir.Folder(dir)); err != nil || len(all.Runs) != 3 {
			t.Errorf("retrain/seeds.json has %d trainings (%v)", len(all.Runs), err)
		}
	}
	for n, set := range map[int]string{1: "retrain.seeds=1", 2: "retrain.seeds=2", 3: "retrain.seeds=3"} {
		seeds(microRequest(dir, append(sets, set)...), n)
	}
	// A process that was killed in between leaves it to whoever shows the result next.
	seeds(microRequest(dir, append(sets, "retrain.seeds=3")...), 3)
	r, err := Open(t.Context(), process(), redo(dir, append(sets, "retrain.seeds=1")...))
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if s := states(t, dir)["test"]; s != StateStale {
		t.Errorf("a result of other seeds is %s", s)
	}
	if err := runAll(t, redo(dir, append(sets, "retrain.seeds=1")...)); err != nil || storedResult(t, dir).Retrain.Seeds != nil {
		t.Errorf("result.json: %+v, %v", storedResult(t, dir).Retrain.Seeds, err)
	}
	allFresh(t, dir)
}

func tests(s *rundir.Seeds) (out []float64) {
	for _, r := range s.Runs {
		out = append(out, r.TestTop1)
	}
	return out
}

// A retraining that was killed before its first checkpoint has nothing that another winner could replace: the command
// that status names goes on with that one.
func TestAnotherWinnerBeforeTheFirstCheckpoint(t *testing.T) {
	sets := append(slices.Clone(small), "retrain.steps=4", "run.checkpoint_steps=9")
	whole := newRun(t)
	if err := runAll(t, microRequest(whole, sets...)); err != nil {
		t.Fatal(err)
	}
	dir := copyOf(t, whole)
	d := rundir.Folder(dir)
	for _, gone := range []string{"export", "result.json", "result.record.json", "retrain/ckpt-00000004"} {
		if err := os.RemoveAll(filepath.Join(dir, filepath.FromSlash(gone))); err != nil {
			t.Fatal(err)
		}
	}
	rec, err := d.ReadRecord("retrain/record.json")
	if err != nil {
		t.Fatal(err)
	}
	winner := rec.Inputs[inArch]
	of := func(arch string, chosen bool) { // it has begun to train another one
		rec.Outputs, rec.Metrics, rec.Loss, rec.Chosen = nil, nil, nil, chosen
		rec.Inputs[inArch] = arch
		if err := d.WriteRecord("retrain/record.json", *rec); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "retrain", "arch.json"), []byte(arch), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	retrain := func(arch string) error {
		q := microRequest(dir)
		q.Config.Preset, q.Config.Sets = "", nil
		q.Retrains, q.Resume, q.Arch, q.Frees, q.Redoes = true, true, arch, []string{"retrain"}, []string{"retrain"}
		r, err := Open(t.Context(), process(), q)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = r.RetrainAll(t.Context(), r.Arch)
		return err
	}
	of(testArch, true)
	chain, err := Chain(d)
	if want := "oneshot retrain --out " + dir; err != nil || Next(chain) != want {
		t.Fatalf("next: %q, want %q (%v)", Next(chain), want, err)
	}
	if err := retrain(""); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"export/model.safetensors", "retrain/arch.json", "retrain/record.json"} {
		if tree(t, dir)[f] != tree(t, whole)[f] {
			t.Errorf("%s is not that of the winner", f)
		}
	}
	// With a checkpoint there is something to lose.
	if err := retrain(testArch); fault.Classify(err).Code != fault.ExitUsage {
		t.Errorf("another one instead of a network that is trained: %v", err)
	}

	// Of one that was given status names it, also where the folder says it nowhere but in its record.
	if err := os.RemoveAll(filepath.Join(dir, "retrain", "ckpt-00000004")); err != nil {
		t.Fatal(err)
	}
	of(testArch, false)
	if chain, err = Chain(d); err != nil || Next(chain) != "oneshot retrain --out "+dir+" --arch "+d.File("retrain", "arch.json") {
		t.Errorf("next: %q (%v)", Next(chain), err)
	}
	if err := os.Remove(d.File("retrain", "arch.json")); err != nil {
		t.Fatal(err)
	}
	if chain, err = Chain(d); err != nil || Next(chain) != "oneshot retrain --out "+dir+" --arch "+testArch {
		t.Errorf("next: %q (%v)", Next(chain), err)
	}
	if err := retrain(winner); err != nil {
		t.Errorf("another one than was given: %v", err)
	}
}

// What is wrong with a later stage stops none before it: whatever two of them have lost, the commands that status names
// lead to a folder in which everything is right.
func TestDamageInTwoStages(t *testing.T) {
	sets := append(slices.Clone(small), "retrain.steps=4", "retrain.seeds=2")
	whole := newRun(t)
	if err := runAll(t, microRequest(whole, sets...)); err != nil {
		t.Fatal(err)
	}
	unfinished := func(folder string) func(d rundir.Folder) error {
		return func(d rundir.Folder) error {
			done, err := filepath.Glob(d.File(filepath.FromSlash(folder), "ckpt-*", "DONE"))
			for _, f := range done {
				if err == nil {
					err = os.Remove(f)
				}
			}
			return err
		}
	}
	flipped := func(file string, at int) func(d rundir.Folder) error {
		return func(d rundir.Folder) error {
			b, err := os.ReadFile(d.File(filepath.FromSlash(file)))
			if err == nil {
				b[at] ^= 1
				err = os.WriteFile(d.File(filepath.FromSlash(file)), b, 0o644)
			}
			return err
		}
	}
	super, retrained := unfinished("supernet"), unfinished("retrain")
	for name, damages := range map[string][]func(rundir.Folder) error{
		"both trainings":            {super, retrained},
		"a search and a retraining": {flipped("search/samples.jsonl", 90), retrained},
		"a supernet and seeds":      {super, flipped("retrain/seeds.json", 200)},
		"the record of a seed":      {flipped("retrain-seeds/4/retrain/record.json", 100)},
	} {
		dir := copyOf(t, whole)
		for _, damage := range damages {
			if err := damage(rundir.Folder(dir)); err != nil {
				t.Fatal(err)
			}
		}
		verbs := map[string]func(r *Run) error{
			"train":   func(r *Run) error { _, err := r.Train(t.Context()); return err },
			"search":  func(r *Run) error { _, _, err := r.Find(t.Context()); return err },
			"retrain": func(r *Run) error { _, err := r.RetrainAll(t.Context(), r.Arch); return err },
			"export":  func(r *Run) error { _, err := r.ExportAll(t.Context()); return err },
			"test":    nil,
		}
		done := 0
		for ; done < 8; done++ {
			chain, err := Chain(rundir.Folder(dir))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			l := next(chain)
			if l == nil || l.State == StateFresh || verbs[l.Stage] == nil {
				break
			}
			q := microRequest(dir)
			q.Config.Preset, q.Config.Sets = "", nil
			q.Resume, q.Override, q.Retrains = true, l.State == StateStale, l.Stage == "retrain"
			if q.Frees = []string{l.Stage}; stageOf(l.Stage).expensive() {
				q.Redoes = q.Frees
			}
			r, err := Open(t.Context(), process(), q)
			if err == nil {
				err = verbs[l.Stage](r)
				r.Close()
			}
			if err != nil {
				t.Fatalf("%s: `%s`: %v", name, l.Command, err)
			}
		}
		if done < len(damages) || done == 8 {
			t.Errorf("%s: %d commands", name, done)
		}
		if err := runAll(t, redo(dir, sets...)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		allFresh(t, dir)
		if a, b := tree(t, dir), tree(t, whole); a["result.json"] != b["result.json"] || a["export/model.safetensors"] != b["export/model.safetensors"] {
			t.Errorf("%s: another result", name)
		}
	}
}
