package search

import (
	"testing"
	"time"
)

// However much the lines of a file claim, their sum is a time.
func TestTimesAddUp(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		line  string
		spent time.Duration
		ok    bool
	}{
		{`{"sample":3,"seconds":86400}`, day, true},
		{`{"sample":2,"seconds":1}`, day, false}, // sample 3 is next
		{`{"sample":3,"seconds":-1}`, day, false},
		{`{"sample":3,"seconds":999999999}`, 0, true},
		{`{"sample":3,"seconds":999999999}`, day, false},
		{`{"sample":3,"seconds":1}`, maxSpent, false},
	} {
		if _, err := parseTime([]byte(c.line), 3, c.spent); c.ok != (err == nil) {
			t.Errorf("%s after %v: %v", c.line, c.spent, err)
		}
	}
}

// A time that is accepted is of a sample to come, and neither it nor the sum is negative.
func FuzzTimes(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte, next uint16, seconds uint32) {
		spent := min(time.Duration(seconds)*time.Second, maxSpent)
		l, err := parseTime(b, int(next), spent)
		if err != nil {
			return
		}
		sum := spent + time.Duration(l.Seconds*float64(time.Second))
		if l.Sample < int(next) || sum < spent || sum > maxSpent+time.Microsecond { // a float has 53 bits
			t.Fatalf("%s: %+v after %v", b, l, spent)
		}
	})
}
