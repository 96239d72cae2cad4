package measure

import (
	"fmt"
	"io"
	"slices"
	"time"

	"oneshot/internal/machine"
	"oneshot/internal/measure/kernels"
	"oneshot/internal/measure/peak"
	"oneshot/ops/cpu"
)

// seconds times f by the clock now.
func seconds(now func() time.Time, f func() error) (float64, error) {
	start := now()
	err := f()
	return max(1, now().Sub(start)).Seconds(), err // a rate over no time would be no number
}

// fastest is the time of f at its best. What is shorter than a tenth of a
// millisecond is repeated between two looks at the clock.
func fastest(now func() time.Time, f func()) time.Duration {
	const (
		shortest = 100 * time.Microsecond
		budget   = 30 * time.Millisecond
	)
	f()
	n := 1
	run := func() time.Duration {
		start := now()
		for range n {
			f()
		}
		return now().Sub(start)
	}
	took := run()
	for took < shortest && n < 1<<20 {
		n *= 2
		took = run()
	}
	best := took
	for spent, runs := took, 1; spent < budget || runs < 3; runs++ {
		took = run()
		spent += took
		best = min(best, took)
	}
	return best / time.Duration(n)
}

// measurePeak measures the machine's peaks.
func measurePeak(threads int, now func() time.Time) peak.Peak {
	p := cpu.NewPool(threads)
	defer p.Close()
	return peak.Measure(p, func(f func()) time.Duration { return fastest(now, f) })
}

// OpsReport is what `bench ops` prints. A share is the time that arithmetic or
// memory at its peak would need, as a part of the time taken.
type OpsReport struct {
	Bench   string      `json:"bench"`
	Threads int         `json:"threads"`
	ISA     string      `json:"isa"`
	CPU     string      `json:"cpu"`
	Peak    peakRates   `json:"peak"`
	Kernels []kernelRow `json:"kernels"` // one thread
	Cases   []caseRow   `json:"cases"`   // all threads
}

// peakRates is peak.Peak: GFLOP/s and GB/s, of one thread or of all.
type peakRates struct {
	GFLOPS     float64 `json:"gflops"`
	GFLOPSAll  float64 `json:"gflops_all"`
	ReadL1     float64 `json:"read_l1"`
	ReadL2     float64 `json:"read_l2"`
	CopyL2     float64 `json:"copy_l2"`
	ReadL3     float64 `json:"read_l3"`
	CopyL3     float64 `json:"copy_l3"`
	ReadL3All  float64 `json:"read_l3_all"`
	ReadMemory float64 `json:"read_memory"`
	CopyMemory float64 `json:"copy_memory"`
	ReadAll    float64 `json:"read_all"`
	CopyAll    float64 `json:"copy_all"`
}

type kernelRow struct {
	Name      string  `json:"name"`
	Shape     string  `json:"shape"`
	US        float64 `json:"us"`
	GFLOPS    float64 `json:"gflops"`
	GBPerS    float64 `json:"gb_per_s"`
	PeakShare float64 `json:"peak_share"` // of the arithmetic peak
	Roofline  float64 `json:"roofline_share"`
}

// caseRow is a whole separable convolution, forward and backward.
type caseRow struct {
	Op       string  `json:"op"`
	Shape    string  `json:"shape"`
	MSBest   float64 `json:"ms_best"`
	MSMedian float64 `json:"ms_median"`
	GFLOPS   float64 `json:"gflops"` // at the median
	GBPerS   float64 `json:"gb_per_s"`
	Roofline float64 `json:"roofline_share"`
}

