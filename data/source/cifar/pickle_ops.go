package cifar

import (
	"encoding/hex"
	"unicode/utf8"
)

// scalars are the operations that push one value.
var scalars = map[byte]func(*pickle) (value, error){
	'N':  func(*pickle) (value, error) { return nil, nil },                                                        // NONE
	0x88: func(*pickle) (value, error) { return true, nil },                                                       // NEWTRUE
	0x89: func(*pickle) (value, error) { return false, nil },                                                      // NEWFALSE
	'I':  (*pickle).integer,                                                                                       // INT
	'J':  func(p *pickle) (value, error) { n, err := p.number(4); return int64(int32(uint32(n))), err },           // BININT
	'K':  func(p *pickle) (value, error) { n, err := p.number(1); return int64(n), err },                          // BININT1
	'M':  func(p *pickle) (value, error) { n, err := p.number(2); return int64(n), err },                          // BININT2
	'L':  func(p *pickle) (value, error) { return p.decimal() },                                                   // LONG
	0x8a: (*pickle).long1,                                                                                         // LONG1
	'S':  (*pickle).quoted,                                                                                        // STRING
	'T':  func(p *pickle) (value, error) { return p.counted(4) },                                                  // BINSTRING
	'U':  func(p *pickle) (value, error) { return p.counted(1) },                                                  // SHORT_BINSTRING
	'B':  func(p *pickle) (value, error) { return p.counted(4) },                                                  // BINBYTES
	'C':  func(p *pickle) (value, error) { return p.counted(1) },                                                  // SHORT_BINBYTES
	0x8e: func(p *pickle) (value, error) { return p.counted(8) },                                                  // BINBYTES8
	0x96: func(p *pickle) (value, error) { return p.counted(8) },                                                  // BYTEARRAY8
	'V':  (*pickle).escaped,                                                                                       // UNICODE
	'X':  func(p *pickle) (value, error) { s, err := p.counted(4); return unicode(s.b), err },                     // BINUNICODE
	0x8c: func(p *pickle) (value, error) { s, err := p.counted(1); return unicode(s.b), err },                     // SHORT_BINUNICODE
	0x8d: func(p *pickle) (value, error) { s, err := p.counted(8); return unicode(s.b), err },                     // BINUNICODE8
	'}':  func(*pickle) (value, error) { return &dict{map[string]value{}}, nil },                                  // EMPTY_DICT
	']':  func(*pickle) (value, error) { return &list{}, nil },                                                    // EMPTY_LIST
	')':  func(*pickle) (value, error) { return tuple(nil), nil },                                                 // EMPTY_TUPLE
	0x85: func(p *pickle) (value, error) { return p.tuple(1) },                                                    // TUPLE1
	0x86: func(p *pickle) (value, error) { return p.tuple(2) },                                                    // TUPLE2
	0x87: func(p *pickle) (value, error) { return p.tuple(3) },                                                    // TUPLE3
	't':  func(p *pickle) (value, error) { v, err := p.popMark(); return append(tuple(nil), v...), err },          // TUPLE
	'l':  func(p *pickle) (value, error) { v, err := p.popMark(); return &list{append([]value(nil), v...)}, err }, // LIST
	'd':  (*pickle).dict,                                                                                          // DICT
	'c':  (*pickle).global,                                                                                        // GLOBAL
	0x93: (*pickle).stackGlobal,                                                                                   // STACK_GLOBAL
	'R':  (*pickle).reduce,                                                                                        // REDUCE
}

// builders are the operations that push nothing.
var builders = map[byte]func(*pickle) error{
	0x80: (*pickle).proto,                                                                     // PROTO
	0x95: (*pickle).frame,                                                                     // FRAME
	'(':  func(p *pickle) error { p.marks = append(p.marks, len(p.stack)); return p.spend() }, // MARK
	'p':  func(p *pickle) error { return p.keyed((*pickle).decimal, p.put) },                  // PUT
	'q':  func(p *pickle) error { return p.keyed(fixed(1), p.put) },                           // BINPUT
	'r':  func(p *pickle) error { return p.keyed(fixed(4), p.put) },                           // LONG_BINPUT
	0x94: func(p *pickle) error { return p.put(uint64(len(p.memo))) },                         // MEMOIZE
	'g':  func(p *pickle) error { return p.keyed((*pickle).decimal, p.get) },                  // GET
	'h':  func(p *pickle) error { return p.keyed(fixed(1), p.get) },                           // BINGET
	'j':  func(p *pickle) error { return p.keyed(fixed(4), p.get) },                           // LONG_BINGET
	'a':  func(p *pickle) error { v, err := p.pop(1); return p.extend(v, err) },               // APPEND
	'e':  func(p *pickle) error { v, err := p.popMark(); return p.extend(v, err) },            // APPENDS
	's':  func(p *pickle) error { v, err := p.pop(2); return p.update(v, err) },               // SETITEM
	'u':  func(p *pickle) error { v, err := p.popMark(); return p.update(v, err) },            // SETITEMS
	'b':  (*pickle).build,                                                                     // BUILD
}

// refused names the operations that reach beyond plain values, for the message.
var refused = map[byte]string{
	'i': "INST", 'o': "OBJ", 0x81: "NEWOBJ", 0x92: "NEWOBJ_EX", 'P': "PERSID", 'Q': "BINPERSID",
	0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}

