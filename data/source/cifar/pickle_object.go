package cifar

import (
	"math"
	"unicode/utf8"
)

// The names a data batch needs. numpy 2 calls its inner package numpy._core.
const (
	reconstruct global = "_reconstruct" // makes an empty array, which BUILD fills
	frombuffer  global = "_frombuffer"  // makes an array of bytes, protocol 5
	ndarray     global = "ndarray"
	numpyType   global = "dtype"
	encode      global = "encode" // Latin-1 text to bytes: how Python 3 writes bytes in protocols 0 to 2
)

var globals = map[string]global{
	"numpy.core.multiarray _reconstruct":  reconstruct,
	"numpy._core.multiarray _reconstruct": reconstruct,
	"numpy.core.numeric _frombuffer":      frombuffer,
	"numpy._core.numeric _frombuffer":     frombuffer,
	"numpy ndarray":                       ndarray,
	"numpy dtype":                         numpyType,
	"_codecs encode":                      encode,
}

func (p *pickle) named(module, name string) (value, error) {
	g, ok := globals[module+" "+name]
	if !ok {
		return nil, p.fail("the pickle names %.60q, which no data batch needs; nothing of it was run", module+"."+name)
	}
	return g, nil
}

func (p *pickle) global() (value, error) {
	module, err := p.line()
	if err != nil {
		return nil, err
	}
	name, err := p.line()
	if err != nil {
		return nil, err
	}
	return p.named(string(module[:min(len(module), maxKey)]), string(name[:min(len(name), maxKey)]))
}

func (p *pickle) stackGlobal() (value, error) {
	v, err := p.pop(2)
	if err != nil {
		return nil, err
	}
	module, err := p.name(v[0])
	if err != nil {
		return nil, err
	}
	name, err := p.name(v[1])
	if err != nil {
		return nil, err
	}
	return p.named(module, name)
}

// reduce makes what a name and its arguments stand for. No name is called.
func (p *pickle) reduce() (value, error) {
	v, err := p.pop(2)
	if err != nil {
		return nil, err
	}
	g, ok := v[0].(global)
	args, isTuple := v[1].(tuple)
	if !ok || !isTuple {
		return nil, p.fail("REDUCE has no name or no arguments")
	}
	switch {
	case g == reconstruct && len(args) == 3 && args[0] == ndarray:
		return &array{}, nil
	case g == numpyType && len(args) > 0:
		name, err := p.name(args[0])
		return dtype(name), err
	case g == encode && len(args) == 2:
		return p.latin1(args[0], args[1])
	case g == frombuffer && len(args) == 4:
		order, err := p.name(args[3])
		if err != nil {
			return nil, err
		}
		a := &array{}
		return a, p.fill(a, args[2], args[1], order == "F", args[0])
	}
	return nil, p.fail("%s has %d arguments that no data batch has", string(g), len(args))
}

// latin1 is _codecs.encode(text, "latin1"): a byte per character.
func (p *pickle) latin1(text, codec value) (value, error) {
	s, ok := text.(unicode)
	if name, err := p.name(codec); !ok || err != nil || (name != "latin1" && name != "latin-1") {
		return nil, p.fail("text is encoded otherwise than as latin1")
	}
	out, err := p.make(len(s))
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf { // two bytes, 0xC2 or 0xC3 first
			r, n := utf8.DecodeRune(s[i:])
			if r > math.MaxUint8 {
				return nil, p.fail("text for bytes holds the character %U", r)
			}
			c = byte(r)
			i += n - 1
		}
		out = append(out, c)
	}
	return str{out, -1}, nil
}

// build gives an object its state. A dtype's says nothing that matters for bytes.
func (p *pickle) build() error {
	v, err := p.pop(1)
	if err != nil {
		return err
	}
	t, err := p.top()
	if err != nil {
		return err
	}
	state, isTuple := v[0].(tuple)
	switch t := t.(type) {
	case dtype:
		if isTuple {
			return nil
		}
	case *array: // (version, shape, dtype, stored by columns, data)
		if isTuple && len(state) == 5 && !t.built {
			columns, ok := state[3].(bool)
			if n, isInt := state[3].(int64); isInt { // protocol 0 and 1 of old Pythons
				columns, ok = n != 0, true
			}
			if ok {
				return p.fill(t, state[1], state[2], columns, state[4])
			}
		}
	}
	return p.fail("BUILD has a state that no data batch has")
}

// fill gives an array its content.
func (p *pickle) fill(a *array, shape, typ value, columns bool, data value) error {
	dims, ok := shape.(tuple)
	if !ok || len(dims) > 4 {
		return p.fail("an array has no shape of up to four lengths")
	}
	for _, d := range dims {
		n, ok := d.(int64)
		if !ok || n < 0 {
			return p.fail("an array has a length that is no whole number")
		}
		a.shape = append(a.shape, n)
	}
	if a.typ, ok = typ.(dtype); !ok {
		return p.fail("an array has no dtype")
	}
	if a.data, ok = data.(str); !ok {
		return p.fail("an array's data is no string of bytes")
	}
	a.built, a.columns = true, columns
	return nil
}
