package supernet

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"oneshot/data"
	"oneshot/internal/rng"
)

func cpuTime() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func TestTmpTrain(t *testing.T) {
	th, _ := strconv.Atoi(os.Getenv("TH"))
	if th == 0 {
		t.Skip()
	}
	rt, _ := NewRuntime("cpu", th)
	defer rt.Close()
	n, _ := New(DefaultNet(), 1, rt)
	c := DefaultTrain()
	bsz := 64
	if v, _ := strconv.Atoi(os.Getenv("BSZ")); v > 0 {
		bsz = v
	}
	c.Batch = bsz
	tr := bareTrainer(n, c)
	batch := &data.Batch{N: bsz, X: make([]float32, bsz*32*32*3), Y: make([]int32, bsz)}
	r := rng.New(1, "bench")
	for i := range batch.X {
		batch.X[i] = float32(r.NormFloat64())
	}
	var gs []*graph
	for i := range 8 {
		g, err := n.build(tr.back, tr.archOf(i), tr.spec())
		if err != nil {
			t.Fatal(err)
		}
		gs = append(gs, g)
	}
	reps, _ := strconv.Atoi(os.Getenv("REPS"))
	best := make([]time.Duration, 8)
	var cpu0 time.Duration
	for rep := range reps + 1 {
		if rep == 1 {
			cpu0 = cpuTime()
		}
		for i, g := range gs {
			t0 := time.Now()
			tr.fill(g, batch)
			st, err := tr.run(g, batch)
			if err != nil {
				t.Fatal(err)
			}
			if err := tr.descend(g, st); err != nil {
				t.Fatal(err)
			}
			if d := time.Since(t0); rep > 0 && (best[i] == 0 || d < best[i]) {
				best[i] = d
			}
		}
	}
	var sum time.Duration
	for _, b := range best {
		sum += b
	}
	t.Logf("arena %d MB", gs[0].prog.ArenaLen()*4>>20)
	t.Logf("threads %d: best mean %.1f ms = %.1f images/s, cpu %.1f ms a step", th, sum.Seconds()/8*1e3, float64(bsz)*8/sum.Seconds(), (cpuTime()-cpu0).Seconds()*1e3/float64(8*reps))
}

func TestTmpEval(t *testing.T) {
	th, _ := strconv.Atoi(os.Getenv("TH"))
	if th == 0 {
		t.Skip()
	}
	rt, _ := NewRuntime("cpu", th)
	defer rt.Close()
	n, _ := New(DefaultNet(), 1, rt)
	c := DefaultTrain()
	bsz := 64
	if v, _ := strconv.Atoi(os.Getenv("BSZ")); v > 0 {
		bsz = v
	}
	c.Batch = bsz
	tr := bareTrainer(n, c)
	reps, _ := strconv.Atoi(os.Getenv("REPS"))
	e := newEvaluator(n, n.state)
	eb := &data.Batch{N: 250, X: make([]float32, 250*32*32*3), Y: make([]int32, 250)}
	for _, m := range []int{1, 2, 4, 8, 16} {
		e.lanes.perLane = m
		var tot time.Duration
		for i := range 8 {
			e.lanes.arch = ""
			var b time.Duration
			for rep := range reps + 1 {
				t0 := time.Now()
				if _, err := e.lanes.run(tr.archOf(i), eb); err != nil {
					t.Fatal(err)
				}
				if d := time.Since(t0); rep > 0 && (b == 0 || d < b) {
					b = d
				}
			}
			tot += b
		}
		t.Logf("eval %d a lane: %.1f images/s", m, 250*8/tot.Seconds())
	}
}
