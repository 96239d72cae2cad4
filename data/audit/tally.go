package audit

import (
	"slices"

	"oneshot/data/decode"
)

// tally counts images. Several add up to one, in any order.
type tally struct {
	byClass       [][]int     // splits, classes
	width, height map[int]int // images by pixels
	kinds         Kinds
}

func newTally(splits, classes int) *tally {
	t := &tally{byClass: make([][]int, splits), width: map[int]int{}, height: map[int]int{}}
	for i := range t.byClass {
		t.byClass[i] = make([]int, classes)
	}
	t.kinds.Formats = map[string]int{}
	return t
}

// look counts what a header says.
func (t *tally) look(h decode.Header) {
	t.width[h.W]++
	t.height[h.H]++
	k := &t.kinds
	k.Formats[h.Format]++
	for _, c := range []struct {
		n  *int
		is bool
	}{
		{&k.Grey, h.Channels <= 2},
		{&k.Alpha, h.Channels == 2 || h.Channels == 4 && h.Format != "jpeg"},
		{&k.CMYK, h.Channels == 4 && h.Format == "jpeg"},
		{&k.Deep, h.Bits > 8},
		{&k.Turned, h.Orientation > 1},
	} {
		if c.is {
			*c.n++
		}
	}
}

func (t *tally) add(u *tally) {
	for s := range u.byClass {
		for c, n := range u.byClass[s] {
			t.byClass[s][c] += n
		}
	}
	for _, m := range []struct{ to, from map[int]int }{{t.width, u.width}, {t.height, u.height}} {
		for size, n := range m.from {
			m.to[size] += n
		}
	}
	for name, n := range u.kinds.Formats {
		t.kinds.Formats[name] += n
	}
	k, o := &t.kinds, &u.kinds
	k.Grey += o.Grey
	k.Alpha += o.Alpha
	k.CMYK += o.CMYK
	k.Deep += o.Deep
	k.Turned += o.Turned
}

// show puts what was counted into c.
func (t *tally) show(c *Collection) {
	c.Width, c.Looked = rangeOf(t.width)
	c.Height, _ = rangeOf(t.height)
	c.Kinds = t.kinds
}

// rangeOf is the range of values that a map counts, and their number.
func rangeOf(count map[int]int) (r Range, all int) {
	var values []int
	for v, n := range count {
		values = append(values, v)
		all += n
	}
	if all == 0 {
		return r, 0
	}
	slices.Sort(values)
	r.Min, r.Max = values[0], values[len(values)-1]
	below := 0
	for _, v := range values {
		if below += count[v]; below >= (all+1)/2 {
			r.Median = v
			break
		}
	}
	return r, all
}
