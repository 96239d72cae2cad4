package supernet

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/supernet/engine"
	"oneshot/supernet/space"
)

// ownBlocks is a small space of one's own, with two values that are alive where paths part.
const ownBlocks = `
name: small
stem: {channels: 4, kernel: 3, stride: 2}
choices:
  - {op: identity}
  - {op: mbconv, expand: 2, kernel: 3}
  - {op: sep_conv, kernel: 3}
  - {op: max_pool, kernel: 3}
stages:
  - {channels: 4, layers: 2, stride: 1}
  - {channels: 4, layers: 2, stride: 2}
`

// many are architectures of a space that are scored together.
type many struct {
	name  string
	cfg   NetConfig
	archs []space.Arch
	pays  bool   // it is faster to compute together what they begin with
	spoil string // layers that some of them have
}

// manies has some for each kind of space, in no order. Sharing pays for blocks, where paths part in the last
// ones, and not for cells, which part in the first of them.
func manies(t *testing.T) []many {
	t.Helper()
	open := func(n space.Named, channels int, sample int, texts ...string) (c NetConfig, archs []space.Arch) {
		s, err := n.Open()
		if err != nil {
			t.Fatal(err)
		}
		c = DefaultNet()
		c.Space, c.Geometry, c.Channels = s, s.Geometry(), channels
		for _, text := range texts {
			a, err := s.Parse(s.Name() + ":" + text)
			if err != nil {
				t.Fatal(err)
			}
			archs = append(archs, a)
		}
		r := rng.New(1, "test")
		for range sample {
			archs = append(archs, s.Sample(r))
		}
		return c, archs
	}
	own := space.OfKind(space.Own)
	own.Blocks = ownBlocks
	var out []many
	c, archs := open(own, 4, 6, "3211", "3210", "1212", "3211", "0011", "3231", "0000")
	out = append(out, many{"own", c, archs, true, "layers.3.mbconv_e2_k3"})
	c, archs = open(space.OfKind("nasbench-macro"), 2, 0, "22212220", "22212221", "22212201", "22212210", "11212210", "22212202", "22012210")
	out = append(out, many{"macro", c, archs, true, "layers.6.mbconv_e3_k3"})
	c, archs = open(space.OfKind("nasbench-201"), 2, 4)
	c.Layers = 6
	out = append(out, many{"nb201", c, archs, false, ""})
	c = smallNet(t, "lanas")
	r := rng.New(2, "test")
	out = append(out, many{"cell", c, []space.Arch{c.Space.Sample(r), c.Space.Sample(r), c.Space.Sample(r)}, false, ""})
	return out
}

// told is what is said of an architecture.
func told(r Result, none *NoNumberError) string {
	if none != nil {
		return none.Error() + fmt.Sprint(none.Images)
	}
	return fmt.Sprintf("%x %x %d", r.Top1, r.Loss, r.Images)
}

// all scores them together. ends are how many are told when no other is known.
func (m many) all(ctx context.Context, s *Scorer) (got []string, order []int, ends int, err error) {
	got = make([]string, len(m.archs))
	err = s.ScoreAll(ctx, m.archs, func(i int, r Scored) error {
		got[i] = told(r.Result, r.None)
		if order = append(order, i); !r.More {
			ends++
		}
		return nil
	})
	return got, order, ends, err
}

// each scores them one by one.
func (m many) each(t *testing.T, s *Scorer) (want []string, failed int) {
	t.Helper()
	for _, a := range m.archs {
		r, err := s.Score(t.Context(), a)
		var none *NoNumberError
		if err != nil && !errors.As(err, &none) {
			t.Fatal(err)
		}
		if none != nil {
			failed++
		}
		want = append(want, told(r, none))
	}
	return want, failed
}

// scorer scores them with few images, the last search batch being short. passes counts how often the search images are looked at.
func (m many) scorer(t *testing.T, rt *Runtime, statistics string) (s *Scorer, passes *int) {
	t.Helper()
	n, err := New(m.cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	if m.spoil != "" {
		for _, p := range n.layout.Params {
			if len(p.File) == 4 && len(p.Name) > len(m.spoil) && p.Name[:len(m.spoil)] == m.spoil {
				scale(t, n, p.Name, 1e30)
			}
		}
	}
	d := smallData(t)
	s, err = NewScorer(n, d.Train, d.Search.Part(17), ScoreConfig{RecalImages: 16, RecalBatch: 8, Batch: 11, Statistics: statistics})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	passes = new(int)
	honest := s.search.Batches
	s.search.Batches = func() iter.Seq[*data.Batch] { *passes++; return honest() }
	return s, passes
}

// TestScoreAllIsScore: together each architecture has the score that it has alone, bit for bit, at any number of threads,
// also where some have none; where it pays, images are looked at once for all.
func TestScoreAllIsScore(t *testing.T) {
	for _, m := range manies(t) {
		for _, statistics := range []string{"recalibrated", ofBatch} {
			name := m.name + " " + statistics
			s, _ := m.scorer(t, newRuntime(t, 1), statistics)
			want, failed := m.each(t, s)
			if m.spoil != "" && (failed == 0 || failed == len(want)) {
				t.Fatalf("%s: %d of %d fail: the test is blind", name, failed, len(want))
			}
			for _, threads := range []int{1, 2, 4} {
				s, passes := m.scorer(t, newRuntime(t, threads), statistics)
				got, order, ends, err := m.all(t.Context(), s)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%s, %d threads: %v\n%q, want\n%q", name, threads, err, got, want)
				}
				if m.pays != (*passes == 1) || ends != *passes {
					t.Errorf("%s: %d passes for %d architectures, told in %d parts", name, *passes, len(m.archs), ends)
				}
				sorted := func(a, b int) int {
					return slices.Compare(m.cfg.Space.Canonical(m.archs[a]), m.cfg.Space.Canonical(m.archs[b]))
				}
				if !slices.IsSortedFunc(order, sorted) {
					t.Errorf("%s: in the order %v", name, order)
				}
				if threads == 2 { // what is alone after that is as before
					if again, _ := m.each(t, s); !slices.Equal(again, want) {
						t.Errorf("%s: afterwards\n%q, want\n%q", name, again, want)
					}
				}
			}
		}
	}
}

