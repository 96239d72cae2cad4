package choices

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// feature is that of a space with a place of two operations, one of an operation that is or is not there, and one of
// several inputs.
func feature(i int) string {
	return []string{"cell node 0: conv of input 0", "cell node 0: pool of input 0", "cell node 0: conv of input 1", "depth", "width: wide"}[i]
}

func sample(name, code string, score float64) Sample {
	s := Sample{Name: name, Score: score}
	for _, c := range code {
		s.Code = append(s.Code, byte(c-'0'))
	}
	return s
}

func TestChoicesOfCodes(t *testing.T) {
	samples := []Sample{sample("a", "10011", 0.1), sample("b", "11001", 0.2), sample("c", "00101", 0.3)}
	got := Of(samples, 5, feature)
	want := []Choice{
		{"cell node 0, input 0", []string{none, "conv", "conv + pool"}, []int{1, 2, 0}},
		{"cell node 0, input 1", []string{none, "conv"}, []int{0, 0, 1}},
		{"depth", []string{none, "chosen"}, []int{1, 0, 0}},
	} // all samples are wide: nothing can be said of it
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("choices are\n%v, want\n%v", got, want)
	}
}

// TestShares: eta squared and epsilon squared of a small table, by hand: groups {1,2,3} and {5,6,7} of mean 4 have
// 24 of the 28 between them.
func TestShares(t *testing.T) {
	var samples []Sample
	for i, score := range []float64{1, 2, 3, 5, 6, 7} {
		samples = append(samples, sample(fmt.Sprint(i), []string{"00000", "10000"}[i/3], score))
	}
	samples = append(samples, Sample{Name: "failed", Code: samples[0].Code, Failed: "NaN"})
	r := Rank(samples, Of(samples, 5, feature))
	if len(r) != 1 {
		t.Fatalf("%v", r)
	}
	if eta := 24.0 / 28; !(math.Abs(r[0].Share-(1-(1-eta)*5/4)) < 1e-12) {
		t.Errorf("share %v", r[0].Share)
	}
	if r[0].Best != "conv" || r[0].Mean != 6 || r[0].N != 3 {
		t.Errorf("the best is %+v", r[0])
	}
}

// TestChanceSaysNothing: where the score has nothing to do with a choice its share is about none, though it has many
// values, and one that decides is first.
func TestChanceSaysNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{12, 60, 400} {
		var samples []Sample
		for i := range n {
			code := fmt.Sprintf("%d%d%d%d%d", r.IntN(2), r.IntN(2), r.IntN(2), r.IntN(2), r.IntN(2))
			samples = append(samples, sample(fmt.Sprint(i), code, 0.3*float64(code[3]-'0')+0.05*r.NormFloat64()))
		}
		ranked := Rank(samples, Of(samples, 5, feature))
		if ranked[0].Choice.Name != "depth" || !(ranked[0].Share > 0.7) {
			t.Errorf("%d samples: the first is %s with %.2f", n, ranked[0].Choice.Name, ranked[0].Share)
		}
		for _, other := range ranked[1:] {
			if !(other.Share < 3/math.Sqrt(float64(n))) {
				t.Errorf("%d samples: %s has %.2f by chance", n, other.Choice.Name, other.Share)
			}
		}
	}
}

// TestNothingToSay: no samples, all the same score, all failed, each with its own value: shares are numbers.
func TestNothingToSay(t *testing.T) {
	for name, samples := range map[string][]Sample{
		"none":      nil,
		"one":       {sample("a", "10000", 1)},
		"equal":     {sample("a", "10000", 1), sample("b", "01000", 1), sample("c", "00000", 1), sample("d", "10000", 1)},
		"their own": {sample("a", "10000", 1), sample("b", "01000", 2), sample("c", "00000", 3)},
		"failed":    {{Name: "a", Code: []byte{1, 0, 0, 0, 0}, Failed: "x"}, {Name: "b", Code: []byte{0, 0, 0, 0, 0}, Failed: "x"}},
		"short":     {{Name: "a", Code: []byte{1}, Score: 1}, sample("b", "01000", 2), sample("c", "00000", 3), sample("d", "10000", 1)},
	} {
		for _, r := range Rank(samples, Of(samples, 5, feature)) {
			if !(r.Share >= 0 && r.Share <= 1) {
				t.Errorf("%s: %+v", name, r)
			}
		}
		Draw(samples, Rank(samples, Of(samples, 5, feature)))
	}
}

// TestDrawing: of many samples the best are drawn last, those without a score first, and all lie within the picture.
func TestDrawing(t *testing.T) {
	var samples []Sample
	for i := range 1000 {
		s := sample(fmt.Sprint(i), fmt.Sprintf("%05b", i%32), float64(i))
		if i == 500 {
			s.Failed, s.Score = "NaN", 0
		}
		samples = append(samples, s)
	}
	drawings := Draw(samples, Rank(samples, Of(samples, 5, feature)))
	if len(drawings) != 2 {
		t.Fatalf("%d drawings", len(drawings))
	}
	for _, d := range drawings {
		if n := len(d.Lines); n < mostLines-2 || n > mostLines+2 {
			t.Errorf("%d lines", n)
		}
		if first, last := d.Lines[0], d.Lines[len(d.Lines)-1]; first.Class != "failed" || !strings.Contains(first.Title, "no score: NaN") || last.Class != "q4" || !strings.HasPrefix(last.Title, "999:") {
			t.Errorf("from %+v to %+v", first, last)
		}
		for _, l := range d.Lines {
			for p := range strings.SplitSeq(l.Points, " ") {
				var x, y float64
				if _, err := fmt.Sscanf(p, "%f,%f", &x, &y); err != nil || x < 0 || x > d.W || y < d.Top || y > d.Bottom {
					t.Fatalf("%s is outside", p)
				}
			}
		}
	}
	for _, n := range []int{0, 1, bestLines, mostLines - 1, mostLines, mostLines + 1, 10000} {
		ranks := drawn(n)
		if len(ranks) > mostLines+1 || n > 0 && ranks[len(ranks)-1] != n-1 || !slices.IsSorted(ranks) || len(slices.Compact(slices.Clone(ranks))) != len(ranks) {
			t.Errorf("of %d: %d lines", n, len(ranks))
		}
	}
}