// fixed reads a number of n bytes.
func fixed(n int) func(*pickle) (int64, error) {
	return func(p *pickle) (int64, error) { k, err := p.number(n); return int64(k), err }
}

func (p *pickle) keyed(read func(*pickle) (int64, error), do func(uint64) error) error {
	k, err := read(p)
	if err != nil {
		return err
	}
	return do(uint64(k))
}

func (p *pickle) proto() error {
	n, err := p.number(1)
	if err == nil && n > 5 {
		return p.fail("protocol is %d, want at most 5", n)
	}
	return err
}

// frame checks the length that protocol 4 announces; the bytes are read as they come.
func (p *pickle) frame() error {
	n, err := p.number(8)
	if err == nil && n > len(p.raw)-p.at {
		return p.fail("a frame has %d bytes, %d follow", n, len(p.raw)-p.at)
	}
	return err
}

// integer reads a number in decimal; 00 and 01 stand for False and True.
func (p *pickle) integer() (value, error) {
	at := p.at
	v, err := p.decimal()
	switch string(p.raw[at:p.at]) {
	case "00\n":
		return false, nil
	case "01\n":
		return true, nil
	}
	return v, err
}

// long1 reads a signed number of up to 8 bytes.
func (p *pickle) long1() (value, error) {
	s, err := p.counted(1)
	if err != nil {
		return nil, err
	}
	if len(s.b) > 8 {
		return nil, p.fail("a number has %d bytes, want at most 8", len(s.b))
	}
	var v int64
	for i := len(s.b) - 1; i >= 0; i-- {
		v = v<<8 | int64(s.b[i])
	}
	if shift := 64 - 8*len(s.b); shift < 64 {
		v = v << shift >> shift
	}
	return v, nil
}

// make reserves n bytes of text.
func (p *pickle) make(n int) ([]byte, error) {
	if p.text -= n; p.text < 0 {
		return nil, p.fail("the pickle makes more text than it has")
	}
	return make([]byte, 0, n), nil
}

// quoted reads a string as Python 2's repr writes it.
func (p *pickle) quoted() (value, error) {
	b, err := p.line()
	if err != nil {
		return nil, err
	}
	n := len(b)
	if n < 2 || b[0] != b[n-1] || (b[0] != '\'' && b[0] != '"') {
		return nil, p.fail("a string has no quotes")
	}
	b = b[1 : n-1]
	out, err := p.make(len(b))
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			out = append(out, b[i])
			continue
		}
		if i++; i == len(b) {
			return nil, p.fail("a string ends in a backslash")
		}
		switch b[i] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case '\\', '\'', '"':
			out = append(out, b[i])
		case 'x':
			var one [1]byte
			if i+3 > len(b) {
				return nil, p.fail("a string ends within an escape")
			}
			if _, err := hex.Decode(one[:], b[i+1:i+3]); err != nil {
				return nil, p.fail("a string holds the escape \\x%s", b[i+1:i+3])
			}
			out = append(out, one[0])
			i += 2
		default:
			return nil, p.fail("a string holds the escape \\%c", b[i])
		}
	}
	return str{out, -1}, nil
}

// escaped reads text in Python's raw-unicode-escape: Latin-1 with \uXXXX for the rest.
func (p *pickle) escaped() (value, error) {
	b, err := p.line()
	if err != nil {
		return nil, err
	}
	out, err := p.make(2 * len(b)) // a byte above 127 takes two in UTF-8
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) && b[i+1] == 'U' {
			return nil, p.fail("text holds characters beyond U+FFFF")
		}
		if b[i] != '\\' || i+1 == len(b) || b[i+1] != 'u' {
			out = utf8.AppendRune(out, rune(b[i]))
			continue
		}
		var two [2]byte
		if i+6 > len(b) {
			return nil, p.fail("text ends within an escape")
		}
		if _, err := hex.Decode(two[:], b[i+2:i+6]); err != nil {
			return nil, p.fail("text holds the escape \\u%s", b[i+2:i+6])
		}
		out = utf8.AppendRune(out, rune(two[0])<<8|rune(two[1]))
		i += 5
	}
	return unicode(out), nil
}

func (p *pickle) tuple(n int) (value, error) {
	v, err := p.pop(n)
	return append(tuple(nil), v...), err
}

func (p *pickle) dict() (value, error) {
	v, err := p.popMark()
	if err != nil {
		return nil, err
	}
	d := &dict{map[string]value{}}
	return d, p.set(d, v)
}

// extend appends values to the list below them.
func (p *pickle) extend(v []value, err error) error {
	if err != nil {
		return err
	}
	t, err := p.top()
	if err != nil {
		return err
	}
	l, ok := t.(*list)
	if !ok {
		return p.fail("values are appended to what is no list")
	}
	l.items = append(l.items, v...)
	return nil
}

// update puts pairs into the dict below them.
func (p *pickle) update(v []value, err error) error {
	if err != nil {
		return err
	}
	t, err := p.top()
	if err != nil {
		return err
	}
	d, ok := t.(*dict)
	if !ok {
		return p.fail("a key is set in what is no dict")
	}
	return p.set(d, v)
}
