package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/rundir"
)

// requestOf is what a verb asks for of a folder with a run.
func requestOf(verb, dir string) Request {
	q := Request{Folder: dir, Resume: true, Preset: "micro", Redoes: []string{verb}}
	switch verb {
	case "run":
		q.Create, q.Sizes, q.Redoes = true, []string{"train", "retrain", "search"}, []string{"train", "search", "retrain"}
	case "train":
		q.Create, q.Sizes = true, []string{"train"}
	case "search":
		q.Frees = []string{"search", "retrain"}
	case "retrain":
		q.Retrains, q.Frees, q.Sizes = true, []string{"retrain"}, []string{"retrain"}
	}
	return q
}

// TestAheadIsWhatIsDone: what --dry-run says of the stages is what becomes of them.
func TestAheadIsWhatIsDone(t *testing.T) {
	whole := finished(t)
	for _, tc := range []struct {
		verb     string
		sets     []string
		override bool
		lose     string
		want     string
	}{
		{"run", nil, false, "", "nothing: what is asked for is there"},
		{"run", []string{"train.steps=18"}, true, "", "train from step 12 of 18, search anew, retrain " + perhapsAnew + ", export where it is of another network, test where it is of another network"},
		{"train", []string{"train.steps=8"}, true, "", "train anew"},
		{"search", []string{"search.samples=10"}, true, "", "search from sample 8 of 10"},
		{"search", []string{"score.recal_images=24"}, true, "", "search anew"},
		{"search", nil, false, "search/rechecks.jsonl", "search from sample 8 of 8"},
		{"search", nil, false, "supernet/ckpt-00000012/DONE", "train from step 10 of 12"},
		{"retrain", []string{"retrain.steps=18"}, true, "", "retrain from step 12 of 18, export again"},
		{"retrain", nil, false, "", "nothing: what is asked for is there"},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		if tc.lose != "" {
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(tc.lose))); err != nil {
				t.Fatal(err)
			}
		}
		q := requestOf(tc.verb, dir)
		q.Override, q.Config.Sets = tc.override, tc.sets
		before := tree(t, dir)
		v, err := Look(t.Context(), process(), q, false)
		if err != nil {
			t.Errorf("%s %q: %v", tc.verb, tc.sets, err)
			continue
		}
		if got := aheadLine(v.Ahead); got != "ahead    "+tc.want || !slices.Contains(v.Lines, got) {
			t.Errorf("%s %q: %s\nwant     %s", tc.verb, tc.sets, got, tc.want)
		}
		r, err := Open(t.Context(), process(), q)
		if err != nil {
			t.Fatal(err)
		}
		switch tc.verb {
		case "run":
			_, err = r.All(t.Context(), func(rundir.SearchSummary) {})
		case "train":
			_, err = r.Train(t.Context())
		case "search":
			_, _, err = r.Find(t.Context())
		case "retrain":
			_, err = r.RetrainAll(t.Context(), r.Arch)
		}
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		after := tree(t, dir)
		for stage, files := range map[string]string{"train": "supernet/ckpt-", "search": "search/", "retrain": "retrain/ckpt-"} {
			changed := false
			for name, b := range after {
				if strings.HasPrefix(name, files) && before[name] != b {
					changed = true
				}
			}
			said := slices.ContainsFunc(v.Ahead, func(a Ahead) bool { return a.Stage == stage })
			may := slices.Contains(v.Ahead, Ahead{stage, perhapsAnew})
			if changed != said && !may {
				t.Errorf("%s %q: %s is announced (%v), and has changed (%v)", tc.verb, tc.sets, stage, said, changed)
			}
		}
	}
}

// TestSpaceIsWhatIsTaken: what is announced of the disk is about what a run takes of it.
func TestSpaceIsWhatIsTaken(t *testing.T) {
	dir := newRun(t)
	r, err := Open(t.Context(), process(), microRequest(dir))
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.All(t.Context(), func(rundir.SearchSummary) {})
	r.Close()
	if err != nil {
		t.Fatal(err)
	}
	o := opening{Request: microRequest(dir)}
	first, err := o.space(r.Plan, rundir.Folder(filepath.Join(t.TempDir(), "none")), []Ahead{{Stage: "train"}, {Stage: "search"}, {Stage: "retrain"}}, r.Arch)
	if err != nil || len(first) != 3 {
		t.Fatal(first, err)
	}
	have := map[string]int64{
		"train":   folderBytes(filepath.Join(dir, "supernet")) * 3 / 2, // one more is written before the oldest goes
		"retrain": folderBytes(filepath.Join(dir, "retrain"))*3/2 + folderBytes(filepath.Join(dir, "export")),
		"search":  folderBytes(filepath.Join(dir, "search")),
	}
	for _, s := range first {
		if most := 2*have[s.Stage] + summaryBytes; s.Bytes < have[s.Stage]*9/10 || s.Bytes > most || s.Kept != 0 {
			t.Errorf("%s: %d bytes are announced, and %d were taken", s.Stage, s.Bytes, have[s.Stage])
		}
	}
	// What was complete and goes on is copied.
	o.stored, o.redone = true, []string{"train", "retrain"}
	second, err := o.space(r.Plan, rundir.Folder(dir), []Ahead{{"train", "from step 12 of 24"}, {"retrain", "anew"}}, r.Arch)
	if err != nil || second[0].Kept != folderBytes(filepath.Join(dir, "supernet")) || second[0].Bytes < second[0].Kept || second[1].Kept != 0 || second[1].Bytes != first[2].Bytes {
		t.Errorf("%+v, %v", second, err)
	}
	// Where other trainings follow one that is complete, nothing is.
	o.redone, r.Config.Retrain.Seeds = nil, 2
	third, err := o.space(r.Plan, rundir.Folder(dir), []Ahead{{"retrain", "with 1 of 2 seeds done"}}, r.Arch)
	if err != nil || third[0].Kept != 0 || third[0].Bytes <= 0 || third[0].Bytes >= first[2].Bytes*3/2 {
		t.Errorf("another seed: %+v, %v", third, err)
	}
	if got := short(first, rundir.Folder(dir), 1000); !strings.Contains(got, "exit code 6") {
		t.Errorf("with 1000 bytes free: %q", got)
	}
	for _, free := range []int64{0, 1 << 40} {
		if got := short(first, rundir.Folder(dir), free); got != "" {
			t.Errorf("with %d bytes free: %q", free, got)
		}
	}
	if line := spaceLine(second, 5e9); !strings.Contains(line, "for a copy of what is replaced; 5000 MB are free") {
		t.Error(line)
	}
}
