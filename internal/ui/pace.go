package ui

import (
	"slices"
	"time"
)

// pace tells how long a unit of a stage takes, by what went lately. A mean since the start would
// keep a slow first step, and an hour in which the process was stopped, for ever.
type pace struct {
	marks []mark // oldest first; the first is the start, or the end of the first unit
	warm  bool   // the first unit is over and no longer counts
	unit  time.Duration
}

// mark is what was done by a time.
type mark struct {
	at   time.Time
	done int
}

// Chosen by experiment, see TestTimeLeft.
const (
	markEvery = time.Second      // at least between two marks
	lateLeast = 45 * time.Second // what counts as lately: a quarter of the time, within these
	lateMost  = 10 * time.Minute
	lateUnits = 8                // but at least so many units
	stopLeast = 30 * time.Second // a stop is longer, and
	stopTimes = 10               // longer than so many usual intervals
)

// begin starts where a stage stands.
func (p *pace) begin(at time.Time, done int) { p.marks = []mark{{at, done}} }

// update reports what is done by now.
func (p *pace) update(at time.Time, done int) {
	last := p.marks[len(p.marks)-1]
	if done <= last.done {
		return
	}
	if !p.warm { // its unit stands until there is another: it builds what later ones find built
		p.warm, p.unit = true, at.Sub(last.at)/time.Duration(done-last.done)
		p.marks = append(p.marks[:0], mark{at, done})
		return
	}
	if at.Sub(last.at) < markEvery {
		if len(p.marks) == 1 && at.After(last.at) {
			p.unit = at.Sub(last.at) / time.Duration(done-last.done)
		}
		return
	}
	p.marks = append(p.marks, mark{at, done})
	p.forget()
	p.unit = p.mean()
}

// forget leaves out the marks that are not lately.
func (p *pace) forget() {
	end := p.marks[len(p.marks)-1]
	late := min(lateMost, max(lateLeast, end.at.Sub(p.marks[0].at)/4))
	for len(p.marks) > 2 && end.at.Sub(p.marks[1].at) >= late && end.done-p.marks[1].done >= lateUnits {
		p.marks = p.marks[1:]
	}
}

// mean is what a unit took lately, without stops.
func (p *pace) mean() time.Duration {
	each := make([]time.Duration, 0, len(p.marks))
	for i := 1; i < len(p.marks); i++ {
		each = append(each, p.took(i)/time.Duration(p.units(i)))
	}
	usual := slices.Clone(each)
	slices.Sort(usual)
	middle := usual[(len(usual)-1)/2]
	var took time.Duration
	units := 0
	for i, e := range each {
		if len(each) > 2 && p.took(i+1) > stopLeast && e > stopTimes*middle {
			continue
		}
		took, units = took+p.took(i+1), units+p.units(i+1)
	}
	return time.Duration(float64(took) / float64(max(units, 1)))
}

func (p *pace) took(i int) time.Duration { return p.marks[i].at.Sub(p.marks[i-1].at) }

func (p *pace) units(i int) int { return p.marks[i].done - p.marks[i-1].done }

// left is how long so many units will take; 0 where nothing is known.
func (p *pace) left(units int) time.Duration {
	return time.Duration(float64(p.unit) * float64(units))
}
