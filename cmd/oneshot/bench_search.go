package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/lanas"
	"oneshot/lanas/landscape"
)

// searchBench is what `bench search` is asked to do.
type searchBench struct {
	tables, algos           []string
	budget, seeds, batch    int
	limitParams, limitFlops float64
	html, writeTable        string
	firstSeed               uint64
	threads                 int
}

// genPrefix marks a --table that is generated, not read.
const genPrefix = "gen:"

func (a *app) benchSearchCmd() *cobra.Command {
	f := searchBench{firstSeed: 1}
	cmd := &cobra.Command{
		Use: "search", Short: "Race search algorithms on tables of known scores", Args: noArgs,
		Long: `search runs every algorithm of --algo on every --table, --seeds times each, and tells how
good its samples are. Nothing is trained: a table knows the score of every architecture.

A table is a file, either NAS-Bench-Macro's JSON or
  {"name": "mine", "choices": [5,5,3], "scores": {"0.1.2": 94.37, ...}}
with scores in percent by the candidates of each choice block, or generated, as in gen:nk
or gen:nk:7, where 7 is its seed (default 1):
` + familyHelp() + `
Figures are medians over the seeds 1, 2, ... (--seed S: S, S+1, ...). best@N is the score of
the best of N samples, "last 100" the mean of the last 100 samples, "to top 0.1 %" the number
of samples until one is among the best thousandth of the table. Where scores are noisy the
algorithms see the noise, and the figures are the true scores of what they found: best@N is
that of the sample that looked best.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.opt.resolve("")
			if err != nil {
				return err
			}
			f.threads = threads(c.Run)
			if cmd.Flags().Changed("seed") {
				f.firstSeed = c.Seed
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second signal ends the process
			if err := a.benchSearch(ctx, f); ctx.Err() == nil {
				return err
			}
			return fault.ErrStopped
		},
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&f.tables, "table", nil, "table `FILE` or gen:FAMILY[:SEED] (repeatable)")
	fs.StringSliceVar(&f.algos, "algo", []string{"all"}, "algorithms, joined by commas: "+strings.Join(lanas.Algorithms(), ", ")+"; all of these, or ablations")
	fs.IntVar(&f.budget, "budget", 300, "samples of a search")
	fs.IntVar(&f.seeds, "seeds", 20, "searches of each algorithm")
	fs.IntVar(&f.batch, "batch", 1, "architectures asked for before their scores are told")
	fs.Float64Var(&f.limitParams, "limit-params", 0, "most weights of an architecture, where the table knows; 0 for any")
	fs.Float64Var(&f.limitFlops, "limit-flops", 0, "most multiply-adds of an architecture, where the table knows; 0 for any")
	fs.StringVar(&f.html, "html", "", "write a page with the curves and the final tree to `FILE`")
	fs.StringVar(&f.writeTable, "write-table", "", "write the table to `FILE` and run nothing")
	return cmd
}

func familyHelp() string {
	var b strings.Builder
	for _, name := range landscape.Families() {
		fmt.Fprintf(&b, "  gen:%-12s%s\n", name, landscape.About(name))
	}
	return b.String()
}

// check wants sane numbers and expands the names of algorithms.
func (f *searchBench) check() error {
	for _, n := range []struct {
		flag    string
		got, hi int
	}{{"budget", f.budget, 1e6}, {"seeds", f.seeds, 10000}, {"batch", f.batch, 1e6}} {
		if n.got < 1 || n.got > n.hi {
			return fault.Usage("", "--%s %d: want 1..%d", n.flag, n.got, n.hi)
		}
	}
	if !(f.limitParams >= 0 && f.limitFlops >= 0) {
		return fault.Usage("", "--limit-params %g and --limit-flops %g: want 0 or more", f.limitParams, f.limitFlops)
	}
	if len(f.tables) == 0 {
		return fault.Usage("--table FILE, or one of "+genPrefix+strings.Join(landscape.Families(), ", "+genPrefix), "bench search wants a --table")
	}
	if f.writeTable != "" && len(f.tables) > 1 {
		return fault.Usage("", "--write-table writes one table, but there are %d", len(f.tables))
	}
	known := append(lanas.Algorithms(), lanas.Ablations()...)
	var algos []string
	for _, name := range f.algos {
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
	f.algos = nil
	for _, name := range algos {
		if !slices.Contains(f.algos, name) {
			f.algos = append(f.algos, name)
		}
	}
	if len(f.algos) == 0 {
		return fault.Usage("", "--algo names no algorithm")
	}
	return nil
}

// openTable reads or generates a table.
func openTable(name string) (*landscape.Table, error) {
	gen, ok := strings.CutPrefix(name, genPrefix)
	if !ok {
		t, err := landscape.ReadFile(name)
		return t, fault.WithCode(err, fault.ExitInvalid, "`oneshot bench search --help` shows the forms of a table")
	}
	family, number, seeded := strings.Cut(gen, ":")
	if !slices.Contains(landscape.Families(), family) {
		return nil, fault.Usage("want one of "+strings.Join(landscape.Families(), ", "), "--table %s: unknown family %q%s",
			name, family, fault.DidYouMean(family, landscape.Families()))
	}
	seed := uint64(1)
	if seeded {
		var err error
		if seed, err = strconv.ParseUint(number, 10, 64); err != nil {
			return nil, fault.Usage("", "--table %s: the seed is %q, want a number of 0 or more", name, number)
		}
	}
	return landscape.Generate(family, seed)
}

// open returns the tables, within the limits.
func (f *searchBench) open() ([]*landscape.Table, error) {
	var tables []*landscape.Table
	for _, name := range f.tables {
		t, err := openTable(name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(tables, func(o *landscape.Table) bool { return o.Name() == t.Name() }) {
			return nil, fault.Usage("", "--table %s: a second table of the name %s", name, t.Name())
		}
		within, err := t.Within(f.limitParams, f.limitFlops)
		var limit *lanas.LimitError
		switch {
		case errors.As(err, &limit), errors.Is(err, landscape.ErrNoCosts):
			return nil, fault.WithCode(err, fault.ExitUsage, "see --limit-params and --limit-flops")
		case err != nil:
			return nil, fault.WithCode(err, fault.ExitInvalid, "")
		}
		tables = append(tables, within)
	}
	return tables, nil
}

// benchSearch runs the races, prints each algorithm's figures as soon as all its
// seeds are done, and writes the page.
func (a *app) benchSearch(ctx context.Context, f searchBench) error {
	if err := f.check(); err != nil {
		return err
	}
	tables, err := f.open()
	if err != nil {
		return err
	}
	if f.writeTable != "" {
		return atomicfile.Write(f.writeTable, 0o644, func(w io.Writer) error { return tables[0].Write(w) })
	}
	if f.html != "" { // better now than after the races
		if _, err := os.Stat(filepath.Dir(f.html)); err != nil {
			return fault.Usage("", "--html: %v", err)
		}
	}
	results, err := a.races(ctx, f, tables)
	if err != nil {
		return fault.WithCode(err, fault.ExitInvalid, "")
	}
	if f.html == "" {
		return nil
	}
	b, err := racePage(f, tables, results).render()
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(f.html, b, 0o644)
}
