package cell

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"oneshot/supernet/space"
)

// genotypeStart finds the call in a text. An assignment may stand in front of it, or what a
// logger writes there, as DARTS's search does: "03/26 10:11:12 AM genotype = Genotype(...)".
var genotypeStart = regexp.MustCompile(`(?m)^(?:[^#\n]*?[\s=.])??Genotype\s*\(`)

func init() {
	space.RegisterForm(space.Form{Name: "a Genotype(normal=[...], ...) as DARTS's code writes it",
		Is:    genotypeStart.MatchString,
		Parse: parseGenotype})
}

// Genotype writes an architecture as DARTS's code does (arXiv 1806.09055, cnn/genotypes.py),
// for those who carry it there. The text says the cells; which rules they are built by, it
// does not say.
func (s Space) Genotype(a space.Arch) string {
	outputs := s.Outputs(a)
	var fields []string
	for c, nodes := range s.Cells(a) {
		var pairs, states []string
		for i, n := range nodes {
			for _, p := range n {
				pairs = append(pairs, fmt.Sprintf("('%s', %d)", s.Ops[p.Op], p.Edge))
			}
			if outputs[c] == nil || slices.Contains(outputs[c], i) {
				states = append(states, fmt.Sprint(2+i))
			}
		}
		fields = append(fields, fmt.Sprintf("%s=[%s], %s_concat=[%s]", cellNames[c], strings.Join(pairs, ", "), cellNames[c], strings.Join(states, ", ")))
	}
	return "Genotype(" + strings.Join(fields, ", ") + ")"
}

// parseGenotype reads the constructor call that DARTS's code writes: normal and reduce are
// lists of (operation, input), two for each node; normal_concat and reduce_concat are
// lists or a range of the states that the output concatenates. They come in any order where
// they are named, as do the states. Numbers, names and lists may be numpy's.
//
// Which space the cells are of, a Genotype does not say. Cells that equal published ones
// are those. Others are of darts if it has their operations, else of nasnet, and pools
// have no normalisation, as in the code that the text is from.
func parseGenotype(text string) (space.Space, space.Arch, error) {
	r := &genotypeReader{text: text}
	r.call()
	if r.err != nil {
		return nil, nil, r.err
	}
	return spaceOf(r.cells)
}

// cells are two cells whose space is not known yet: their operations have names.
type cells struct {
	nodes   [2][]namedNode
	outputs [2]Outputs
}

type (
	namedNode [2]namedPair
	namedPair struct {
		edge int
		op   string
	}
)

// of is the architecture of s that has these cells; ok is false where s has none.
func (c cells) of(s Space) (a space.Arch, ok bool) {
	var nodes [2][]Node
	for k := range nodes {
		if len(c.nodes[k]) != s.Nodes {
			return nil, false
		}
		for _, named := range c.nodes[k] {
			var n Node
			for j, p := range named {
				if n[j] = (Pair{p.edge, slices.Index(s.Ops, p.op)}); n[j].Op < 0 {
					return nil, false
				}
			}
			nodes[k] = append(nodes[k], n)
		}
	}
	return s.Arch(nodes[0], nodes[1], c.outputs[:]...), true
}

// spaceOf finds the space of cells that do not name it.
func spaceOf(c cells) (space.Space, space.Arch, error) {
	for _, p := range published {
		s, want := p.open()
		if a, ok := c.of(s); ok && slices.Equal(a, want) {
			return s, a, nil
		}
	}
	for _, set := range []string{"darts", "nasnet"} {
		opened, err := space.Named{Ops: set, Nodes: len(c.nodes[0])}.Open()
		if err != nil {
			return nil, nil, err
		}
		if a, ok := c.of(opened.(Space)); ok {
			return opened, a, opened.Check(a)
		}
	}
	panic("cell: the reader has let an unknown operation pass")
}

// genotypeReader reads a Genotype from left to right, up to the first mistake.
type genotypeReader struct {
	text  string
	at    int
	err   error
	cells cells
}

// fail notes the first mistake and where it is.
func (r *genotypeReader) fail(at int, field, format string, args ...any) {
	if r.err == nil {
		r.err = &space.FieldError{Field: field, Msg: fmt.Sprintf(format, args...) + fmt.Sprintf(" (character %d)", at+1)}
	}
}

