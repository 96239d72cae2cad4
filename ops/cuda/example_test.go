package cuda_test

import (
	"fmt"

	"oneshot/ops/cuda"
)

// A plan is made without a GPU: tasks that do not depend on each other become one
// launch, and a task that reads what another writes comes a level later.
func Example() {
	const values = 1024
	b := cuda.NewBuilder(132) // multiprocessors of the device
	x, y := b.Temp(4*values), b.Temp(4*values)
	for _, dst := range []cuda.Addr{x, y} {
		cuda.Add(b, "fill", false, &cuda.FillArgs{Dst: dst, Blocks: 1, N: values, Value: 1})
	}
	sum := cuda.SumArgs{Dst: b.Keep(4 * values), NSrc: 2, Blocks: 1, N: values}
	sum.Src[0], sum.Src[1] = x, y
	cuda.Add(b, "sum", false, &sum)

	for _, l := range b.Plan().Launches {
		fmt.Printf("level %d: %d of %s\n", l.Level, l.Tasks, l.Symbol)
	}
	// Output:
	// level 0: 2 of fill_f32
	// level 1: 1 of sum_f32
}
