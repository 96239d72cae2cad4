package ui

import (
	"fmt"
	"math"
	"time"
)

// Count writes a count with three digits: 1.23 M.
func Count(n int64) string {
	v := float64(n)
	for _, unit := range []string{"", " k", " M", " G"} {
		if v < 999.5 {
			return fmt.Sprintf("%.3g%s", v, unit)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.3g T", v)
}

// Points is a difference of scores in percent points, with its sign; rounding
// makes no -0.00 of it.
func Points(difference float64) string {
	return fmt.Sprintf("%+.2f", math.Round(1e4*difference)/100+0)
}

// Plural is a number with its noun.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Rounded leaves out the digits nobody reads.
func Rounded(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second)
}
