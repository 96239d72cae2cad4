// Package lanas searches a space of architectures for high scores.
//
// What. [Searcher] is LaNAS (Wang et al., arXiv 1906.06832, section 3), in two
// settings. With [Paper] it alternates a learning phase, in which a binary tree of
// linear models splits the space into better and worse regions, and a search
// phase, in which an upper confidence bound (UCB) picks a leaf of the tree and a
// new architecture is drawn from the leaf's region. With [Default] a Gaussian
// process chooses among candidates by expected improvement; where it expects none
// the tree says which bad-looking region deserves another chance, and the last
// third of the budget goes to the best expected scores. [NewSearch] knows both by
// name, and the baselines that every search should be compared with.
//
// Why. Scoring an architecture takes seconds, so a search must make the most
// of a few hundred scores, and must never lose one. The package is therefore a
// pure state machine: it does no I/O, keeps no clock and scores nothing. The
// caller asks for an architecture, scores it as it likes, and tells the score.
//
// Contract. What Ask returns is a function of the configuration (with its
// seed), the samples told so far in order, and the codes asked for but not yet
// told. A search is resumed by replaying its samples; nothing else is state.
// No code is proposed twice. Every loop is bounded. Values are not safe for
// concurrent use.
//
// Architectures are codes of zeros and ones, such as space.Space.Encode gives;
// higher scores are better, in any unit that [Paper] does not mind.
//
//	s, err := lanas.NewSearch("lanas", space, lanas.Options{Budget: budget})
//	err = s.Replay(earlier)
//	for range budget {
//		code, err := s.Ask()
//		...
//		err = s.Tell(code, score(code))
//	}
//	best, ok := s.Best()
//
// Differences from the paper are noted where they are made: ridge regression in
// closed form for gradient descent ([Searcher]), leaves where samples are few,
// and a sampler that falls back to a wider region ([Proposal]).
package lanas
