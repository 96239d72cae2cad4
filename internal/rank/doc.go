// Package rank says how well scores order networks whose truth is known: Kendall's tau-b and Spearman's rho with
// intervals, for all networks and for the better half of them, beside what counting parameters and multiply-adds
// alone would give, and what the noise of the truths lets anybody reach.
//
// Why. A score with inherited weights is worth something as far as it orders networks as their own trainings do. A
// large network is mostly a good one, so an order by size looks like knowledge too: what a score is worth is what it
// says beyond that.
//
// Contract. Everything is a function of its arguments; nothing is read or written, and what is drawn follows a seed. The
// order in which networks are given changes no figure. What has no value, such as the tau of scores that are all equal,
// is nil. Package truths reads the tables of truths.
//
//	s := rank.Measure(networks, seed)
//	fmt.Println(*s.Tau, *s.TauMAdds, s.TauCI)
package rank
