package landscape

import (
	"slices"
	"testing"
	"time"
)

// thousand has scores 0, 0.02, ... 39.98: 2000 architectures, so that the top 0.1 %
// are the best two.
func thousand(t testing.TB) *Table {
	t.Helper()
	c := mustChoices(t, 40, 50)
	rows := map[string]Row{}
	c.each(func(arch []int) {
		code, _ := c.Code(arch)
		v := float64(50*arch[0]+arch[1]) / 50
		rows[string(code)] = Row{Score: v, True: v}
	})
	tb, err := newTable("thousand", c, rows, false)
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

func TestTopIsTheBestThousandth(t *testing.T) {
	tb := thousand(t)
	if tb.Max() != 39.98 || tb.Top() != 39.96 {
		t.Errorf("best %v, top from %v", tb.Max(), tb.Top())
	}
	if tb := readString(t, small); tb.Top() != tb.Max() { // of fewer than 1000
		t.Errorf("best %v, top from %v", tb.Max(), tb.Top())
	}
}

// TestSummariseByHand: three seeds, budget 4, of the toy table: best 55 of 6, which
// is also the top.
func TestSummariseByHand(t *testing.T) {
	tb := readString(t, toy)
	s, err := tb.Summarise([]Trace{
		{Seen: []float64{10, 60, 20, 30}, True: []float64{5, 55, 15, 25}, AskTell: 4 * time.Millisecond},
		{Seen: []float64{40, 50, 20, 10}, True: []float64{35, 1, 15, 5}, AskTell: 8 * time.Millisecond},
		{Seen: []float64{20, 30, 60}, True: []float64{15, 25, 55}, AskTell: 10 * time.Millisecond}, // ended early
	}, 4)
	if err != nil {
		t.Fatal(err)
	}
	// Incumbents: 5 55 55 55; 35 1 1 1 (what looked best is worst); 15 25 55 55.
	if want := []float64{110. / 3, 28, 18, 18}; !nearAll(s.Regret, want) {
		t.Errorf("regret %v, want %v", s.Regret, want)
	}
	// At the end 0, 54, 0: sd 31.177, 4.3027 sd/sqrt(3) = 77.45.
	if ci := s.RegretCI[3]; ci.Lo != 0 || !near(ci.Hi, 18+77.45, 0.01) {
		t.Errorf("interval of the last regret %v", ci)
	}
	if !slices.Equal(s.At, []int{4}) || s.BestAt[0].Median != 55 || !near(s.BestAt[0].Mean, 37, 1e-9) || s.BestAt[0].MedianCI != (Interval{1, 55}) {
		t.Errorf("best at %v: %+v", s.At, s.BestAt)
	}
	// The means of the truth: 25, 14, 31.667.
	if s.Last.Median != 25 || !near(s.Last.Mean, 23.5556, 1e-4) || !near(s.Last.MedianCI.Hi, 31.6667, 1e-4) {
		t.Errorf("last %+v", s.Last)
	}
	if want := (Samples{Reached: 2, Median: 3, Lower: 2, Upper: 0, MedianCI: Interval{2, 0}}); s.ToTop != want {
		t.Errorf("to the top %+v, want %+v", s.ToTop, want)
	}
	if s.AskTell != 2*time.Millisecond || s.Seeds != 3 || s.Budget != 4 {
		t.Errorf("%v an ask and a tell, %d seeds, budget %d", s.AskTell, s.Seeds, s.Budget)
	}
}

func nearAll(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return near(x, y, 1e-9) })
}

func TestCheckpointsAndLastHundred(t *testing.T) {
	tb := thousand(t)
	tr := Trace{}
	for i := range 250 {
		tr.Seen = append(tr.Seen, float64(i)/10)
	}
	tr.True = tr.Seen
	s, err := tb.Summarise([]Trace{tr}, 250)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.At, []int{100, 200, 250}) || s.BestAt[0].Median != 9.9 || s.BestAt[1].Mean != 19.9 || s.BestAt[2].Median != 24.9 {
		t.Errorf("best at %v: %+v", s.At, s.BestAt)
	}
	if !near(s.Last.Median, 19.95, 1e-9) { // 15.0 .. 24.9
		t.Errorf("last %+v", s.Last)
	}
	if s, err = tb.Summarise([]Trace{tr}, 300); err != nil || !slices.Equal(s.At, []int{100, 200, 300}) || len(s.Regret) != 300 {
		t.Errorf("best at %v, error %v", s.At, err)
	}
}

// TestToTopIsCensored: a seed that does not get there is beyond the budget, and a
// median of which a middle value is so has no number.
func TestToTopIsCensored(t *testing.T) {
	for _, c := range []struct {
		first []float64
		want  Samples
	}{
		{[]float64{7}, Samples{1, 7, 7, 7, Interval{7, 7}}},
		{[]float64{11}, Samples{}},
		{[]float64{2, 11}, Samples{1, 0, 2, 0, Interval{2, 0}}},
		{[]float64{2, 4, 11}, Samples{2, 4, 2, 0, Interval{2, 0}}},
		{[]float64{10, 4, 6, 11}, Samples{3, 8, 4, 10, Interval{4, 0}}},
		{[]float64{11, 4, 6, 11}, Samples{2, 0, 4, 0, Interval{4, 0}}},
	} {
		if got := toTop(c.first, 10); got != c.want {
			t.Errorf("toTop(%v) = %+v, want %+v", c.first, got, c.want)
		}
	}
	tr := Trace{Seen: []float64{39, 39.96, 39.98}, True: []float64{39, 39.96, 39.98}}
	if got := tr.firstAtLeast(thousand(t).Top(), 3); got != 2 {
		t.Errorf("the top came at %v, want 2", got)
	}
}

func TestSummariseRefuses(t *testing.T) {
	tb := thousand(t)
	for _, traces := range [][]Trace{nil, {{}}, {{Seen: []float64{1, 2}, True: []float64{1, 2}}}, {{Seen: []float64{1}}}} {
		if s, err := tb.Summarise(traces, 1); err == nil {
			t.Errorf("Summarise(%v) = %+v", traces, s)
		}
	}
}
