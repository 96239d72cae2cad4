// Package search is the stage of a run that searches the supernet: it asks an algorithm
// of lanas for architectures, has them scored, and tells it the scores.
//
// What a search knows are lines of files in the folder search of the run: samples.jsonl,
// rechecks.jsonl and baseline-*.jsonl. A line is on disk before the algorithm is told of
// it, so a search that was killed goes on as if nothing had happened: its samples are
// told again, and the algorithm proposes what it would have proposed. times.jsonl decides
// only whether the time of search.time is up. best.json, tree.json and report.html decide
// nothing.
//
// Contract: who scores, what is drawn from, and where the clock is are the caller's
// ([New]); a context that ends with the cause fault.ErrStopped ends the search between
// two samples.
package search
