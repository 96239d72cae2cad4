package cuda

import (
	"math/rand/v2"
	"testing"
	"unsafe"
)

// randomPlan makes a plan of fills and sums of random buffers.
func randomPlan(r *rand.Rand, n int) (*Builder, []SumArgs) {
	b := NewBuilder(4)
	var bufs []Addr
	for range 1 + n/3 {
		bufs = append(bufs, b.Temp(4*(1+r.IntN(1000))))
	}
	var sums []SumArgs
	for range n {
		a := SumArgs{Dst: bufs[r.IntN(len(bufs))], Blocks: 1, N: 1}
		for range r.IntN(4) {
			a.Src[a.NSrc] = bufs[r.IntN(len(bufs))]
			a.NSrc++
		}
		sums = append(sums, a)
		Add(b, "sum", r.IntN(2) == 0, &a)
		if r.IntN(20) == 0 {
			b.Section()
		}
	}
	return b, sums
}

// TestPlanKeepsTheOrder: of two tasks of which one writes what the other reads or
// writes, the later has the higher level.
func TestPlanKeepsTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pairs := 0
	for range 50 {
		b, sums := randomPlan(r, 60)
		b.Plan()
		touches := func(a SumArgs, x Addr) bool {
			for _, s := range a.Src[:a.NSrc] {
				if s == x {
					return true
				}
			}
			return a.Dst == x
		}
		for i := range sums {
			for j := i + 1; j < len(sums); j++ {
				if touches(sums[i], sums[j].Dst) || touches(sums[j], sums[i].Dst) {
					pairs++
					if b.tasks[i].level >= b.tasks[j].level {
						t.Fatalf("task %d at level %d, task %d, which depends on it, at %d", i, b.tasks[i].level, j, b.tasks[j].level)
					}
				}
			}
		}
	}
	if pairs == 0 {
		t.Fatal("no tasks depended on each other")
	}
}

// TestPlanSharesNoMemoryInUse: buffers in use at the same level do not overlap, and
// the arena is smaller than all buffers together.
func TestPlanSharesNoMemoryInUse(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		b, _ := randomPlan(r, 60)
		p := b.Plan()
		total := 0
		for i, x := range b.bufs {
			if i == tableBuffer || x.first < 0 {
				continue
			}
			total += aligned(x.size)
			if x.at+x.size > p.Arena || x.at%align != 0 {
				t.Fatalf("buffer %d at %d of %d bytes in an arena of %d", i, x.at, x.size, p.Arena)
			}
			for k, y := range b.bufs[:i] {
				if k == tableBuffer || y.first < 0 || y.last < x.first || x.last < y.first {
					continue
				}
				if x.at < y.at+y.size && y.at < x.at+x.size {
					t.Fatalf("buffers %d and %d overlap while both are in use", k, i)
				}
			}
		}
		if p.Arena > total {
			t.Fatalf("arena of %d bytes for buffers of %d", p.Arena, total)
		}
	}
}

// TestPlanBindsAddresses: virtual addresses become places in the arena and in the
// table, others stay.
func TestPlanBindsAddresses(t *testing.T) {
	b := NewBuilder(4)
	x, y := b.Temp(100), b.Keep(100)
	a := ConvArgs{Z: y, W: 0x1234, Blocks: 3, Norm: Norm{Ticket: NeedsTicket}}
	Add(b, "fill", false, &FillArgs{Dst: x, Blocks: 1})
	Add(b, "conv_fwd16", false, &a, Part{X: x, Scale: 0x5678}, Part{X: x + 8})
	p := b.Plan()
	table := make([]byte, p.Table())
	p.Bind(table, 1<<20, 1<<30)
	got := (*ConvArgs)(unsafe.Pointer(&table[p.Launches[1].Table]))
	if got.W != 0x1234 || got.Z != p.Resolve(y, 1<<20, 1<<30) || got.Z < 1<<30 || got.Blocks != 3 {
		t.Errorf("bound to %+v", got)
	}
	parts := unsafe.Slice((*Part)(unsafe.Pointer(&table[got.Parts-1<<20])), 2)
	at := p.Resolve(x, 1<<20, 1<<30)
	if parts[0].X != at || parts[0].Scale != 0x5678 || parts[1].X != at+8 || parts[1].Scale != 0 {
		t.Errorf("parts bound to %+v", parts)
	}
	if ticket := *(*uint32)(unsafe.Pointer(&table[got.Norm.Ticket-1<<20])); ticket != 0 {
		t.Errorf("ticket starts at %d", ticket)
	}
	if p.Launches[1].Level != p.Launches[0].Level+1 || p.Launches[1].Tasks != 1 {
		t.Errorf("launches %+v", p.Launches)
	}
}

// TestEqualKernelsOfALevelAreOneLaunch.
func TestEqualKernelsOfALevelAreOneLaunch(t *testing.T) {
	b := NewBuilder(4)
	for i := range 5 {
		Add(b, "fill", i == 4, &FillArgs{Dst: b.Temp(4), Blocks: int32(1 + i)})
	}
	p := b.Plan()
	if len(p.Launches) != 2 || p.Launches[1].Tasks != 4 || p.Launches[1].Blocks != 4 || p.Launches[0].Tasks != 1 {
		t.Errorf("launches %+v", p.Launches)
	}
}
