package main

import (
	"fmt"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A stripPass is the frame of the passes over pixels of channels. It takes a
// group of a few vectors of channels, keeps their coefficients and sums in
// registers and walks over the pixels.
//
// A group of one vector takes four pixels a turn and one of two vectors two,
// each pixel of a turn with sums of its own: so four additions or more are
// under way at a time. An order of summation thus depends on n and ch only.
//
// The parameter form chooses the code, see forms. The last vector of a group may
// be whole, or under mask, or half: for AVX2, if half of its lanes belong to the
// group. Halves need no mask, and masked vectors are slow in place: a load of a
// pixel overlaps the lanes that the store of the pixel before it did not write,
// but waits for that store all the same.
type stripPass struct {
	isa            vecISA
	name, ref, sig string
	max            int      // the most vectors of a group
	streams        []string // operands with pixels
	steps          []string // the parameter with the distance of the pixels of each
	coefs          []string // operands with one value a channel
	sums           []string // results with one value a channel, added to
	temps          int      // registers that body uses

	// The form being emitted.
	stripForm
	pixels int
}

// A stripForm is the vectors of a group and what the last one is.
type stripForm struct{ vectors, last int }

// forms lists the values of the parameter form. Where there are sums, a group's
// number of vectors decides about their order, so every number up to max has its
// form, whole, masked and half. Other passes take powers of two, all whole, and
// what is left of the channels in a group of its own: AVX-512 leaves numbers of
// channels with such a rest to AVX2.
func (p *stripPass) forms() (list []stripForm) {
	switch {
	case len(p.sums) > 0:
		for last := whole; last <= half && !(p.isa.wide && last == half); last++ {
			for v := range p.max {
				list = append(list, stripForm{v + 1, last})
			}
		}
		return list
	case !p.isa.wide:
		list = []stripForm{{1, masked}, {1, half}}
	}
	for v := 1; v <= p.max; v *= 2 {
		list = append(list, stripForm{v, whole})
	}
	return list
}

// The last vector of a group.
const (
	whole = iota
	masked
	half
)

var (
	stripPtr  = []GPPhysical{RSI, RDI, R8, R9}
	stripStep = []GPPhysical{R10, R11}
	stripRow  = []GPPhysical{R12, R13} // the start of a row of each stream
)

// Registers: coefficients and sums from 0 up, then free ones, temporaries, the
// constant and the mask of AVX2.

func (p *stripPass) coef(i, j int) VecPhysical { return p.isa.reg[i*p.vectors+j] }

func (p *stripPass) sum(i, u, j int) VecPhysical {
	return p.isa.reg[(len(p.coefs)+i*p.pixels+u)*p.vectors+j]
}

func (p *stripPass) constant() VecPhysical { return p.isa.reg[len(p.isa.reg)-2] }

func (p *stripPass) temp(i int) VecPhysical { return p.isa.reg[len(p.isa.reg)-3-i] }

// plan sets the form, with fewer pixels a turn where registers run short.
func (p *stripPass) plan(form stripForm) {
	p.stripForm = form
	fits := func() bool {
		return (len(p.coefs)+len(p.sums)*p.pixels)*p.vectors <= len(p.isa.reg)-2-p.temps
	}
	for p.pixels = max(4/p.vectors, 1); !fits(); p.pixels /= 2 {
		if p.pixels == 1 {
			panic(p.name + ": too few registers")
		}
	}
}

func (p *stripPass) load(stream string, j int, v VecPhysical) {
	p.read(p.addr(stream, j), j, v)
}

func (p *stripPass) store(v VecPhysical, stream string, j int) {
	p.write(v, j, p.addr(stream, j))
}

// read loads vector j of the group; lanes beyond the group become zero.
func (p *stripPass) read(m Mem, j int, v VecPhysical) {
	if p.last == half && j == p.vectors-1 {
		VMOVUPS(m, v.AsX())
		return
	}
	p.isa.load(m, v, p.last == masked && j == p.vectors-1)
}

func (p *stripPass) write(v VecPhysical, j int, m Mem) {
	if p.last == half && j == p.vectors-1 {
		VMOVUPS(v.AsX(), m)
		return
	}
	p.isa.store(v, m, p.last == masked && j == p.vectors-1)
}

func (p *stripPass) addr(stream string, j int) Mem {
	return Mem{Base: stripPtr[slices.Index(p.streams, stream)], Disp: j * p.isa.bytes()}
}

// emit writes the pass. constant sets the constant register, body computes
// vector j of pixel u of a turn. A pass with rows has the parameters rows, and
// row for every stream's distance of rows.
func (p *stripPass) emit(rows []string, constant func(), body func(u, j int)) {
	p.name += p.isa.name
	TEXT(p.name, NOSPLIT, "func("+p.sig+")")
	Doc(fmt.Sprintf("%s works like %s on a group of channels, see", p.name, p.ref),
		"stripPass in _asm/channel_pass.go for form and mask.")
	Pragma("noescape")
	for i, s := range p.streams {
		load(s, stripPtr[i])
	}
	for i, s := range p.steps {
		loadBytes(s, stripStep[i])
	}
	for i := range rows {
		MOVQ(stripPtr[i], stripRow[i])
	}
	constant()
	forms := p.forms()
	load("form", RAX)
	branch(RAX, 0, len(forms)-1, "form")
	for form, what := range forms {
		p.plan(what)
		Label(fmt.Sprintf("form%d", form))
		p.begin()
		if len(rows) > 0 {
			Label(tagged("row", form))
		}
		p.walk(form, body)
		if len(rows) > 0 {
			for i, s := range rows {
				load(s, RBX)
				LEAQ(Mem{Base: stripRow[i], Index: RBX, Scale: 4}, stripRow[i])
				MOVQ(stripRow[i], stripPtr[i])
			}
			DECQ(mustAddr(Param("rows")))
			JNZ(LabelRef(tagged("row", form)))
		}
		p.finish()
		leave()
	}
}

// begin loads the coefficients and clears the sums.
func (p *stripPass) begin() {
	if p.last == masked {
		load("mask", RBX)
		p.isa.loadMask(RBX)
	}
	for i, c := range p.coefs {
		load(c, RBX)
		for j := range p.vectors {
			p.read(Mem{Base: RBX, Disp: j * p.isa.bytes()}, j, p.coef(i, j))
		}
	}
	first := len(p.coefs) * p.vectors
	p.isa.clear(p.isa.reg[first:][:len(p.sums)*p.pixels*p.vectors]...)
}

// walk emits the loop over n pixels.
func (p *stripPass) walk(form int, body func(u, j int)) {
	count := RAX
	turn := func(pixels int) {
		for u := range pixels {
			for j := range p.vectors {
				body(u, j)
			}
			for i := range p.streams {
				ADDQ(stripStep[min(i, len(p.steps)-1)], stripPtr[i])
			}
		}
	}
	load("n", count)
	SUBQ(U8(p.pixels), count)
	JLT(LabelRef(tagged("rest", form)))
	Label(tagged("turn", form))
	turn(p.pixels)
	SUBQ(U8(p.pixels), count)
	JGE(LabelRef(tagged("turn", form)))
	Label(tagged("rest", form))
	if p.pixels == 1 {
		return
	}
	ADDQ(U8(p.pixels), count)
	JZ(LabelRef(tagged("done", form)))
	Label(tagged("pixel", form))
	turn(1)
	DECQ(count)
	JNZ(LabelRef(tagged("pixel", form)))
	Label(tagged("done", form))
}

// finish adds up the sums of the pixels of a turn, then adds them to memory.
func (p *stripPass) finish() {
	for i, name := range p.sums {
		load(name, RBX)
		for j := range p.vectors {
			for d := p.pixels / 2; d > 0; d /= 2 {
				for u := range d {
					VADDPS(p.sum(i, u+d, j), p.sum(i, u, j), p.sum(i, u, j))
				}
			}
			m := Mem{Base: RBX, Disp: j * p.isa.bytes()}
			p.read(m, j, p.temp(0))
			VADDPS(p.temp(0), p.sum(i, 0, j), p.temp(0))
			p.write(p.temp(0), j, m)
		}
	}
}
