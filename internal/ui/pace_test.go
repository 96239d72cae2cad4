package ui

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

// pattern is how long each unit of a stage takes.
type pattern struct {
	name        string
	from, total int
	took        func(i int) time.Duration
}

const ms = time.Millisecond

// patterns are stages as they happen.
var patterns = []pattern{
	{"steady", 0, 3000, func(int) time.Duration { return 100 * ms }},
	{"fast", 0, 60000, func(int) time.Duration { return 5 * ms }},
	{"the first unit builds what others use", 0, 1200, func(i int) time.Duration {
		if i == 0 {
			return 30 * time.Second
		}
		return 200 * ms
	}},
	{"half as fast for 15 seconds", 0, 2400, func(i int) time.Duration {
		if i < 75 {
			return 200 * ms
		}
		return 100 * ms
	}},
	{"resumed at half", 2000, 4000, func(int) time.Duration { return 100 * ms }},
	{"resumed near the end", 3000, 4000, func(i int) time.Duration {
		if i == 3000 {
			return 20 * time.Second
		}
		return 400 * ms
	}},
	{"stopped for an hour", 0, 4000, func(i int) time.Duration {
		if i == 700 {
			return time.Hour
		}
		return 100 * ms
	}},
	{"stopped for an hour within the first minute", 0, 4000, func(i int) time.Duration {
		if i == 300 {
			return time.Hour
		}
		return 100 * ms
	}},
	{"one in two is slow", 0, 3000, func(i int) time.Duration { return time.Duration(50+150*(i%2)) * ms }},
	{"a checkpoint every ten seconds", 0, 3000, func(i int) time.Duration {
		if i%100 == 99 {
			return 2 * time.Second
		}
		return 100 * ms
	}},
	{"paths of other sizes", 0, 3000, func(i int) time.Duration { return time.Duration(60+(i*7919)%101) * ms }},
	{"long units", 0, 60, func(i int) time.Duration { return time.Duration(8+(i*7)%5) * time.Second }},
	{"slow proposals after the first third", 0, 90, func(i int) time.Duration {
		if i < 30 {
			return 2 * time.Second
		}
		return 2200 * ms
	}},
}

// worst is the worst ratio of the time left that is told to what is really left, from a minute
// after the start, or after a stop, until a tenth of the stage is left.
func (p pattern) worst(tell func(now time.Time, done int) time.Duration) (worst float64, told int) {
	var total time.Duration
	last := -1 // stop: one that is to come cannot be known
	for i := p.from; i < p.total; i++ {
		total += p.took(i)
		if p.took(i) >= time.Hour {
			last = i
		}
	}
	now, since := time.Unix(0, 0), time.Duration(0)
	spent := time.Duration(0)
	worst = 1
	for i := p.from; i < p.total; i++ {
		d := p.took(i)
		now, spent, since = now.Add(d), spent+d, since+d
		if d >= time.Hour {
			since = 0
		}
		left, really := tell(now, i+1), total-spent
		if since < time.Minute || i < last || p.total-i-1 < (p.total-p.from)/10 {
			continue
		}
		told++
		r := float64(left) / float64(really)
		worst = max(worst, r, 1/r)
	}
	return worst, told
}

// TestTimeLeft: after a minute the time left is within 20 % of the truth; the mean since the
// start, which is a broken twin, is not.
func TestTimeLeft(t *testing.T) {
	failed := 0
	for _, p := range patterns {
		clock := time.Unix(0, 0)
		u := New(io.Discard, io.Discard, func() time.Time { return clock })
		m := u.Meter("train", p.from, p.total)
		worst, told := p.worst(func(now time.Time, done int) time.Duration {
			clock = now
			m.Update(done, 1, "")
			return m.left()
		})
		if told == 0 || !(worst <= 1.2) {
			t.Errorf("%s: wrong by a factor of %.2f at worst, told %d times", p.name, worst, told)
		}
		twin, _ := p.worst(func(now time.Time, done int) time.Duration {
			return time.Duration(float64(now.Sub(time.Unix(0, 0))) / float64(done-p.from) * float64(p.total-done))
		})
		if !(twin <= 1.2) {
			failed++
		}
		t.Logf("%-45s worst %.2f, mean since the start %.2f", p.name, worst, twin)
	}
	if failed < 4 {
		t.Errorf("the mean since the start is wrong in %d patterns only: the test is blind", failed)
	}
}

// TestTimeLeftWithin: a stage with a limit of time ends by then.
func TestTimeLeftWithin(t *testing.T) {
	var b bytes.Buffer
	clock := time.Unix(0, 0)
	u := New(&b, &b, func() time.Time { return clock })
	m := u.Meter("search", 0, 1000)
	m.Within(func() time.Duration { return 90*time.Second - clock.Sub(time.Unix(0, 0)) })
	clock = clock.Add(10 * time.Second)
	m.Update(1, 10, "")
	if !strings.Contains(b.String(), "ETA 1m20s\n") {
		t.Error(b.String())
	}
}

// TestMeterIsMonotonic: with the clock of the process, times are taken by the reading that a
// change of the wall clock does not move.
func TestMeterIsMonotonic(t *testing.T) {
	m := New(io.Discard, io.Discard, time.Now).Meter("train", 0, 10)
	m.Update(1, 1, "")
	for _, at := range []time.Time{m.start, m.pace.marks[0].at} {
		if !strings.Contains(at.String(), " m=") {
			t.Errorf("%v has no monotonic reading", at)
		}
	}
}
