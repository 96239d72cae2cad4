package supernet

import (
	"context"
	"errors"
	"slices"

	"oneshot/supernet/engine"
	"oneshot/supernet/space"
)

// Scored is what ScoreAll says of an architecture.
type Scored struct {
	Result
	None *NoNumberError // why it has no score, where its numbers are none
	More bool           // another score is known too, and told next
}

// ScoreAll measures architectures as Score does each of them, bit for bit, and tells each with its place among archs
// when its score is known. It takes less time than as many calls where many of them begin alike, as what they have in
// common is computed once. The order in which they are told is a function of the architectures alone: what is left of
// a list after a stop is told in the same order. It ends at the first error, also one of each.
func (s *Scorer) ScoreAll(ctx context.Context, archs []space.Arch, each func(i int, s Scored) error) error {
	type numbered struct {
		arch space.Arch // the canonical one
		i    int
	}
	var all []numbered
	for i, a := range archs {
		a, err := s.net.pick(a)
		if err != nil {
			return err
		}
		all = append(all, numbered{a, i})
	}
	// Architectures that make the same first choices begin with the same layers.
	slices.SortStableFunc(all, func(a, b numbered) int { return slices.Compare(a.arch, b.arch) })
	var paths []engine.Path
	for _, n := range all {
		paths = append(paths, s.net.path(n.arch))
	}
	return s.eval.Scores(ctx, paths, s.statistics(), s.search, func(k int, t engine.Tally, more bool) error {
		r, err := s.judge(all[k].arch, t)
		out := Scored{Result: r, More: more}
		if err != nil && !errors.As(err, &out.None) {
			return err
		}
		return each(all[k].i, out)
	})
}
