package audit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"oneshot/data"
	"oneshot/data/source"
)

const mostNamed = 6 // files of a finding

// findings are the warnings that c gives rise to.
func (c *twinCount) findings() (all []Finding) {
	name := func(f Finding, kind, format string, args ...any) {
		if f.Count > 0 {
			f.Kind, f.Text = kind, fmt.Sprintf(format, args...)
			all = append(all, f)
		}
	}
	name(c.across, TwinsAcross, "%s in more than one split: what a network was trained on says nothing about new pictures",
		plural(c.across.Count, "picture is", "pictures are"))
	name(c.relabelled, TwinsRelabelled, "%s under more than one class: one of them is wrong, or a picture shows both",
		plural(c.relabelled.Count, "picture is", "pictures are"))
	for s, f := range c.within {
		f.Split = c.f.Info.Splits[s].Name
		name(f, TwinsWithin, "%s more than once in %s", plural(f.Count, "picture is", "pictures are"), splitName(f.Split))
	}
	return all
}

// classFindings warns about classes that are missing in a split, or very uneven. Training
// images of every class are needed: that is a problem.
func classFindings(c *Collection) (problems, warnings []Finding) {
	for _, s := range c.Splits {
		var none []string
		for k, n := range s.ByClass {
			if n == 0 {
				none = append(none, c.Classes[k])
			}
		}
		if len(none) > 0 {
			f := Finding{Kind: MissingClass, Split: s.Name, Count: len(none), Classes: none,
				Text: fmt.Sprintf("no images of %s in %s", source.Counted(none, "class", "classes"), splitName(s.Name))}
			if s.Role == "train" {
				f.Kind, f.Hint = NoTraining, "add images of it to the training split, or point --data-dir at images without it"
				f.Text = "no training images of " + source.Counted(none, "class", "classes")
				problems = append(problems, f)
				continue
			}
			warnings = append(warnings, f)
		}
		if s.Role != "train" || len(none) > 0 || len(s.ByClass) == 0 {
			continue
		}
		most, least := slices.Max(s.ByClass), slices.Min(s.ByClass)
		if most >= data.Uneven*least {
			large, small := c.Classes[slices.Index(s.ByClass, most)], c.Classes[slices.Index(s.ByClass, least)]
			warnings = append(warnings, Finding{Kind: Uneven, Split: s.Name, Count: 2, Classes: []string{large, small},
				Text: fmt.Sprintf("classes are very uneven: %s has %d training images, %s has %d", large, most, small, least)})
		}
	}
	return problems, warnings
}

// badFinding says that there are bad records; tolerated says that a run leaves them out.
func badFinding(f *data.Files, bad []Bad) (finding Finding, tolerated bool) {
	finding = Finding{Kind: BadRecords, Count: len(bad), Text: fmt.Sprintf("%s cannot be used", plural(len(bad), "record", "records"))}
	for _, b := range bad[:min(len(bad), mostNamed)] {
		finding.Files = append(finding.Files, b.name())
	}
	if f.Config.Tolerates(len(bad)) {
		finding.Text += " and will be left out"
		return finding, true
	}
	finding.Hint = fmt.Sprintf("repair them; --on-bad-sample skip:%d leaves them out", len(bad))
	return finding, false
}

// unfit makes a finding of an error about the data; ok is false for other errors.
func unfit(err error, kind string) (f Finding, ok bool) {
	var file *source.FileError
	if !errors.As(err, &file) {
		return f, false
	}
	return Finding{Kind: kind, Count: 1, Text: file.Msg, Hint: file.Hint}, true
}

// splitName is a split in a sentence.
func splitName(name string) string { return cmp.Or(name, "the only split") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
