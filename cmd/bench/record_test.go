package main

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func someRecord() record {
	day := time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC)
	return newRecord(strings.Repeat("0a", 20), "go1.26.8", day, testBench(3), machine{"a processor", "avx2", 2}, []figure{
		{name: "step", unit: "images/s", values: []float64{30, 10.004, 20}},
		{name: "program", unit: "MB", less: true, exact: true, values: []float64{12.5}},
	})
}

func text(t *testing.T, r record) string {
	t.Helper()
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRecordReadsBack(t *testing.T) {
	r := someRecord()
	if want := (recordedValue{"step", "images/s", 20, 10, 30}); r.Figures[0] != want {
		t.Errorf("recorded %+v, want %+v", r.Figures[0], want)
	}
	got, err := readRecord([]byte(text(t, r)))
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("%v: read %+v, wrote %+v", err, got, r)
	}
}

func TestRecordRefuses(t *testing.T) {
	good := text(t, someRecord())
	for _, c := range []struct{ old, new, want string }{
		{`"version": 1`, `"version": 2`, "version is 2"},
		{`"commit": "0a`, `"commit": "HE`, "commit is HE"},
		{`"threads": 2`, `"threads": 0`, "machine.threads is 0"},
		{`"rounds": 3`, `"rounds": 0`, "rounds is 0"},
		{`2026-11-29`, `yesterday`, "date is yesterday"},
		{`"low": 10`, `"low": 21`, "figure step is"},
		{`"median": 20`, `"median": "20"`, "cannot unmarshal"},
		{`"rounds"`, `"laps"`, `unknown field "laps"`},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("no %s in\n%s", c.old, good)
		}
		if _, err := readRecord([]byte(strings.Replace(good, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: %v, want %q", c.new, c.old, err, c.want)
		}
	}
	r := someRecord()
	r.Figures = nil
	if _, err := readRecord([]byte(text(t, r))); err == nil {
		t.Error("a record without figures is read")
	}
}

// A record's figures stand beside those of now where the same was measured, and are
// compared with nothing; only the same commit on the same machine shows the drift.
func TestRecordInTheTable(t *testing.T) {
	r := someRecord()
	b := testBench(3)
	now := []figure{{name: "step", unit: "images/s", values: []float64{40, 40, 40}}}
	print := func(r record, b bench, base string) string {
		var out strings.Builder
		printTable(&out, &r, b, machine{"a processor", "avx2", 2}, side{base, now}, side{"this", now})
		return out.String()
	}
	const drifted = "which the hour alone explains: step 2.00."
	got := print(r, b, r.Commit)
	for _, want := range []string{"recorded 0a0a0a0a0a0a on 2026-11-29; this machine", " 20.0      40.0      40.0  1.000 ", drifted} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got := print(r, b, strings.Repeat("1", 40)); strings.Contains(got, drifted) {
		t.Errorf("drift of another commit:\n%s", got)
	}
	other := r
	other.Machine.CPU = "another processor"
	if got := print(other, b, r.Commit); strings.Contains(got, drifted) || !strings.Contains(got, "another machine, for information only: another processor, avx2, 2 threads") ||
		!strings.Contains(got, " 20.0      40.0 ") {
		t.Errorf("a record of another machine:\n%s", got)
	}
	b.jobs = []job{{"step", "--archs 8"}, {"eval", ""}}
	if got := print(r, b, r.Commit); strings.Contains(got, "20.0") {
		t.Errorf("a record of other measurements is shown:\n%s", got)
	}
}
