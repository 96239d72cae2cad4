package nb201

import (
	"slices"
	"sync"

	"oneshot/supernet/space"
)

// total is how many architectures there are, twins included.
const total = nOps * nOps * nOps * nOps * nOps * nOps

// index numbers the architectures in the order of their choices; arch is the inverse.
func index(a space.Arch) int {
	i := 0
	for _, op := range a {
		i = i*nOps + op
	}
	return i
}

func arch(i int) space.Arch {
	a := make(space.Arch, len(edges))
	for k := len(a) - 1; k >= 0; k-- {
		a[k], i = i%nOps, i/nOps
	}
	return a
}

// twins says which architectures are one function.
type twins struct {
	of    [total]uint16 // the first of the twins of each architecture
	first []uint16      // the first of each class, ascending, but for the network of nothing
}

var classes = sync.OnceValue(newTwins)

func newTwins() *twins {
	t := &twins{}
	s := sums{ids: map[[maxTerms]term]int16{}}
	seen := map[function]uint16{}
	for i := range total {
		f := s.function(arch(i))
		first, twin := seen[f]
		if !twin {
			first = uint16(i)
			seen[f] = first
			if f.sum != 0 {
				t.first = append(t.first, first)
			}
		}
		t.of[i] = first
	}
	return t
}

// function is what a cell computes, up to the names of its convolutions. Which terms share one
// is not told, but how many there are: in cells of four nodes that makes the same classes.
type function struct {
	sum    int16 // that is its output; 0: nothing
	convs1 int   // convolutions that are read, of each kind
	convs3 int
}

// term is a part of a sum: an operation of another sum, by its number, or the input.
type term struct {
	op  int8 // skip: the input
	sum int16
}

// maxTerms is the most terms of a sum: of skips alone node 1 is the input, node 2 twice that,
// node 3 four times.
const maxTerms = 4

// sums numbers sums by their terms in order, from 1; 0 is the sum of none.
type sums struct{ ids map[[maxTerms]term]int16 }

// function is that of an architecture. Edges come in the order of the nodes they enter.
func (s sums) function(a space.Arch) function {
	var (
		terms [nodes][]term
		ids   [nodes]int16 // of the sums
		read  [nodes]uint  // the convolutions that a node depends on: bit i for edge i
	)
	terms[0] = []term{{op: skip}}
	ids[0] = s.id(terms[0])
	for i, e := range edges {
		if a[i] != none && ids[e.from] != 0 {
			read[e.to] |= read[e.from]
			switch a[i] {
			case skip:
				terms[e.to] = append(terms[e.to], terms[e.from]...)
			case conv1, conv3:
				read[e.to] |= 1 << i
				fallthrough
			default:
				terms[e.to] = append(terms[e.to], term{int8(a[i]), ids[e.from]})
			}
		}
		if e.from == e.to-1 { // the last edge of its node
			ids[e.to] = s.id(terms[e.to])
		}
	}
	f := function{sum: ids[nodes-1]}
	for i, op := range a {
		switch read[nodes-1] >> i & 1 * uint(op) {
		case conv1:
			f.convs1++
		case conv3:
			f.convs3++
		}
	}
	return f
}

// id is the number of a sum, whose terms it brings into order.
func (s sums) id(terms []term) int16 {
	if len(terms) == 0 {
		return 0
	}
	slices.SortFunc(terms, func(x, y term) int {
		return (int(x.op)-int(y.op))<<16 + int(x.sum) - int(y.sum)
	})
	var key [maxTerms]term
	copy(key[:], terms)
	id, known := s.ids[key]
	if !known {
		id = int16(len(s.ids) + 1)
		s.ids[key] = id
	}
	return id
}
