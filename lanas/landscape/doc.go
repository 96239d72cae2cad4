// Package landscape races searches on tables of scores: tables that others
// trained, such as NAS-Bench-Macro, and tables generated from a seed.
//
// Why. A search is compared honestly only where the truth is known for every
// architecture, at equal budget, over many seeds. A table answers in
// microseconds what a supernet answers in seconds.
//
// Contract. The search sees (code, score) pairs and nothing else: package lanas
// does not know this one. Scores in tables and summaries are in percent, as in
// the files; a search is told fractions. Nothing here reads a clock: time is a
// function that the caller passes. Tables do not change once made, so several
// races may share one.
//
//	t, err := landscape.Generate("nk", 1)
//	s, err := lanas.NewSearch("lanas", t.Space(), lanas.Options{Seed: seed, Budget: 300})
//	trace, err := t.Race(ctx, s, landscape.Rules{Budget: 300, Batch: 1}, nil)
//	sum, err := t.Summarise(traces, 300)
package landscape
