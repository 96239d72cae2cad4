package landscape

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"oneshot/internal/rng"
)

func generate(t testing.TB, name string, seed uint64) *Table {
	t.Helper()
	tb, err := Generate(name, seed)
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

// TestFamiliesAreWhatTheSeedSays: the same seed gives the same table, another one
// another, and every architecture has a score between chance and 100 %.
func TestFamiliesAreWhatTheSeedSays(t *testing.T) {
	for _, name := range Families() {
		a, b, other := generate(t, name, 7), generate(t, name, 7), generate(t, name, 8)
		sameTable(t, a, b)
		if a.Name() != name+":7" || float64(a.Len()) != a.Choices().Size() || About(name) == "" {
			t.Errorf("%s: %d architectures of %v", a.Name(), a.Len(), a.Choices().Size())
		}
		differ := 0
		for code, row := range a.rows {
			if !(row.True >= chance && row.True <= 100 && row.Score >= chance && row.Score <= 100) {
				t.Fatalf("%s: %+v", a.Name(), row)
			}
			if other.rows[code] != row {
				differ++
			}
		}
		if differ < a.Len()/2 {
			t.Errorf("%s: of %d architectures only %d differ from %s", a.Name(), a.Len(), differ, other.Name())
		}
		if median := a.truth[len(a.truth)/2]; !(median > 80 && a.Max() > 92 && a.Max() < 97 && a.Top() < a.Max() && a.Top() > median) {
			t.Errorf("%s: median %v, top %v, best %v", a.Name(), median, a.Top(), a.Max())
		}
		if a.Noisy() != (name == "noisy") {
			t.Errorf("%s: noisy %v", a.Name(), a.Noisy())
		}
	}
	if _, err := Generate("nothing", 1); err == nil {
		t.Error("a family that does not exist was generated")
	}
}

// TestGolden pins tables: results measured on them would no longer compare.
func TestGolden(t *testing.T) {
	for name, want := range goldenScores {
		tb := generate(t, name, 1)
		r := rand.New(rand.NewPCG(1, 1))
		for i, w := range want {
			code := tb.choices.Sample(r)
			if row, err := tb.Row(code); err != nil || !near(row.Score, w, 1.5/steps) {
				t.Errorf("%s: sample %d (%s) has %.4f, want %.4f (%v)", name, i, tb.choices.Key(code), row.Score, w, err)
			}
		}
	}
}

// effects of changing block b of architecture a to each other candidate.
func (t *Table) neighbours(arch []int, b int) (scores []float64) {
	for j := range t.choices.sizes[b] {
		a := slices.Clone(arch)
		a[b] = j
		code, err := t.choices.Code(a)
		if err != nil {
			panic(err)
		}
		scores = append(scores, t.rows[string(code)].True)
	}
	return scores
}

// TestAdditiveHasNoInteractions: a change is worth the same everywhere.
func TestAdditiveHasNoInteractions(t *testing.T) {
	tb := generate(t, "additive", 2)
	first := tb.neighbours([]int{0, 0, 0, 0, 0, 0}, 2)
	second := tb.neighbours([]int{4, 3, 0, 2, 1, 2}, 2)
	for j := range first {
		if !near(first[j]-first[0], second[j]-second[0], 3/steps) {
			t.Errorf("candidate %d is worth %v here, %v there", j, first[j]-first[0], second[j]-second[0])
		}
	}
}

// TestNKInteracts: the worth of a change depends on exactly the blocks that share a
// term with it.
func TestNKInteracts(t *testing.T) {
	f := nk(rng.New(1, "test"), layers8x3)
	worth := func(arch []int, b int) float64 {
		a := slices.Clone(arch)
		a[b] = 1
		return f(a) - f(arch)
	}
	zero := make([]int, len(layers8x3))
	var pairs int
	for b := range zero {
		var with int
		for p := range zero {
			if p == b {
				continue
			}
			moved := slices.Clone(zero)
			moved[p] = 2
			if !near(worth(zero, b), worth(moved, b), 1e-12) {
				with++
			}
		}
		if with < 2 {
			t.Errorf("block %d depends on %d others, want 2 or more", b, with)
		}
		pairs += with
	}
	// 8 terms of 3 blocks have at most 3*8 pairs, each counted from both sides.
	if pairs > 48 {
		t.Errorf("%d dependences, want 48 or fewer", pairs)
	}
}

// TestDeceptiveLeadsAway: by the effects of single candidates, the right ones look
// worst, and greedy changes of one block end below the best from most starts.
func TestDeceptiveLeadsAway(t *testing.T) {
	tb := generate(t, "deceptive", 1)
	bestArch := tb.argmax()
	for b, right := range bestArch {
		sums := make([]float64, 5)
		tb.choices.each(func(arch []int) {
			code, _ := tb.choices.Code(arch)
			sums[arch[b]] += tb.rows[string(code)].True
		})
		if rank := slices.Index(slices.Sorted(slices.Values(sums)), sums[right]); rank > 2 {
			t.Errorf("block %d: on average the right candidate has rank %d of 5, want among the worse", b, rank)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	fooled := 0
	for range 100 {
		if tb.climb(tb.choices.Sample(r)) < tb.Max() {
			fooled++
		}
	}
	if fooled < 80 {
		t.Errorf("%d of 100 climbs are fooled, want 80 or more", fooled)
	}
}

func (t *Table) argmax() []int {
	for code, row := range t.rows {
		if row.True == t.Max() {
			arch, _ := t.choices.Arch([]byte(code))
			return arch
		}
	}
	return nil
}

// climb changes one block at a time as long as that helps, and returns the score.
func (t *Table) climb(code []byte) float64 {
	arch, _ := t.choices.Arch(code)
	for at := -1.0; ; {
		best := at
		for b := range arch {
			scores := t.neighbours(arch, b)
			if m := slices.Max(scores); m > best {
				best, arch[b] = m, slices.Index(scores, m)
			}
		}
		if best == at {
			return at
		}
		at = best
	}
}

// TestNoiseHidesTheTruth: its mean is 0 and its standard deviation 1 point, within
// 5 standard errors, and the best-looking architecture is not the best.
func TestNoiseHidesTheTruth(t *testing.T) {
	tb := generate(t, "noisy", 1)
	var noise []float64
	looks := Row{}
	for _, row := range tb.rows {
		noise = append(noise, row.Score-row.True)
		if row.Score > looks.Score {
			looks = row
		}
	}
	m, n := mean(noise), float64(len(noise))
	var sq float64
	for _, v := range noise {
		sq += (v - m) * (v - m)
	}
	if sd := math.Sqrt(sq / n); !near(m, 0, 5/math.Sqrt(n)) || !near(sd, 1, 5/math.Sqrt(2*n)) {
		t.Errorf("noise %.3f with sd %.3f", m, sd)
	}
	if looks.True >= tb.Max() {
		t.Errorf("the best-looking %+v is the best", looks)
	}
}

// TestMacroSkips: a network that skips every layer is among the worst.
func TestMacroSkips(t *testing.T) {
	tb := generate(t, "macro", 1)
	if got := tb.scoreOf(t, "0.0.0.0.0.0.0.0").True; !(got < 60 && got <= tb.truth[len(tb.truth)/100]) {
		t.Errorf("skipping everything scores %.2f", got)
	}
}

// TestCell: edges 0..5 are 01 02 12 03 13 23.
func TestCell(t *testing.T) {
	tb := generate(t, "cell", 1)
	for _, cut := range []string{"0.0.0.0.0.0", "4.4.4.0.0.0", "0.0.4.0.4.4", "0.4.4.0.4.0", "4.0.0.0.0.4"} {
		if got := tb.scoreOf(t, cut).True; got != chance {
			t.Errorf("%s has no path and scores %v", cut, got)
		}
	}
	for _, twins := range [][2]string{
		{"4.0.0.0.2.0", "0.4.0.0.0.2"}, // the path over node 1 or over node 2
		{"4.0.3.0.0.2", "4.1.3.0.0.2"}, // not twins: the skip carries signal
		{"3.0.1.0.0.4", "3.0.0.0.4.0"}, // a skip in a chain adds nothing but its gain
		{"0.0.0.4.3.2", "2.0.0.4.0.1"}, // edges that nothing enters, or that lead nowhere
	} {
		a, b := tb.scoreOf(t, twins[0]).True, tb.scoreOf(t, twins[1]).True
		want := twins[0] != "4.0.3.0.0.2" && twins[0] != "3.0.1.0.0.4"
		if (a == b) != want || a == chance {
			t.Errorf("%v score %v and %v, want equal: %v", twins, a, b, want)
		}
	}
	distinct := len(slices.Compact(slices.Clone(tb.truth)))
	cut := 0
	for _, v := range tb.truth {
		if v == chance {
			cut++
		}
	}
	if share := float64(cut) / float64(tb.Len()); distinct > tb.Len()/2 || !(share > 0.01 && share < 0.1) {
		t.Errorf("%d distinct scores of %d, %.3f cut off", distinct, tb.Len(), share)
	}
}

var goldenScores = map[string][]float64{
	"additive":  {88.9768, 90.4483, 87.7502, 84.5485},
	"nk":        {89.1173, 85.5476, 87.4949, 88.6106},
	"deceptive": {86.5244, 87.1869, 88.4356, 88.1767},
	"macro":     {91.4783, 93.3258, 84.8136, 90.7868},
	"noisy":     {94.5749, 92.5318, 85.3460, 94.2659},
	"cell":      {92.0473, 88.9965, 86.5612, 86.1955},
}
