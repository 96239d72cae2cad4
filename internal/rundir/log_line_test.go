package rundir

import "testing"

// TestLogLine: what all who read the log take of a line, and what is no line.
func TestLogLine(t *testing.T) {
	l, ok := ParseLogLine([]byte(`{"time":"2026-01-02T03:04:05Z","level":"INFO","msg":"stage","stage":"train","done":3,"total":4,"seconds":5,"images_per_s":6,"note":"n","more":[1]}`))
	if !ok || l.Time.Year() != 2026 || l.Stage != "train" || l.Done != 3 || l.Total != 4 || l.Seconds != 5 || l.ImagesPerS != 6 || l.Note != "n" || l.Exit != nil {
		t.Errorf("%+v, %v", l, ok)
	}
	if l, ok := ParseLogLine([]byte(`{"msg":"ended","exit":0}`)); !ok || l.Exit == nil || *l.Exit != 0 {
		t.Errorf("the end of a process is %+v, %v", l, ok)
	}
	for _, bad := range []string{"", "{", "null", "[]", `{"exit":75}`, `{"msg":"stage","done":"three"}`, `{"msg":"x"} {"msg":"y"}`} {
		if l, ok := ParseLogLine([]byte(bad)); ok {
			t.Errorf("%q is read as %+v", bad, l)
		}
	}
}
