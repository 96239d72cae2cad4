package cifar

// value is what a pickle can hold here: nil, bool, int64, str, unicode, tuple, *list,
// *dict, global, dtype or *array.
type value any

// str is a string of bytes: of Python 2, or bytes of Python 3.
type str struct {
	b  []byte
	at int // of b in the file, or -1 where b does not stand there as it is
}

// unicode is text in UTF-8. Only encode looks at its characters.
type unicode []byte

type tuple []value

type list struct{ items []value }

// dict has the keys that matter here: strings, whichever Python wrote them.
type dict struct{ items map[string]value }

// global is one of the few names a data batch needs. It is never called: REDUCE knows
// what each of them would make.
type global string

// dtype is the type of an array's values, as numpy writes it: "u1".
type dtype string

// array is a numpy array. data is not set before BUILD.
type array struct {
	built   bool
	shape   []int64
	typ     dtype
	columns bool // stored by columns, the first index running fastest
	data    str
}

// maxKey is the longest key of a dict, and the longest name: longer ones are no data batch's.
const maxKey = 256

// set puts pairs into a dict.
func (p *pickle) set(d *dict, pairs []value) error {
	if len(pairs)%2 != 0 {
		return p.fail("a dict has %d keys and values, an odd number", len(pairs))
	}
	for i := 0; i < len(pairs); i += 2 {
		k, err := p.name(pairs[i])
		if err != nil {
			return err
		}
		d.items[k] = pairs[i+1]
	}
	return nil
}

// name returns a value that must be a short string.
func (p *pickle) name(v value) (string, error) {
	switch v := v.(type) {
	case str:
		if len(v.b) <= maxKey {
			return string(v.b), nil
		}
	case unicode:
		if len(v) <= maxKey {
			return string(v), nil
		}
	}
	return "", p.fail("a key or name is no short string")
}
