package decode

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// breach runs eight goroutines that take what enter allows, and returns the largest sum that
// several took at once.
func breach(enter, leave func(int64)) int64 {
	var mu sync.Mutex
	var sum, most int64
	together := 0
	add := func(n int64, one int) {
		mu.Lock()
		defer mu.Unlock()
		sum += n
		if together += one; together > 1 {
			most = max(most, sum)
		}
	}
	var wg sync.WaitGroup
	for seed := range uint64(8) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 1))
			for range 300 {
				n := 1 + rng.Int64N(120)
				enter(n)
				add(n, 1)
				for range 10 {
					runtime.Gosched()
				}
				add(-n, -1)
				leave(n)
			}
		})
	}
	wg.Wait()
	return most
}

func TestBudgetHolds(t *testing.T) {
	g := newBudget(100, func() {})
	if most := breach(g.enter, g.leave); most > 100 || most < 80 {
		t.Errorf("a budget of 100 lets %d through at once, want at most 100 and nearly that", most)
	}
	if g.running != 0 {
		t.Errorf("%d bytes are under way when nothing is", g.running)
	}
	none := func(int64) {}
	if most := breach(none, none); most <= 100 {
		t.Errorf("without a budget %d are taken at once: the test would notice nothing", most)
	}
}

// One that takes more than all of the budget waits until it is alone, and those that come
// after it do not slip in.
func TestBudgetKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newBudget(100, func() {})
		var begun []int64
		enter := func(n int64) {
			go func() {
				g.enter(n)
				begun = append(begun, n)
			}()
			synctest.Wait()
		}
		leave := func(n int64) {
			g.leave(n)
			synctest.Wait()
		}
		want := func(what string, v ...int64) {
			t.Helper()
			if !slices.Equal(begun, v) {
				t.Fatalf("%s: %v have begun, want %v", what, begun, v)
			}
		}
		enter(60)
		enter(30)
		want("within the budget", 60, 30)
		enter(500)
		enter(5)
		want("behind one that waits", 60, 30)
		leave(60)
		want("not yet alone", 60, 30)
		leave(30)
		want("alone", 60, 30, 500)
		leave(500)
		want("at last", 60, 30, 500, 5)
	})
}

func TestBudgetCollectsGarbage(t *testing.T) {
	collected := 0
	g := newBudget(100, func() { collected++ })
	for _, step := range []struct {
		n    int64
		want int
	}{
		{40, 0}, {40, 0}, // 80 are garbage
		{30, 1},         // begins with 80+30, and leaves 30
		{70, 1},         // 30+70
		{10, 2},         // 100+10
		{300, 4},        // before, and after
		{90, 4}, {9, 4}, // 300 are gone already
	} {
		g.enter(step.n)
		g.leave(step.n)
		if collected != step.want {
			t.Fatalf("%d collections after %d bytes, want %d", collected, step.n, step.want)
		}
	}
}

func TestBudgetGrowsWithProcessors(t *testing.T) {
	for procs, want := range map[int]int64{1: 512 << 20, 8: 512 << 20, 64: 4 << 30} {
		if v := budgetFor(procs); v != want {
			t.Errorf("%d processors: %d bytes, want %d", procs, v, want)
		}
	}
}

func TestOnlyLargeImagesWait(t *testing.T) {
	was := underWay
	defer func() { underWay = was }()
	large := blanks(t)["PNG"] // 1500x1000 of 4 and 3 bytes
	small := readGolden(t).files["jpeg_s420.jpg"]
	synctest.Test(t, func(t *testing.T) {
		underWay = newBudget(20<<20, func() {})
		underWay.enter(15 << 20)
		var done atomic.Int32
		decode := func(b []byte) {
			d, err := New(Go)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				if _, err := d.Decode(b); err != nil {
					t.Error(err)
				}
				done.Add(1)
			}()
			synctest.Wait()
		}
		decode(large)
		if n := done.Load(); n != 0 {
			t.Error("a large image did not wait")
		}
		decode(small)
		if n := done.Load(); n != 1 {
			t.Errorf("%d are done, want the small one", n)
		}
		underWay.leave(15 << 20)
		synctest.Wait()
		if n := done.Load(); n != 2 || underWay.running != 0 {
			t.Errorf("%d are done, with %d bytes under way", n, underWay.running)
		}
	})
}

// A damaged image gives its part of the budget back too.
func TestFailedDecodeLeavesTheBudget(t *testing.T) {
	b := blanks(t)["PNG"]
	if _, err := newDecoder(t, Go).Decode(b[:len(b)-100]); err == nil {
		t.Fatal("no error")
	}
	if underWay.running != 0 {
		t.Errorf("%d bytes are under way", underWay.running)
	}
}
