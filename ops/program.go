package ops

import "slices"

// Program is a straight line of instructions over named memory, as package graph
// compiles them. It may be run any number of times, by one goroutine at a time.
type Program struct {
	Instrs []Instr
	Arena  int   // elements of the arena it needs
	Kept   []Mem // values that can be read after a run, until the next of any program on the same backend
	Params []Mem // parameters its operations read, in the operations' order
}

// Kind says what an instruction does.
type Kind uint8

const (
	Forward  Kind = iota // runs Op forward
	Backward             // runs Op backward
	Sum                  // writes the sum of Call.In to Call.Out
	Fill                 // writes 1 to every element of Call.Out
)

// Instr is one instruction. Sum and Fill have no Op, and of Call only the memory
// named above.
type Instr struct {
	Kind Kind
	Op   Op
	Call Call
}

// Run executes the program on b. mode and momentum are those of batch
// normalisation (see Mode).
func (p *Program) Run(b Backend, mode Mode, momentum float64) error {
	if err := b.Reserve(p.Arena); err != nil {
		return err
	}
	for i := range p.Instrs {
		in := &p.Instrs[i]
		in.Call.Mode, in.Call.Momentum = mode, momentum
		var err error
		switch in.Kind {
		case Forward:
			err = b.Forward(in.Op, &in.Call)
		case Backward:
			err = b.Backward(in.Op, &in.Call)
		case Sum:
			err = b.Sum(in.Call.Out, in.Call.In)
		case Fill:
			err = b.Fill(in.Call.Out, 1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ArenaSize is the room that n elements take in an arena: pieces begin at multiples of 64 bytes of
// float32.
func ArenaSize(n int) int { return (n + arenaAlign - 1) / arenaAlign * arenaAlign }

const arenaAlign = 16

// Clone returns a program that may run at the same time as p, on another backend.
func (p *Program) Clone() *Program {
	c := *p
	c.Instrs = slices.Clone(p.Instrs) // Run writes to the instructions, not to what they refer to
	return &c
}
