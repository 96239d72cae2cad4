package plan

import (
	"fmt"
	"sort"

	"oneshot/internal/fault"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// Width is the width of a network with what the network then has.
type Width struct {
	Channels      int
	Params, MAdds int64
	// Next is the next larger width, with Above multiply-adds; 0 where there is none.
	Next  int
	Above int64
}

// maxChannels is the end of the range of net.Geometry; a test holds them equal.
const maxChannels = 1024

// FitWidth finds the largest width with which the network of an architecture, otherwise
// built to size c, has at most max multiply-adds. They grow with every channel.
func FitWidth(c supernet.NetConfig, a space.Arch, max int64) (Width, error) {
	step := 1
	if c.Channels = 3; c.Check() != nil { // a form that wants even widths
		step = 2
	}
	var failed error
	cost := func(channels int) (params, madds int64) {
		at := c
		at.Channels = channels
		params, madds, err := at.Cost(a)
		if err != nil && failed == nil {
			failed = err
		}
		return params, madds
	}
	width := func(i int) int { return 2 + i*step }
	above := sort.Search((maxChannels-2)/step+1, func(i int) bool {
		_, madds := cost(width(i))
		return madds > max
	})
	if above == 0 {
		_, least := cost(width(0))
		if failed == nil {
			failed = fmt.Errorf("the narrowest network, of %d channels, has %d multiply-adds, and the ceiling is %d", width(0), least, max)
		}
		return Width{}, fault.WithCode(failed, fault.ExitUsage, "raise --fit-madds, or lower retrain.layers")
	}
	w := Width{Channels: width(above - 1)}
	w.Params, w.MAdds = cost(w.Channels)
	if next := width(above); next <= maxChannels {
		w.Next = next
		_, w.Above = cost(next)
	}
	return w, fault.WithCode(failed, fault.ExitUsage, "")
}
