// Package faulttest counts the faults that tests inject, so that a test which injects none fails, and
// `make test-faults` can print what was tried.
package faulttest

import (
	"fmt"
	"strings"
	"testing"
)

// Tally counts one kind of fault in one test.
//
//	tally := faulttest.New("kill at every change of a file, whole run")
//	... tally.Injected++; if the run is whole again { tally.Survived++ } else { t.Errorf(...) }
//	tally.Twin("record not written", caught)
//	tally.Report(t)
type Tally struct {
	Fault    string
	Injected int // faults that took place
	Survived int // of these: nothing lost, nothing corrupt, nothing stale shown as current
	twins    []string
	missed   []string
}

// New starts a count for a fault, named as the table shows it.
func New(fault string) *Tally { return &Tally{Fault: fault} }

// Twin notes whether the test caught a deliberately broken variant of the code.
func (c *Tally) Twin(name string, caught bool) {
	c.twins = append(c.twins, name)
	if !caught {
		c.missed = append(c.missed, name)
	}
}

// Mark begins each line of a log that belongs to the table; its columns are separated by tabs.
const Mark = "FAULT\t"

// Report logs the row. It fails the test if nothing was injected, if a fault was not survived, if there
// is no twin, or if one was not caught.
func (c *Tally) Report(t testing.TB) {
	t.Helper()
	t.Logf("%s%s\t%d\t%d\t%s", Mark, c.Fault, c.Injected, c.Survived, strings.Join(c.twins, ", "))
	for _, problem := range c.problems() {
		t.Errorf("%s: %s", c.Fault, problem)
	}
}

func (c *Tally) problems() (found []string) {
	if c.Injected == 0 {
		found = append(found, "no fault was injected: nothing was tested")
	}
	if c.Survived != c.Injected {
		found = append(found, fmt.Sprintf("%d of %d faults survived", c.Survived, c.Injected))
	}
	if len(c.twins) == 0 {
		found = append(found, "no broken twin was tried: nothing shows that this test can fail")
	}
	for _, m := range c.missed {
		found = append(found, fmt.Sprintf("the broken twin %q was not caught", m))
	}
	return found
}
