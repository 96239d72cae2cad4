package data

import (
	"math"
	"runtime"
	"sync"

	"oneshot/internal/rng"
)

// statisticsImages is how many images of files stand for all of them, resident or not: the
// mean of so many has an error of a few thousandths.
const statisticsImages = 2048

// statistics returns mean and standard deviation per channel, in [0,1], over the
// images of s, or statisticsImages of them that the seed draws. The sums are integers,
// hence exact and independent of order.
func statistics(s *split, seed uint64) (mean, std [3]float32, err error) {
	idx := s.idx
	if s.img.from != nil && len(idx) > statisticsImages {
		perm := rng.New(seed, "statistics").Perm(len(idx))[:statisticsImages]
		idx = make([]int32, statisticsImages)
		for k, j := range perm {
			idx[k] = s.idx[j]
		}
	}
	type sums struct{ n, sum, sq [3]uint64 }
	var total sums
	var mu sync.Mutex
	workers := min(runtime.GOMAXPROCS(0), max(1, len(idx)))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			var part sums
			r := s.img.reader()
			defer r.close()
			for k := w; k < len(idx); k += workers {
				v, e := r.view(idx[k])
				if e == errBad {
					continue
				}
				if e != nil {
					mu.Lock()
					err = e
					mu.Unlock()
					return
				}
				for p := v; len(p) >= 3; p = p[3:] {
					for c, v := range p[:3] {
						part.sum[c] += uint64(v)
						part.sq[c] += uint64(v) * uint64(v)
					}
				}
				for c := range part.n {
					part.n[c] += uint64(len(v) / 3)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for c := range total.n {
				total.n[c] += part.n[c]
				total.sum[c] += part.sum[c]
				total.sq[c] += part.sq[c]
			}
		})
	}
	wg.Wait()
	if err != nil {
		return mean, std, err
	}
	for c := range total.n {
		n := float64(max(total.n[c], 1))
		mu := float64(total.sum[c]) / n
		variance := float64(total.sq[c])/n - float64(mu*mu)
		mean[c] = float32(mu / 255)
		// A constant channel would divide by zero; one grey level is the floor.
		std[c] = float32(max(math.Sqrt(max(variance, 0)), 1) / 255)
	}
	return mean, std, nil
}
