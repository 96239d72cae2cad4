package report

import (
	"encoding/json"
	"strings"
	"testing"

	"oneshot/internal/rundir"
)

// Whatever a file of what a test saw holds: as long as it is one, there is a page of it.
func FuzzSeen(f *testing.F) {
	export := strings.Repeat("0", 64)
	for _, s := range []string{
		`{"confusion":[[3,1],[-1,1]]}`, `{"confusion":[[0,0],[0,0]]}`, `{"confusion":[[1],[2]]}`, `{"confusion":[[4611686018427387904,4611686018427387904],[1,1]]}`,
		`{"confused":[{"label":7,"guess":1,"images":3}],"right":[{"side":1,"rgb":"AAAA"}]}`, `{"wrong":[{"guess":1,"side":1,"rgb":"AAA="}]}`, `{"wrong":[{"guess":9,"side":-1}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := rundir.Seen{Export: export}
		if json.Unmarshal(b, &s) != nil || s.Check() != nil {
			return
		}
		p := someRun(3)
		p.Seen = &s
		out, err := Run(p).Render()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), "NaN") {
			t.Fatal("the page has what is no number")
		}
	})
}
