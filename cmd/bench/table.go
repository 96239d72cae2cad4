package main

import (
	"fmt"
	"io"
	"strings"
)

// side is a program in the table.
type side struct {
	name    string // a commit, or what else it was built from
	figures []figure
}

// printTable writes a line for each figure: what the record says, base and this by
// their medians, their ratio and what it means.
func printTable(w io.Writer, r *record, b bench, m machine, base, this side) {
	fmt.Fprintf(w, "machine  %s, %s, %d threads\n", m.CPU, m.ISA, m.Threads)
	fmt.Fprintf(w, "base     %s\nthis     %s\n", base.name, this.name)
	fmt.Fprintf(w, "rounds   %d, in turn; ratios of neighbours, above 1 is better\n", b.rounds)
	if r != nil {
		where := "this machine"
		if r.Machine != m {
			where = fmt.Sprintf("another machine, for information only: %s, %s, %d threads", r.Machine.CPU, r.Machine.ISA, r.Machine.Threads)
		}
		fmt.Fprintf(w, "recorded %.12s on %s; %s\n", r.Commit, r.Date, where)
	}
	fmt.Fprintf(w, "\n%-15s %-8s %9s %9s %9s %6s %12s  %s\n", "figure", "unit", "recorded", "base now", "this now", "ratio", "in rounds", "this is")
	for i, f := range base.figures {
		recorded := "-"
		if r != nil {
			if v, ok := r.of(f, b.jobs); ok {
				recorded = fmt.Sprintf("%.1f", v.Median)
			}
		}
		c := changed(f, this.figures[i])
		fmt.Fprintf(w, "%-15s %-8s %9s %9.1f %9.1f %6.3f %12s  %s\n", f.name, f.unit, recorded, median(f.values), median(this.figures[i].values),
			c.ratio, fmt.Sprintf("%.3f..%.3f", c.low, c.high), c.words(f))
	}
	if line := drift(r, b, m, base); line != "" {
		fmt.Fprintf(w, "\n%s\n", line)
	}
}

// drift says how the recorded program's speed differs from its record, on the machine
// of the record: what the hour alone changes.
func drift(r *record, b bench, m machine, base side) string {
	if r == nil || r.Machine != m || base.name != r.Commit {
		return ""
	}
	var parts []string
	for _, f := range base.figures {
		if v, ok := r.of(f, b.jobs); ok && !f.less {
			parts = append(parts, fmt.Sprintf("%s %.2f", f.name, median(f.values)/v.Median))
		}
	}
	if parts == nil {
		return ""
	}
	return "The same program against its record, which the hour alone explains: " + strings.Join(parts, ", ") + "."
}
