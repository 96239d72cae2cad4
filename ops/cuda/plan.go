package cuda

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// A virtual address names a buffer of a Builder and an offset in it, until the
// plan is bound to real memory.
const (
	virtualBit  Addr = 1 << 63
	bufferShift      = 40
	offsetMask  Addr = 1<<bufferShift - 1
)

func (a Addr) virtual() bool { return a&virtualBit != 0 }
func (a Addr) buffer() int   { return int(a &^ virtualBit >> bufferShift) }

// align is the alignment of every buffer in bytes.
const align = 256

func aligned(n int) int { return (n + align - 1) / align * align }

// tableBuffer is the buffer of the argument table itself.
const tableBuffer = 0

// buffer is memory that a plan needs for a while.
type buffer struct {
	size        int
	keep        bool
	first, last int // levels of the first and the last use; first < 0: unused
	at          int // offset in the arena
}

// task is one call of a kernel on arguments of its own.
type task struct {
	spec  *kernelSpec
	half  bool
	args  []byte
	parts []Part
	group int // see Together; 0: none
	level int // counted through all sections
}

// Builder collects the tasks of a plan. It may be used beside running plans, by
// one goroutine.
type Builder struct {
	SMs      int // multiprocessors of the device, to size launches by
	bufs     []buffer
	tasks    []task
	sections []int // first task of each
	group    int   // of the tasks that are added
	groups   int
}

// NewBuilder returns a Builder in its first section.
func NewBuilder(sms int) *Builder {
	return &Builder{SMs: sms, bufs: make([]buffer, 1), sections: []int{0}}
}

// Temp returns the address of a new buffer of n bytes whose content counts from its
// first writer to its last reader.
func (b *Builder) Temp(n int) Addr {
	b.bufs = append(b.bufs, buffer{size: n, first: -1})
	return virtualBit | Addr(len(b.bufs)-1)<<bufferShift
}

// Keep returns the address of a buffer whose content stays until the plan is run again.
func (b *Builder) Keep(n int) Addr {
	a := b.Temp(n)
	b.bufs[a.buffer()].keep = true
	return a
}

// Together says that the tasks which f adds do not need each other's results and
// write to different places, even where those lie in one buffer.
func (b *Builder) Together(f func()) {
	b.groups++
	b.group = b.groups
	f()
	b.group = 0
}

// Section starts a new section, which is launched on its own, after those before
// it, and returns its number.
func (b *Builder) Section() int {
	b.sections = append(b.sections, len(b.tasks))
	return len(b.sections) - 1
}

// Add adds a call of a kernel: args points to its struct of arguments, whose
// Parts are given apart; half chooses bfloat16 where the kernel has both types.
func Add[A any](b *Builder, kernel string, half bool, args *A, parts ...Part) {
	s, ok := kernels[kernel]
	if !ok || s.args != reflect.TypeFor[A]() {
		panic(fmt.Sprintf("cuda: kernel %s has no arguments of type %T", kernel, *args))
	}
	t := task{spec: s, half: half && s.typed, parts: parts, group: b.group}
	t.args = slices.Clone(unsafe.Slice((*byte)(unsafe.Pointer(args)), s.size))
	b.tasks = append(b.tasks, t)
}

// NeedsTicket is what an argument Ticket is set to where the kernel takes one;
// the plan gives it a counter of its own.
const NeedsTicket Addr = 1

// symbol is the name of the task's kernel in the module.
func (t *task) symbol() string {
	switch {
	case !t.spec.typed:
		return t.spec.name
	case t.half:
		return t.spec.name + "_bf16"
	}
	return t.spec.name + "_f32"
}

// accesses calls read or write for every address of the task that orders it.
func (t *task) accesses(read, write func(Addr)) {
	p := unsafe.Pointer(unsafe.SliceData(t.args))
	for _, f := range t.spec.fields {
		a := *addrAt(p, f.off)
		switch {
		case a == 0 || f.ticket:
		case f.writes:
			write(a)
		default:
			read(a)
		}
	}
	for _, q := range t.parts {
		for _, a := range []Addr{q.X, q.Scale, q.Shift, q.Add} {
			if a != 0 {
				read(a)
			}
		}
		if q.DX != 0 && t.spec.partsDX {
			write(q.DX)
		}
	}
}

// key identifies what an access touches: a buffer as a whole, or a fixed address.
func key(a Addr) Addr {
	if a.virtual() {
		return a &^ offsetMask
	}
	return a
}

// Launch is one launch of a group of tasks of the same kernel.
type Launch struct {
	Symbol string
	Blocks int // of the largest task
	Tasks  int
	Table  int // offset of the tasks' arguments in the table
	Level  int
	size   int // of one task's arguments
	first  int // place of its first task in the order of all
}

// Plan is a schedule of launches. It is bound to memory each time it is uploaded.
type Plan struct {
	Launches []Launch
	Sections []int // first launch of each section
	Arena    int   // bytes it needs beside its table
	Levels   int

	b       *Builder
	order   []int   // tasks in the order of the launches
	preds   [][]int // see predecessors
	table   []byte  // with virtual addresses
	patches []int   // offsets of these in table
}

