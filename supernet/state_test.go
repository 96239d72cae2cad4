package supernet

import (
	"encoding/json"
	"testing"

	"oneshot/weights"
)

// A training goes on only from a state that is its own.
func FuzzState(f *testing.F) {
	c := DefaultTrain()
	c.Seed, c.Steps = 42, 100
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := c.state(weights.Checkpoint{State: b})
		if err != nil {
			return
		}
		if s.Seed != c.Seed || s.Step < 0 || s.Step > c.Steps || s.Optimizer != c.stored() {
			t.Fatalf("%s: %+v", b, s)
		}
		again, err := json.Marshal(s)
		if err == nil {
			err = c.Continues(weights.Checkpoint{State: again})
		}
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
	})
}