// Ops measures the kernels of the processor on that many threads.
func (b Bench) Ops(threads int) (OpsReport, error) {
	isa, _ := cpu.ISA() // as in Network
	p := measurePeak(threads, b.UI.Now)
	r := OpsReport{Bench: "ops", Threads: threads, ISA: isa, CPU: machine.CPUModel(), Peak: peakRates{
		p.GFLOPS, p.GFLOPSAll, p.ReadL1, p.ReadL2, p.CopyL2, p.ReadL3, p.CopyL3, p.ReadL3All,
		p.ReadMemory, p.CopyMemory, p.ReadAll, p.CopyAll,
	}}
	for _, k := range kernels.Cases() {
		ns := float64(max(1, fastest(b.UI.Now, k.Run).Nanoseconds()))
		flops, bytes := float64(k.Flops), float64(k.Bytes)
		r.Kernels = append(r.Kernels, kernelRow{
			Name: k.Name, Shape: k.Shape, US: ns / 1e3, GFLOPS: flops / ns, GBPerS: bytes / ns,
			PeakShare: flops / p.GFLOPS / ns, Roofline: max(flops/p.GFLOPS, bytes/p.Bandwidth(k.Bytes)) / ns,
		})
	}
	var err error
	if r.Cases, err = b.cases(threads, p); err != nil {
		return r, fmt.Errorf("bench: %w", err)
	}
	return r, nil
}

// cases measures separable convolutions at the sizes of the reference job.
func (b Bench) cases(threads int, p peak.Peak) ([]caseRow, error) {
	const images = 64
	pool := cpu.NewPool(threads)
	defer pool.Close()
	var rows []caseRow
	for _, size := range [][2]int{{16, 32}, {32, 16}, {64, 8}} {
		for _, kernel := range []int{3, 5} {
			s, err := kernels.NewSeparable(pool, images, size[1], size[0], kernel)
			if err != nil {
				return nil, err
			}
			var took []float64
			for spent := 0.0; len(took) < 5 || spent < 0.3; {
				t, err := seconds(b.UI.Now, s.Run)
				if err != nil {
					return nil, err
				}
				spent += t
				took = append(took, t)
			}
			s.Close()
			took = took[2:] // warm
			mid := median(took)
			floor := max(float64(s.Flops)/p.GFLOPSAll, float64(s.Bytes)/p.BandwidthAll(s.Bytes)) / 1e9
			rows = append(rows, caseRow{
				Op: fmt.Sprintf("sep_conv_%dx%d", kernel, kernel), Shape: fmt.Sprintf("%dx%dx%dx%d", images, size[1], size[1], size[0]),
				MSBest: 1e3 * slices.Min(took), MSMedian: 1e3 * mid,
				GFLOPS: float64(s.Flops) / mid / 1e9, GBPerS: float64(s.Bytes) / mid / 1e9, Roofline: floor / mid,
			})
		}
	}
	return rows, nil
}

// Text writes the report for people.
func (r OpsReport) Text(w io.Writer) {
	p := r.Peak
	fmt.Fprintf(w, "%s, %d threads, %s\n", r.CPU, r.Threads, r.ISA)
	fmt.Fprintf(w, "peak of 1 thread   %.0f GFLOP/s; GB/s in 16 KiB %.0f, 512 KiB %.0f, 32 MiB %.1f, 256 MiB %.1f; copying - %.0f %.1f %.1f\n",
		p.GFLOPS, p.ReadL1, p.ReadL2, p.ReadL3, p.ReadMemory, p.CopyL2, p.CopyL3, p.CopyMemory)
	fmt.Fprintf(w, "peak of %d threads  %.0f GFLOP/s; GB/s in 32 MiB %.1f, 256 MiB %.1f; copying - %.1f\n\n",
		r.Threads, p.GFLOPSAll, p.ReadL3All, p.ReadAll, p.CopyAll)
	fmt.Fprintf(w, "%-12s %-16s %10s %8s %7s %6s %9s\n", "kernel", "1 thread", "us", "GFLOP/s", "GB/s", "peak", "roofline")
	for _, k := range r.Kernels {
		fmt.Fprintf(w, "%-12s %-16s %10.2f %8.1f %7.1f %4.0f %% %7.0f %%\n", k.Name, k.Shape, k.US, k.GFLOPS, k.GBPerS, 100*k.PeakShare, 100*k.Roofline)
	}
	fmt.Fprintf(w, "\n%-12s %-16s %10s %8s %7s %6s %9s\n", "fwd + bwd", fmt.Sprintf("%d threads", r.Threads), "ms", "GFLOP/s", "GB/s", "", "roofline")
	for _, c := range r.Cases {
		fmt.Fprintf(w, "%-12s %-16s %10.2f %8.1f %7.1f %6s %7.0f %%\n", c.Op, c.Shape, c.MSMedian, c.GFLOPS, c.GBPerS, "", 100*c.Roofline)
	}
}
