// Package report is what a run tells people: pages with charts, tables and trees, and
// the same in words on a terminal.
//
// A [Page] is one HTML file with inline SVG, made of [Section]s: [Chart], [Bars], [Scatter], [Heat], [Table], [Pictures]
// and [Tree] each draw themselves, also alone, by their method HTML. [Run] makes the page of a whole run, [Compare] that of
// several. [Search] makes the page of a search out of the records of its folder, [SearchText] the text; [Seeds] and
// [RetrainText] are those of a retraining.
//
// Contract: everything here is a function of its arguments; nothing is read, and
// nothing is written but to the writer that was given.
package report
