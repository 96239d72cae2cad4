package pipeline

import (
	"fmt"

	"oneshot/internal/fault"
	"oneshot/internal/machine"
	"oneshot/internal/plan"
	"oneshot/internal/ui"
	"oneshot/supernet"
)

// Room is the memory that an evaluation of an exported network may take.
type Room struct {
	Limit  int64 // in bytes; 0 is what the machine has free
	KeepGC bool  // the user has set how often garbage is collected
}

// readerBytes is about what decoding a photograph takes, for whoever does not know the images.
const readerBytes = 40_000_000

// fit chooses how many images go through the network at a time: as many as are fast, or as many fewer as there is room for.
// It says what that needs, and has garbage collected accordingly until restore. images is what of the count lies in memory already,
// readers what decoding takes. No figure depends on the choice but the last digits of a mean loss.
func (m Room) fit(u *ui.UI, x *Exported, count int, images, readers int64) (batch int, restore func(), err error) {
	if x.Net.Runtime().Device() != "cpu" { // whose memory another estimate would be of
		return evalBatch, func() {}, nil
	}
	limit, whose := m.Limit, "the limit is"
	if limit == 0 {
		limit, whose = machine.AvailableMemory(), "free are"
	}
	most := max(1, min(evalBatch, count))
	for batch = most; ; batch /= 2 {
		need, err := supernet.EstimateEvaluation(x.Config, x.Arch, batch, x.Net.Runtime().Threads())
		if err != nil {
			return 0, nil, err
		}
		all := sure(plan.EvaluationNeed(need, images, readers))
		if limit == 0 || all <= limit {
			m.announce(u, batch, most, all, readers)
			return batch, m.collect(need, images), nil
		}
		if batch == 1 {
			return 0, nil, fault.New(fault.ExitSpace, "--img-size takes smaller images; --memory-limit says how much memory may be taken",
				"%s: with images of %d pixels one at a time needs about %d MB, %s %d MB", x.File, x.Config.Image, megabytes(all), whose, limit/1_000_000)
		}
	}
}

func (m Room) announce(u *ui.UI, batch, most int, need, readers int64) {
	more := ""
	if batch < most {
		more = fmt.Sprintf(" with %d images at a time instead of %d", batch, most)
	}
	if readers > 0 {
		more += fmt.Sprintf(", at most %d of it to decode images", megabytes(readers))
	}
	u.Infof("memory   needs about %d MB%s", megabytes(need), more)
}

// collect sets how often garbage is collected until restore.
func (m Room) collect(need supernet.Memory, images int64) (restore func()) {
	more := machine.LessGarbage(need.Heap()+images, m.KeepGC)
	if m.Limit == 0 {
		return more
	}
	wider := machine.LimitHeap(m.Limit - plan.ProgramBytes - need.Arena)
	return func() { wider(); more() }
}
