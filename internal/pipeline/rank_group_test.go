package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/atomicfile/faultfs"
	"oneshot/internal/faulttest"
)

// TestFaultRankKilledInAGroup: of networks that are scored together, each score is told by itself. Killed between them, rank
// goes on to the same files, though others are together then.
func TestFaultRankKilledInAGroup(t *testing.T) {
	tally := faulttest.New("rank of networks with common beginnings killed, then rank")
	s := &sweep{start: filepath.Join(t.TempDir(), "run")}
	err := through(quick{atomicfile.OS}, func() error {
		r, err := Open(t.Context(), still(), faultRequest(s.start, "net.space=nasbench-macro", "net.layers=8", "net.channels=2", "score.images=20"))
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = r.Train(t.Context())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(t.TempDir(), "table.csv")
	text := "arch,accuracy\n"
	for i, digits := range []string{"22212220", "22212221", "11212210", "22212211", "22212210", "00012210"} {
		text += fmt.Sprintf("%s,%d\n", digits, 90-i)
	}
	if err := os.WriteFile(table, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	rank := func(dir string) error {
		spec := &RankSpec{Table: table}
		if err := spec.Check(); err != nil {
			return err
		}
		r, err := Open(t.Context(), still(), Request{Folder: dir, Resume: true, Needs: spec.Needs(false)})
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = r.Rank(t.Context(), spec)
		return err
	}
	s.dir = s.copy(t)
	f := &faultfs.FS{}
	if err := through(f, func() error { return rank(s.dir) }); err != nil {
		t.Fatal(err)
	}
	want := all(t, s.dir)
	if n := strings.Count(want[rankScores], "\n"); n != 6 {
		t.Fatalf("%d scores", n)
	}
	kills, err := faultfs.Kills(s.start, s.dir, f.Ops)
	if err != nil {
		t.Fatal(err)
	}
	most := 5
	if faulttest.All() {
		most = 0
	}
	check := func(dir string) error {
		if err := rank(dir); err != nil {
			return fmt.Errorf("it does not go on: %w", err)
		}
		for _, name := range []string{rankScores, rankFile, rankRecord} {
			if b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))); err != nil || string(b) != want[name] {
				return fmt.Errorf("%s differs: %v", name, err)
			}
		}
		return nil
	}
	at := spread(len(kills), most)
	errs := checkKilled(t, kills, at, f.Ops, check)
	tally.Injected, tally.Survived = len(at), len(at)-count(errs)
	// One network is scored before its turn: the order is then another one.
	dir := newRun(t)
	if err := os.CopyFS(dir, os.DirFS(s.start)); err != nil {
		t.Fatal(err)
	}
	honest := table
	table = filepath.Join(t.TempDir(), "part.csv")
	if err := os.WriteFile(table, []byte(strings.Join(strings.Split(text, "\n")[:4], "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := rank(dir); err != nil {
		t.Fatal(err)
	}
	table = honest
	tally.Twin("scored in another order", check(dir) != nil)
	tally.Report(t)
}