// Plan orders the tasks: a task comes after those that wrote what it reads and
// those that read or wrote what it writes. Tasks of a level do not depend on each
// other, and those of them that call the same kernel become one launch
// (horizontal grouping).
func (b *Builder) Plan() *Plan {
	p := &Plan{b: b, preds: b.predecessors(), order: make([]int, len(b.tasks))}
	p.Levels = b.level(p.preds)
	b.place(p)
	for i := range p.order {
		p.order[i] = i
	}
	slices.SortStableFunc(p.order, func(x, y int) int {
		s, t := &b.tasks[x], &b.tasks[y]
		return cmp.Or(cmp.Compare(s.level, t.level), cmp.Compare(s.symbol(), t.symbol()))
	})
	for at, i := range p.order {
		t := &b.tasks[i]
		n := len(p.Launches)
		blocks := int(*(*int32)(unsafe.Pointer(&t.args[t.spec.blocks])))
		if n > 0 && p.Launches[n-1].Level == t.level && p.Launches[n-1].Symbol == t.symbol() {
			l := &p.Launches[n-1]
			l.Tasks++
			l.Blocks = max(l.Blocks, blocks)
		} else {
			p.Launches = append(p.Launches, Launch{Symbol: t.symbol(), Blocks: blocks, Tasks: 1, Table: len(p.table), Level: t.level, size: t.spec.size, first: at})
		}
		p.append(t)
	}
	p.appendParts()
	for _, task := range b.sections { // tasks of later sections have higher levels
		p.Sections = append(p.Sections, p.launchAfter(task))
	}
	return p
}

// launchAfter is the first launch of the tasks from the given one on.
func (p *Plan) launchAfter(task int) int {
	i := slices.IndexFunc(p.Launches, func(l Launch) bool { return p.order[l.first] >= task })
	if i < 0 {
		return len(p.Launches)
	}
	return i
}

// span are the launches of a section: from lo to before hi.
func (p *Plan) span(section int) (lo, hi int) {
	lo, hi = p.Sections[section], len(p.Launches)
	if section+1 < len(p.Sections) {
		hi = p.Sections[section+1]
	}
	return lo, hi
}

// tasks are those of a launch.
func (p *Plan) tasks(l Launch) []int { return p.order[l.first:][:l.Tasks] }

// bytes are those of the buffers that the tasks of a launch read or write, each
// counted once a task.
func (p *Plan) bytes(l Launch) (n int64) {
	for _, i := range p.tasks(l) {
		seen := map[int]bool{}
		use := func(a Addr) {
			if a.virtual() && !seen[a.buffer()] {
				seen[a.buffer()] = true
				n += int64(p.b.bufs[a.buffer()].size)
			}
		}
		p.b.tasks[i].accesses(use, use)
	}
	return n
}

// append adds the task's arguments to the table.
func (p *Plan) append(t *task) {
	at := len(p.table)
	p.table = append(p.table, t.args...)
	for _, f := range t.spec.fields {
		a := addrAt(unsafe.Pointer(&p.table[at]), f.off)
		if a.virtual() {
			p.patches = append(p.patches, at+int(f.off))
		}
	}
}

// appendParts adds the Parts of all tasks behind the arguments, and behind them a
// counter of 0 for every ticket, and points to them.
func (p *Plan) appendParts() {
	const size = int(unsafe.Sizeof(Part{}))
	var tickets []int // where their addresses are
	at := 0
	for _, i := range p.order {
		t := &p.b.tasks[i]
		for _, f := range t.spec.fields {
			if f.ticket && *addrAt(unsafe.Pointer(&p.table[at]), f.off) == NeedsTicket {
				tickets = append(tickets, at+int(f.off))
			}
		}
		if len(t.parts) > 0 {
			parts := len(p.table)
			p.table = append(p.table, unsafe.Slice((*byte)(unsafe.Pointer(&t.parts[0])), len(t.parts)*size)...)
			f := at + int(t.spec.fields[0].off) // Parts is the first field
			*addrAt(unsafe.Pointer(&p.table[f]), 0) = virtualBit | Addr(parts)
			p.patches = append(p.patches, f)
			for off := parts; off < len(p.table); off += 8 {
				if addrAt(unsafe.Pointer(&p.table[off]), 0).virtual() {
					p.patches = append(p.patches, off)
				}
			}
		}
		at += t.spec.size
	}
	for _, f := range tickets {
		*addrAt(unsafe.Pointer(&p.table[f]), 0) = virtualBit | Addr(len(p.table))
		p.patches = append(p.patches, f)
		p.table = append(p.table, make([]byte, 8)...)
	}
}

// Table is the size of the plan's table in bytes.
func (p *Plan) Table() int { return len(p.table) }

// Bind writes the table to dst with real addresses, for an arena and a table at
// the given places.
func (p *Plan) Bind(dst []byte, table, arena Addr) {
	copy(dst, p.table)
	for _, off := range p.patches {
		a := (*Addr)(unsafe.Pointer(&dst[off]))
		*a = p.Resolve(*a, table, arena)
	}
}

// Resolve is the real address of a virtual one.
func (p *Plan) Resolve(a, table, arena Addr) Addr {
	if !a.virtual() {
		return a
	}
	off := a & offsetMask
	switch n := a.buffer(); n {
	case tableBuffer:
		return table + off
	default:
		return arena + Addr(p.b.bufs[n].at) + off
	}
}