// next skips white space and comments and returns the character that stands there, 0 at the end.
func (r *genotypeReader) next() byte {
	for comment := false; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '\n':
			comment = false
		case c == '#':
			comment = true
		case !comment && c != ' ' && c != '\t' && c != '\r':
			return c
		}
	}
	return 0
}

// take skips one of these characters, and returns it, or 0 where another one stands.
func (r *genotypeReader) take(any string) byte {
	if c := r.next(); r.err == nil && c != 0 && strings.IndexByte(any, c) >= 0 {
		r.at++
		return c
	}
	return 0
}

// want is take, where nothing else may stand.
func (r *genotypeReader) want(field, any string) byte {
	c := r.take(any)
	if c == 0 {
		found := "the end"
		if r.next() != 0 {
			found = fmt.Sprintf("%.20q", r.text[r.at:])
		}
		r.fail(r.at, field, "%s where %s belongs", found, strings.Join(strings.Split(any, ""), " or "))
	}
	return c
}

// run skips and returns the characters that belong to a word or number.
func (r *genotypeReader) run(belongs func(c byte) bool) string {
	r.next()
	from := r.at
	for r.at < len(r.text) && belongs(r.text[r.at]) {
		r.at++
	}
	return r.text[from:r.at]
}

func letter(c byte) bool {
	return c == '_' || c == '.' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || digit(c)
}
func digit(c byte) bool { return '0' <= c && c <= '9' }

// number reads a number below 1000; no state has a larger one.
func (r *genotypeReader) number(field string) (v int) {
	r.next()
	at := r.at
	digits := r.run(digit)
	if len(digits) == 0 || len(digits) > 3 {
		r.fail(at, field, "%.20q is no number of a state", r.text[at:])
		return 0
	}
	for _, d := range digits {
		v = 10*v + int(d-'0')
	}
	return v
}

// items reads a list or a tuple of at most most items; a comma may follow the last one.
func (r *genotypeReader) items(field string, most int, item func(i int)) {
	closing := map[byte]string{'[': "]", '(': ")"}[r.want(field, "[(")]
	for i := 0; r.err == nil && r.take(closing) == 0; i++ {
		if i == most {
			r.fail(r.at, field, "has more than %d items", most)
			return
		}
		if item(i); r.take(",") == 0 {
			r.want(field, closing)
			return
		}
	}
}

// maxNodes is the most nodes of a cell (space.Named).
const maxNodes = 32

// genotypeFields are in the order in which a call need not name them.
var genotypeFields = []string{cellNames[0], cellNames[0] + "_concat", cellNames[1], cellNames[1] + "_concat"}

// wrapped reads a value and the type around it, as numpy writes both: np.int64(2).
func (r *genotypeReader) wrapped(field string, value func()) {
	r.next()
	at := r.at
	word := r.run(letter)
	if open := strings.HasPrefix(word, "np.") || strings.HasPrefix(word, "numpy."); !open || r.take("(") == 0 {
		r.at = at
		value()
		return
	}
	value()
	r.want(field, ")")
}

// call reads the whole text.
func (r *genotypeReader) call() {
	at := genotypeStart.FindStringIndex(r.text)
	if at == nil {
		r.fail(0, "genotype", "does not begin with Genotype(")
		return
	}
	r.at = at[1] // behind the bracket
	seen := map[string]bool{}
	for r.err == nil && r.take(")") == 0 {
		r.next()
		at := r.at
		field := r.run(letter)
		named := field != "" && r.take("=") != 0
		if !named && len(seen) < len(genotypeFields) {
			field, r.at = genotypeFields[len(seen)], at
		}
		if seen[field] {
			r.fail(at, field, "is there twice")
		}
		seen[field] = true
		kind, concat := strings.CutSuffix(field, "_concat")
		c := slices.Index(cellNames[:], kind)
		if c < 0 {
			r.fail(at, "genotype", "has the field %.20q, want normal, normal_concat, reduce and reduce_concat", field)
		}
		switch {
		case r.err != nil:
		case concat:
			r.concat(field, c, 0)
		default:
			r.cell(field, c)
		}
		if r.take(",") == 0 {
			r.want("genotype", ")")
			break
		}
	}
	if r.next() != 0 {
		r.fail(r.at, "genotype", "has more text behind it")
	}
	for _, field := range genotypeFields {
		if !seen[field] {
			r.fail(r.at, field, "is missing")
		}
	}
	if n := r.cells.nodes; len(n[0]) != len(n[1]) {
		r.fail(r.at, "reduce", "has %d nodes, normal has %d", len(n[1]), len(n[0]))
	}
	for c, kind := range cellNames {
		for _, i := range r.cells.outputs[c] {
			if i >= len(r.cells.nodes[c]) {
				r.fail(r.at, kind+"_concat", "%d is no node, want 2 to %d", 2+i, 1+len(r.cells.nodes[c]))
			}
		}
	}
}

