package cuda

import "oneshot/ops/cuda/driver"

// KernelTime is what the launches of one kernel took in a section.
type KernelTime struct {
	Symbol   string
	Launches int
	Tasks    int
	Seconds  float64
	// Bytes are those of the plan's buffers that the tasks read or write, each
	// counted once a task: what a launch has to move at least, if it uses all of
	// them.
	Bytes int64

	Slowest      float64 // seconds of the slowest launch, which had so many
	SlowestTasks int
	SlowestGrid  int // blocks of the largest task
}

// Profile runs a section launch by launch between events and returns a row for
// each kernel, in the order of their first launch. The times include the gaps
// between launches, so that their sum is more than the section takes otherwise.
func (l *Loaded) Profile(section int, r Run) ([]KernelTime, error) {
	var rows []KernelTime
	err := l.e.Do(func(s *Stream) error {
		if err := l.bind(); err != nil {
			return err
		}
		lo, hi := l.plan.span(section)
		events := make([]driver.Event, 0, hi-lo+1)
		for i := lo; i <= hi; i++ {
			ev, err := l.e.d.NewEvent()
			if err != nil {
				return err
			}
			events = append(events, ev)
			if err := l.e.d.Record(ev, l.e.stream); err != nil {
				return err
			}
			if i < hi {
				if err := s.launch(l, i, &r); err != nil {
					return err
				}
			}
		}
		if err := l.e.d.Synchronize(l.e.stream); err != nil {
			return err
		}
		at := map[string]int{}
		for i := lo; i < hi; i++ {
			x := l.plan.Launches[i]
			ms, err := l.e.d.Elapsed(events[i-lo], events[i-lo+1])
			if err != nil {
				return err
			}
			k, ok := at[x.Symbol]
			if !ok {
				k = len(rows)
				at[x.Symbol] = k
				rows = append(rows, KernelTime{Symbol: x.Symbol})
			}
			rows[k].Launches++
			rows[k].Tasks += x.Tasks
			rows[k].Seconds += ms / 1e3
			rows[k].Bytes += l.plan.bytes(x)
			if ms/1e3 > rows[k].Slowest {
				rows[k].Slowest, rows[k].SlowestTasks, rows[k].SlowestGrid = ms/1e3, x.Tasks, x.Blocks
			}
		}
		for _, ev := range events {
			if err := l.e.d.FreeEvent(ev); err != nil {
				return err
			}
		}
		return nil
	})
	return rows, err
}

// CopyBandwidth measures a copy of n bytes on the device: bytes read and written a
// second, the best of some repetitions.
func (e *Engine) CopyBandwidth(n int) (float64, error) {
	src, err := e.Alloc(n)
	if err != nil {
		return 0, err
	}
	defer e.Free(src)
	dst, err := e.Alloc(n)
	if err != nil {
		return 0, err
	}
	defer e.Free(dst)
	from, err := e.NewEvent()
	if err != nil {
		return 0, err
	}
	to, err := e.NewEvent()
	if err != nil {
		return 0, err
	}
	best := 0.0
	for range 10 {
		err := e.Do(func(s *Stream) error {
			if err := s.Record(from); err != nil {
				return err
			}
			if err := s.Copy(dst, src, n); err != nil {
				return err
			}
			return s.Record(to)
		})
		if err != nil {
			return 0, err
		}
		ms, err := e.Took(from, to)
		if err != nil {
			return 0, err
		}
		if ms > 0 {
			best = max(best, 2*float64(n)/(ms/1e3))
		}
	}
	return best, nil
}
