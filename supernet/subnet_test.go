package supernet

import (
	"testing"

	"oneshot/internal/rng"
)

// TestSubnetHasItsScore: a subnetwork that is taken out of the supernet has the score of its path, to the last bit, also
// when its tensors are loaded into another network. With the supernet's own statistics it has not.
func TestSubnetHasItsScore(t *testing.T) {
	d := smallData(t)
	for _, ops := range []string{"lanas", "darts"} {
		cfg := smallNet(t, ops)
		n, err := New(cfg, 1, newRuntime(t, 2))
		if err != nil {
			t.Fatal(err)
		}
		sc := ScoreConfig{RecalImages: 70, RecalBatch: 16, Batch: 30}
		s, err := NewScorer(n, d.Train, d.Search, sc)
		if err != nil {
			t.Fatal(err)
		}
		measured := func(n *Net) Result {
			t.Helper()
			e, err := NewEvaluator(n)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			r, err := e.Evaluate(t.Context(), n.arch, d.Search.Batches(sc.Batch), nil)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		for seed := range uint64(3) {
			arch := cfg.Space.Sample(rng.New(seed, "test"))
			want, err := s.Score(t.Context(), arch)
			if err != nil {
				t.Fatal(err)
			}
			sub, got, err := s.Subnet(t.Context(), arch)
			if err != nil || got != want {
				t.Fatalf("%s %d: %+v, %v; the score is %+v", ops, seed, got, err, want)
			}
			if got := measured(sub); got != want {
				t.Errorf("%s %d: by itself it has %+v, the score is %+v", ops, seed, got, want)
			}
			again, err := NewArch(cfg, arch, 7, newRuntime(t, 1))
			if err == nil {
				err = again.SetTensors(sub.Tensors())
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := measured(again); got != want {
				t.Errorf("%s %d: loaded again it has %+v, the score is %+v", ops, seed, got, want)
			}
			if sub.tracked[0] != 4 {
				t.Errorf("%d batches tracked, want the 4 whole ones", sub.tracked[0])
			}
			sub.take(n, n.state)
			if got := measured(sub); got == want {
				t.Errorf("%s %d: the statistics make no difference: the test is blind", ops, seed)
			}
		}
	}
}
