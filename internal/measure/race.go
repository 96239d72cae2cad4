package measure

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/internal/ui"
	"oneshot/lanas"
	"oneshot/lanas/landscape"
)

// Races are searches of tables of known scores: every algorithm on every table, from
// every seed.
type Races struct {
	Tables                  []string // files, or gen:FAMILY[:SEED]
	Algos                   []string // names, all or ablations
	Budget, Seeds, Batch    int      // samples of a search; searches; architectures asked for at a time
	FirstSeed               uint64
	LimitParams, LimitFlops float64 // most of an architecture, where the table knows; 0 for any
	HTML, WriteTable        string  // files to write: the page; a table, and run nothing
	Threads                 int
}

// check wants sane numbers and expands the names of algorithms.
func (f *Races) check() error {
	for _, n := range []struct {
		flag    string
		got, hi int
	}{{"budget", f.Budget, 1e6}, {"seeds", f.Seeds, 10000}, {"batch", f.Batch, 1e6}} {
		if n.got < 1 || n.got > n.hi {
			return fault.Usage("", "--%s %d: want 1..%d", n.flag, n.got, n.hi)
		}
	}
	if !(f.LimitParams >= 0 && f.LimitFlops >= 0) {
		return fault.Usage("", "--limit-params %g and --limit-flops %g: want 0 or more", f.LimitParams, f.LimitFlops)
	}
	if len(f.Tables) == 0 {
		return fault.Usage("--table FILE, or one of "+genPrefix+strings.Join(landscape.Families(), ", "+genPrefix), "bench search wants a --table")
	}
	if f.WriteTable != "" && len(f.Tables) > 1 {
		return fault.Usage("", "--write-table writes one table, but there are %d", len(f.Tables))
	}
	known := append(lanas.Algorithms(), lanas.Ablations()...)
	var algos []string
	for _, name := range f.Algos {
		switch name = strings.TrimSpace(name); {
		case name == "all":
			algos = append(algos, lanas.Algorithms()...)
		case name == "ablations":
			algos = append(algos, lanas.Ablations()...)
		case slices.Contains(known, name):
			algos = append(algos, name)
		default:
			return fault.Usage("want "+strings.Join(known, ", ")+", all or ablations", "--algo: unknown algorithm %q%s",
				name, fault.DidYouMean(name, append(known, "all", "ablations")))
		}
	}
	f.Algos = nil
	for _, name := range algos {
		if !slices.Contains(f.Algos, name) {
			f.Algos = append(f.Algos, name)
		}
	}
	if len(f.Algos) == 0 {
		return fault.Usage("", "--algo names no algorithm")
	}
	return nil
}

// Run runs the races, prints each algorithm's figures as soon as all its
// seeds are done, and writes the page.
func (f Races) Run(ctx context.Context, u *ui.UI, asJSON bool) error {
	if err := f.check(); err != nil {
		return err
	}
	tables, err := f.open()
	if err != nil {
		return err
	}
	if f.WriteTable != "" {
		return atomicfile.Write(f.WriteTable, 0o644, func(w io.Writer) error { return tables[0].Write(w) })
	}
	if f.HTML != "" { // better now than after the races
		if _, err := os.Stat(filepath.Dir(f.HTML)); err != nil {
			return fault.Usage("", "--html: %v", err)
		}
	}
	results, err := f.races(ctx, u, asJSON, tables)
	if err != nil {
		return fault.WithCode(err, fault.ExitInvalid, "")
	}
	if f.HTML == "" {
		return nil
	}
	b, err := racePage(f, tables, results).Render()
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(f.HTML, b, 0o644)
}