// cell reads the pairs of a cell.
func (r *genotypeReader) cell(field string, c int) {
	var nodes []namedNode
	pairs := 0
	r.items(field, 2*maxNodes, func(i int) {
		if pairs++; i%2 == 0 {
			nodes = append(nodes, namedNode{})
		}
		nodes[i/2][i%2] = r.pair(fmt.Sprintf("%s[%d]", field, i), i/2)
	})
	if pairs == 0 || pairs%2 != 0 {
		r.fail(r.at, field, "has %d pairs, want two for each node", pairs)
	}
	r.cells.nodes[c] = nodes
}

// pair reads one (operation, input) of a node.
func (r *genotypeReader) pair(field string, node int) (p namedPair) {
	items := 0
	r.items(field, 2, func(i int) {
		r.next()
		at := r.at
		if items++; i == 0 {
			r.wrapped(field, func() { p.op = r.operation(field) })
			return
		}
		if r.wrapped(field, func() { p.edge = r.number(field) }); p.edge > 1+node {
			r.fail(at, field, "input %d of node %d, want 0 to %d", p.edge, node, 1+node)
		}
	})
	if items < 2 {
		r.fail(r.at, field, "has %d items, want an operation and its input", items)
	}
	return p
}

// operation reads the name of an operation, in either kind of quotes.
func (r *genotypeReader) operation(field string) string {
	known := opSets[len(opSets)-1].ops // the last has them all
	if strings.HasPrefix(r.text[r.at:], "u'") || strings.HasPrefix(r.text[r.at:], `u"`) {
		r.at++ // Python 2's
	}
	quote := r.want(field, `'"`)
	at := r.at
	op := r.run(letter)
	switch {
	case r.err != nil:
	case op == "none":
		r.fail(at, field, "none is no operation of a network: this Genotype is one of a search that is not done")
	case !slices.Contains(known, op):
		r.fail(at, field, "unknown operation %.20q, want one of %s", op, strings.Join(known, ", "))
	}
	r.want(field, string(rune(quote)))
	return op
}

// concat reads the states of a cell's output: a list of them or a range, within so many calls
// that only make one into another.
func (r *genotypeReader) concat(field string, c, within int) {
	var out Outputs
	r.next()
	add := func(at, state int) {
		switch {
		case state < 2:
			r.fail(at, field, "%d is an input of the cell, not a node", state)
		case slices.Contains(out, state-2):
			r.fail(at, field, "%d is there twice", state)
		}
		out = append(out, state-2)
	}
	at := r.at
	switch word := r.run(letter); word {
	case "":
		r.items(field, maxNodes, func(int) {
			r.next()
			at := r.at
			r.wrapped(field, func() { add(at, r.number(field)) })
		})
	case "list", "tuple", "array", "np.array", "numpy.array":
		if within > 1 {
			r.fail(at, field, "%s( within more than two others", word)
		}
		if r.want(field, "("); r.err == nil {
			r.concat(field, c, within+1)
			r.want(field, ")")
		}
		return
	case "range", "np.arange", "numpy.arange":
		var ends []int
		r.items(field, 3, func(int) { ends = append(ends, r.number(field)) })
		if len(ends) == 3 && ends[2] == 1 { // the step
			ends = ends[:2]
		}
		if len(ends) != 2 || ends[1]-ends[0] > maxNodes {
			r.fail(at, field, "want a range of two numbers that are at most %d apart", maxNodes)
			return
		}
		for state := ends[0]; state < ends[1]; state++ {
			add(at, state)
		}
	default:
		r.fail(at, field, "%.20q where a list or a range belongs", word)
	}
	if len(out) == 0 {
		r.fail(at, field, "has no node")
	}
	r.cells.outputs[c] = out
}