// TestScoreAllTwin: what goes on with the values of another path where it should part is seen by the comparison above.
func TestScoreAllTwin(t *testing.T) {
	m := manies(t)[0]
	m.spoil, m.archs = "", []space.Arch{{1, 2, 1, 2}, {1, 3, 1, 2}}
	s, _ := m.scorer(t, newRuntime(t, 1), "recalibrated")
	want, _ := m.each(t, s)
	for _, broken := range []bool{false, true} {
		planted := 0
		paths := []engine.Path{s.net.path(m.archs[0]), s.net.path(m.archs[1])}
		honest := paths[1].Compile
		paths[1].Compile = func(b ops.Backend, spec engine.Spec) (*engine.Graph, error) {
			g, err := honest(b, spec)
			if !broken || err != nil {
				return g, err
			}
			first, err := paths[0].Compile(b, spec)
			if err != nil {
				return nil, err
			}
			at := engine.Common(first, g)
			g.Prog.Instrs = slices.Concat(first.Prog.Instrs[:at+1], g.Prog.Instrs[at+1:])
			planted++
			return g, nil
		}
		var got []string
		err := s.eval.Scores(t.Context(), paths, s.recal, s.search, func(k int, tally engine.Tally, _ bool) error {
			r, err := s.judge(m.archs[k], tally)
			got = append(got, told(r, nil))
			return err
		})
		if err != nil || slices.Equal(got, want) == broken || (planted > 0) != broken {
			t.Errorf("broken %v, planted %d: %q, want %q; %v", broken, planted, got, want, err)
		}
	}
}

// TestScoreAllStops: it is stopped within a group and scores afterwards as before; it ends at an error of the caller.
func TestScoreAllStops(t *testing.T) {
	for _, statistics := range []string{"recalibrated", ofBatch} {
		m := manies(t)[1]
		s, _ := m.scorer(t, newRuntime(t, 2), statistics)
		want, _ := m.each(t, s)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		honest, read := s.search.Batches, 0
		s.search.Batches = func() iter.Seq[*data.Batch] {
			return func(yield func(*data.Batch) bool) {
				for b := range honest() {
					if read++; read == 2 {
						stop()
					}
					if !yield(b) {
						return
					}
				}
			}
		}
		if _, order, _, err := m.all(ctx, s); !errors.Is(err, context.Canceled) || len(order) != 0 || read != 2 {
			t.Errorf("%s: stopped after %d scores and %d batches: %v", statistics, len(order), read, err)
		}
		if got, _, _, err := m.all(t.Context(), s); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: afterwards %q, want %q; %v", statistics, got, want, err)
		}
		ctx, halt := context.WithCancel(t.Context())
		defer halt()
		var paths []engine.Path
		batches := 0
		for _, a := range m.archs {
			p := s.net.path(m.cfg.Space.Canonical(a))
			honest := p.Compile
			p.Compile = func(b ops.Backend, spec engine.Spec) (*engine.Graph, error) {
				if spec.Batch > 4 { // a whole batch: it is under way
					halt()
				}
				return honest(b, spec)
			}
			paths = append(paths, p)
		}
		counted := func(images *engine.Images) *engine.Images {
			if images == nil {
				return nil
			}
			return &engine.Images{Batch: images.Batch, Batches: func() iter.Seq[*data.Batch] {
				return func(yield func(*data.Batch) bool) {
					for b := range images.Batches() {
						if batches++; !yield(b) {
							return
						}
					}
				}
			}}
		}
		first := map[string]int{"recalibrated": 1, ofBatch: 2}[statistics] // are read when the first is computed
		if err := s.eval.Scores(ctx, paths, counted(s.statistics()), counted(s.search), nil); !errors.Is(err, context.Canceled) || batches != first {
			t.Errorf("%s: stopped after %d batches, want %d: %v", statistics, batches, first, err)
		}
		broken, n := errors.New("broken"), 0
		if err := s.ScoreAll(t.Context(), m.archs, func(int, Scored) error { n++; return broken }); !errors.Is(err, broken) || n != 1 {
			t.Errorf("%s: %d scores, %v", statistics, n, err)
		}
		if err := s.ScoreAll(t.Context(), []space.Arch{m.archs[0], {1}}, func(int, Scored) error { return nil }); err == nil {
			t.Error("an architecture of no block")
		}
	}
}

// TestGroupsEnd: with many images each group is small, and its scores are told when it ends.
func TestGroupsEnd(t *testing.T) {
	m := manies(t)[1]
	s, passes := m.scorer(t, newRuntime(t, 2), "recalibrated")
	want, _ := m.each(t, s)
	*passes = 0
	s.search.Len = 1 << 40
	got, _, _, err := m.all(t.Context(), s)
	if err != nil || !slices.Equal(got, want) || *passes != len(m.archs) {
		t.Errorf("%d groups of %d architectures: %q, want %q; %v", *passes, len(m.archs), got, want, err)
	}
}
