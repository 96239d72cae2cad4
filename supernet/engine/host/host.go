// Package host is the processor's engine.
package host

import (
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet/engine"
)

// Engine is the workers of a processor.
type Engine struct{ pool *cpu.Pool }

// New starts the workers, with that many threads, at least 1.
func New(threads int) *Engine { return &Engine{cpu.NewPool(threads)} }

// Device implements engine.Engine.
func (e *Engine) Device() string { return "cpu" }

// Arithmetic implements engine.Engine.
func (e *Engine) Arithmetic() string {
	isa, _ := cpu.ISA()
	return "cpu float32 " + isa
}

// TrainMemory implements engine.Engine: there is no memory but that of the process.
func (e *Engine) TrainMemory(engine.Sizes, engine.TrainSpec, engine.Path) (engine.Memory, error) {
	return engine.Memory{}, nil
}

// ScoreMemory implements engine.Engine likewise.
func (e *Engine) ScoreMemory(engine.Sizes, engine.ScoreSizes, engine.Path) (engine.Memory, error) {
	return engine.Memory{}, nil
}

// LogitsMemory implements engine.Engine likewise.
func (e *Engine) LogitsMemory(engine.Sizes, int, engine.Path) (engine.Memory, error) {
	return engine.Memory{}, nil
}

// Free implements engine.Engine likewise.
func (e *Engine) Free() (int64, error) { return 0, nil }

// Close ends the workers.
func (e *Engine) Close() { e.pool.Close() }

// backend runs a network on the memory of its values.
func backend(pool *cpu.Pool, m engine.Model) *ops.CPU[float32] {
	b := ops.NewCPU[float32](pool)
	b.Bind(ops.Params, m.Params)
	b.Bind(ops.State, m.State)
	return b
}

// input is a backend's region of images, labels and masks.
type input struct {
	back *ops.CPU[float32]
	mem  []float32
}

// room makes the region large enough for a graph.
func (in *input) room(g *engine.Graph) {
	if len(in.mem) < g.InputLen() {
		in.mem = make([]float32, g.InputLen())
		in.back.Bind(ops.Input, in.mem)
	}
}

// put copies images (Batch,Image) and their labels to the region.
func (in *input) put(g *engine.Graph, x []float32, y []int32) {
	copy(in.back.At(g.Images()), x)
	engine.PutLabels(in.back.At(g.Labels()), y)
}
