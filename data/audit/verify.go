package audit

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"oneshot/data"
	"oneshot/data/source"
)

// Verify reads and decodes every record, and says what is wrong. An error is ctx's, of the
// disk, or a *data.ConfigError; what is wrong with the data is in the report.
func Verify(ctx context.Context, f *data.Files, o Options) (*Report, error) {
	r := &Report{Problems: []Finding{}, Warnings: []Finding{}, Bad: []Bad{}}
	if roles, err := f.Roles(); err == nil {
		r.Collection = describe(f, &roles)
	} else if finding, ok := unfit(err, NoRoles); ok {
		r.Collection = describe(f, nil)
		r.Problems = append(r.Problems, finding)
	} else {
		return nil, err
	}
	v := &verifying{Report: r, f: f, o: o, at: number(f)}
	if err := v.decode(ctx); err != nil {
		return nil, err
	}
	if err := v.judge(ctx); err != nil {
		return nil, err
	}
	r.OK = len(r.Problems) == 0
	return r, nil
}

type verifying struct {
	*Report
	f      *data.Files
	o      Options
	at     numbering
	prints prints
}

// badAt is a bad record and its number.
type badAt struct {
	number int
	fault  *source.Fault
}

// decode looks at every record.
func (v *verifying) decode(ctx context.Context) error {
	n := v.at.all()
	v.prints = make(prints, n)
	workers := v.o.workers(n)
	tallies := make([]*tally, workers)
	hashers := make([]hasher, workers)
	bad := make([][]badAt, workers)
	for w := range tallies {
		tallies[w] = newTally(len(v.Splits), len(v.Classes))
	}
	err := each(ctx, v.f, v.o, n, func(w int, r *data.FileReader, i int) error {
		split, record := v.at.at(i)
		rec, err := r.Read(split, record)
		var fault *source.Fault
		if errors.As(err, &fault) {
			bad[w] = append(bad[w], badAt{i, fault})
			return nil
		}
		if err != nil {
			return err
		}
		tallies[w].byClass[split][v.f.Info.Splits[split].Labels[record]]++
		tallies[w].look(rec.Header)
		v.prints[i] = hashers[w].fingerprint(rec.Image) | 1
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range tallies[1:] {
		tallies[0].add(t)
	}
	tallies[0].show(&v.Collection)
	for s := range v.Splits {
		v.Splits[s].ByClass = tallies[0].byClass[s]
	}
	all := slices.Concat(bad...)
	slices.SortFunc(all, func(a, b badAt) int { return cmp.Compare(a.number, b.number) })
	for _, fault := range v.f.Info.Faults {
		v.Bad = append(v.Bad, Bad{Record{File: source.Shown(fault.File), Member: shownMember(fault.Member)}, fault.Offset, reason(fault)})
	}
	for _, b := range all {
		v.Bad = append(v.Bad, Bad{where(v.f, v.at, int32(b.number)), b.fault.Offset, reason(b.fault)})
	}
	return nil
}

// reason is a fault without its place.
func reason(f *source.Fault) string {
	if f.Err != nil {
		return f.Msg + ": " + f.Err.Error()
	}
	return f.Msg
}

// judge finds what follows from the records.
func (v *verifying) judge(ctx context.Context) error {
	if len(v.Bad) > 0 {
		f, tolerated := badFinding(v.f, v.Bad)
		if tolerated {
			v.Warnings = append(v.Warnings, f)
		} else {
			v.Problems = append(v.Problems, f)
		}
	}
	groups, err := twins(ctx, v.f, v.o, v.at, v.prints)
	if err != nil {
		return err
	}
	c := countTwins(v.f, v.at, groups)
	v.Duplicates = c.d
	v.Warnings = append(v.Warnings, c.findings()...)
	problems, warnings := classFindings(&v.Collection)
	v.Problems, v.Warnings = append(v.Problems, problems...), append(v.Warnings, warnings...)
	for _, p := range v.Problems {
		if p.Kind != BadRecords {
			return nil // no run could open the data
		}
	}
	return v.identify(ctx)
}

// identify asks a run what it makes of the data. Only small images are decoded again for that.
func (v *verifying) identify(ctx context.Context) error {
	d, err := v.f.Identity(ctx, max(v.Width.Max, v.Height.Max) <= data.OwnSide)
	if err != nil {
		f, ok := unfit(err, Unfit)
		if !ok {
			return err
		}
		v.Problems = append(v.Problems, f)
		return nil
	}
	v.SHA256, v.Provenance, v.Roles = d.SHA256, d.Provenance, d.Roles
	return nil
}
