package measure

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"oneshot/internal/fault"
	"oneshot/lanas"
	"oneshot/lanas/landscape"
)

// genPrefix marks a --table that is generated, not read.
const genPrefix = "gen:"

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
func (f *Races) open() ([]*landscape.Table, error) {
	var tables []*landscape.Table
	for _, name := range f.Tables {
		t, err := openTable(name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(tables, func(o *landscape.Table) bool { return o.Name() == t.Name() }) {
			return nil, fault.Usage("", "--table %s: a second table of the name %s", name, t.Name())
		}
		within, err := t.Within(f.LimitParams, f.LimitFlops)
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

// FamilyHelp lists the families of generated tables, a line each.
func FamilyHelp() string {
	var b strings.Builder
	for _, name := range landscape.Families() {
		fmt.Fprintf(&b, "  gen:%-12s%s\n", name, landscape.About(name))
	}
	return b.String()
}
