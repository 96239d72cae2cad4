package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
)

// everyThird fails about a third of the architectures, and of the others about a third the
// second time.
func everyThird(text string, again bool) string {
	if pick := func(s string) bool { h := fnv.New32a(); io.WriteString(h, s); return h.Sum32()%3 == 0 }; pick(text) || again && pick(text+" again") {
		return "loss NaN"
	}
	return ""
}

// linesAreJSON wants every file of a search to be JSON, line by line or as a whole.
func linesAreJSON(t *testing.T, dir string) {
	t.Helper()
	checked := 0
	for name, b := range searchFiles(t, dir) {
		switch filepath.Ext(name) {
		case ".json":
			if !json.Valid([]byte(b)) {
				t.Errorf("%s is no JSON", name)
			}
			checked++
		case ".jsonl":
			for line := range strings.Lines(b) {
				if !json.Valid([]byte(line)) {
					t.Errorf("%s: %q is no JSON", name, line)
				}
				checked++
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d texts checked", checked)
	}
}

// An architecture whose numbers are none has the worst score and a reason, counts in the
// summary, wins nothing, and the search goes on; cut anywhere and continued it writes the
// same, and asks for none of these scores again.
func TestFailedScoreIsTheWorst(t *testing.T) {
	settings := func(c *config.Config) { c.Search.Baselines, c.Search.Top = "random,evolution", 12 }
	whole := newRun(t)
	st := newTestStage(t, whole, settings)
	injected := 0
	st.fails = func(text string, again bool) string {
		why := everyThird(text, again)
		if why != "" {
			injected++
		}
		return why
	}
	sum := st.searched(t)
	linesAreJSON(t, whole)
	lines := samplesOf(t, whole, "samples.jsonl")
	failed := 0
	for _, l := range lines {
		want := everyThird(l.Arch, false)
		if l.Failed != want || want != "" && (l.Score != 0 || l.Loss != rundir.NoLoss || l.Images != 20) || want == "" && l.Score == 0 {
			t.Errorf("%+v, want failed %q", l, want)
		}
		if want != "" {
			failed++
		}
	}
	if len(lines) != 40 || failed < 5 || injected < failed+2 {
		t.Fatalf("%d samples, %d failed, %d injected", len(lines), failed, injected)
	}
	if sum.Failed != failed || lines[sum.Top[0].Sample].Failed != "" || *sum.RecheckScore == 0 {
		t.Errorf("%d of %d counted; the winner is %+v", sum.Failed, failed, sum.Top[0])
	}
	again := 0
	for i, e := range sum.Top {
		why := everyThird(e.Arch, true)
		if e.Failed != why || why != "" && *e.RecheckScore != 0 || lines[e.Sample].Failed != "" {
			t.Errorf("entry %d is %+v, want %q", i, e, why)
		}
		if why != "" {
			again++
		} else if again > 0 {
			t.Errorf("entry %d has a second score and comes behind one that has none", i)
		}
	}
	if again == 0 || again == len(sum.Top) || sum.FailedRechecks != again {
		t.Errorf("%d of %d second scores failed, %d counted", again, len(sum.Top), sum.FailedRechecks)
	}
	for _, p := range sum.Pareto {
		if lines[p.Sample].Failed != "" {
			t.Errorf("%+v is on the front", p)
		}
	}
	for _, b := range sum.Baselines {
		if n := failures(samplesOf(t, whole, "baseline-"+b.Algo+".jsonl")); b.Failed != n || n == 0 || b.BestScore == 0 {
			t.Errorf("%+v, want %d failed", b, n)
		}
	}
	if n := strings.Count(st.said.String(), "has no score: loss NaN"); n != 1 {
		t.Errorf("warned %d times: %s", n, st.said)
	}
	var text bytes.Buffer
	report.SearchText(&text, sum)
	page, err := os.ReadFile(filepath.Join(whole, "search", "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	counted := fmt.Sprintf("%d of 40 subnetworks have no score", failed)
	if !strings.Contains(text.String(), "\nfailed   "+counted) || !bytes.Contains(page, []byte(counted)) {
		t.Errorf("%q is not said: %s", counted, &text)
	}
	want, total := searchFiles(t, whole), st.calls+st.recalls
	for n := 1; n < total; n += 7 {
		dir := newRun(t)
		st := newTestStage(t, dir, settings)
		st.fails, st.before = everyThird, cutAfter(n)
		if _, err := st.Run(t.Context()); !errors.Is(err, errPower) {
			t.Fatalf("cut after %d scores: %v", n, err)
		}
		st = newTestStage(t, dir, settings)
		st.fails = everyThird
		st.searched(t)
		if got := st.calls + st.recalls; got != total-n {
			t.Errorf("cut after %d of %d scores: %d more", n, total, got)
		}
		sameFiles(t, "failed", searchFiles(t, dir), want)
	}
}

// A search of which nothing has a score has no winner: it ends with the code of a divergence
// and says so again when it is resumed, without a score more.
func TestNothingScored(t *testing.T) {
	for _, c := range []struct {
		what  string
		fails func(text string, again bool) string
		want  string
	}{
		{"first", func(string, bool) string { return "loss +Inf" }, "search: none of 40 subnetworks has a score: the supernet has diverged; the first is lanas2:"},
		{"second", func(_ string, again bool) string {
			if again {
				return "loss +Inf"
			}
			return ""
		}, "recheck: none of the 4 best subnetworks has a second score: the supernet has diverged; the first is lanas2:"},
	} {
		dir := newRun(t)
		for run := range 2 {
			st := newTestStage(t, dir, nil)
			st.fails = c.fails
			_, err := st.Run(t.Context())
			if err == nil || fault.Classify(err).Code != fault.ExitDiverged || !strings.Contains(err.Error(), c.want) || !strings.HasSuffix(err.Error(), ": loss +Inf") {
				t.Errorf("%s scores, run %d: %v, want %q", c.what, run, err, c.want)
			}
			if n := st.calls + st.recalls; run == 0 && n < 40 || run == 1 && n > 0 {
				t.Errorf("%s scores, run %d: %d scores", c.what, run, n)
			}
		}
		linesAreJSON(t, dir)
		if _, err := os.Stat(filepath.Join(dir, "search", "best.json")); err == nil {
			t.Errorf("%s scores: a winner of none", c.what)
		}
	}
}

// A line with a score that failed, and one that did not, are told apart.
func TestFailedLinesAreStrict(t *testing.T) {
	dir := newRun(t)
	st := newTestStage(t, dir, nil)
	st.fails = everyThird
	st.searched(t)
	b, err := os.ReadFile(filepath.Join(dir, "search", "samples.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		if _, _, err := st.parseSample([]byte(line), i); err != nil {
			t.Fatal(err)
		}
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if l["failed"] != nil {
			l["score"] = 0.5
		} else {
			l["failed"] = "loss NaN"
		}
		edited, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := st.parseSample(edited, i); err == nil || !strings.Contains(err.Error(), "do not go with failed") {
			t.Errorf("%s: %v", edited, err)
		}
		refused++
	}
	if refused != 40 {
		t.Errorf("%d refused", refused)
	}
}

// Whatever its loss is, a failed sample comes last; however cheap it is, it is not on the front.
func TestFailedRanksLast(t *testing.T) {
	front := paretoFront([]rundir.Sample{{Index: 0, Failed: "loss NaN", MAdds: 1}, {Index: 1, Score: 0.2, MAdds: 2}, {Index: 2, Score: 0.4, MAdds: 3}})
	if len(front) != 2 || front[0].Sample != 1 || front[1].Sample != 2 {
		t.Errorf("front %+v", front)
	}
	lines := []rundir.Sample{{Failed: "loss NaN"}, {Loss: 9}, {Score: 0.5, Loss: 9}, {Failed: "loss NaN", Loss: rundir.NoLoss}, {Score: 0, Loss: 3}}
	if got, want := fmt.Sprint(ranking(lines)), "[2 4 1 0 3]"; got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
