package faulttest

import "testing"

func TestTallyFindsWhatWasNotTested(t *testing.T) {
	good := Tally{Fault: "f", Injected: 2, Survived: 2}
	good.Twin("twin", true)
	if p := good.problems(); len(p) != 0 {
		t.Errorf("a good tally has problems: %q", p)
	}
	none, lost, missed := good, good, good
	none.Injected, none.Survived = 0, 0
	lost.Survived = 1
	missed.Twin("other", false)
	for name, c := range map[string]Tally{"none injected": none, "one lost": lost, "twin missed": missed, "no twin": {Injected: 1, Survived: 1}} {
		if p := c.problems(); len(p) != 1 {
			t.Errorf("%s: problems %q, want one", name, p)
		}
	}
}
