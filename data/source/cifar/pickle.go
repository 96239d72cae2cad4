package cifar

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// pickle runs the operations of a pickle that build plain values. The operations are
// those of Python's Lib/pickletools.py, protocols 0 to 5. A file of n bytes may push
// and memorise at most 4096 + n/256 values and make at most 4n bytes of text, so memory
// is bounded by the file's size: an image of 3072 bytes brings no more than ten values.
type pickle struct {
	raw   []byte
	at    int // of the next byte
	op    int // where the current operation started
	stack []value
	marks []int // heights of the stack
	memo  map[uint64]value
	left  int // values that may still be pushed or memorised
	text  int // bytes of text that may still be made
}

// pickleError says what is wrong at a byte of a pickle.
type pickleError struct {
	at  int
	msg string
}

func (e *pickleError) Error() string { return fmt.Sprintf("offset %d: %s", e.at, e.msg) }

func (p *pickle) fail(format string, args ...any) error {
	return &pickleError{p.op, fmt.Sprintf(format, args...)}
}

// unpickle returns the value that a pickle stands for.
func unpickle(raw []byte) (value, error) {
	p := &pickle{raw: raw, memo: map[uint64]value{}, left: 4096 + len(raw)/256, text: 4 * len(raw)}
	for {
		p.op = p.at
		b, err := p.take(1)
		if err != nil {
			return nil, err
		}
		if b[0] == '.' {
			if len(p.stack) != 1 || len(p.marks) != 0 {
				return nil, p.fail("the pickle ends with %d values, want 1", len(p.stack))
			}
			return p.stack[0], nil
		}
		if err := p.step(b[0]); err != nil {
			return nil, err
		}
	}
}

// step runs one operation.
func (p *pickle) step(op byte) error {
	if o, ok := scalars[op]; ok {
		v, err := o(p)
		if err != nil {
			return err
		}
		return p.push(v)
	}
	if o, ok := builders[op]; ok {
		return o(p)
	}
	if name, ok := refused[op]; ok {
		return p.fail("operation %s can make any object or run code, and is refused", name)
	}
	return p.fail("operation %q is not one of a data batch", string(rune(op)))
}

// take returns the next n bytes of the file.
func (p *pickle) take(n int) ([]byte, error) {
	if n < 0 || n > len(p.raw)-p.at {
		return nil, p.fail("the pickle ends after %d bytes, in the middle", len(p.raw))
	}
	p.at += n
	return p.raw[p.at-n : p.at : p.at], nil
}

// number reads an unsigned little-endian number of n bytes that is no more than math.MaxInt64.
func (p *pickle) number(n int) (int, error) {
	b, err := p.take(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	u := binary.LittleEndian.Uint64(wide[:])
	if u > math.MaxInt64 {
		return 0, p.fail("a length is %d, the file has %d bytes", u, len(p.raw))
	}
	return int(u), nil
}

// counted reads a length of n bytes and that many bytes after it.
func (p *pickle) counted(n int) (str, error) {
	k, err := p.number(n)
	if err != nil {
		return str{}, err
	}
	at := p.at
	b, err := p.take(k)
	return str{b, at}, err
}

// line reads to the end of a line, which it leaves out.
func (p *pickle) line() ([]byte, error) {
	for i := p.at; i < len(p.raw); i++ {
		if p.raw[i] == '\n' {
			b := p.raw[p.at:i:i]
			p.at = i + 1
			return b, nil
		}
	}
	return nil, p.fail("the pickle ends in the middle of a line")
}

// decimal reads a line with a number, which may end in suffix.
func (p *pickle) decimal() (int64, error) {
	b, err := p.line()
	if err != nil {
		return 0, err
	}
	if n := len(b); n > 0 && b[n-1] == 'L' { // a long, as Python 2 writes it
		b = b[:n-1]
	}
	if len(b) > 20 {
		return 0, p.fail("a number has %d digits", len(b))
	}
	v, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, p.fail("%q is no number", b)
	}
	return v, nil
}

func (p *pickle) spend() error {
	if p.left--; p.left < 0 {
		return p.fail("the pickle holds more values than a data batch of its size")
	}
	return nil
}

func (p *pickle) push(v value) error {
	if err := p.spend(); err != nil {
		return err
	}
	p.stack = append(p.stack, v)
	return nil
}

// floor is the height below which the current operation must not reach.
func (p *pickle) floor() int {
	if len(p.marks) == 0 {
		return 0
	}
	return p.marks[len(p.marks)-1]
}

// pop takes n values off the stack, the deepest first.
func (p *pickle) pop(n int) ([]value, error) {
	if len(p.stack)-p.floor() < n {
		return nil, p.fail("the operation needs %d values, the stack has %d", n, len(p.stack)-p.floor())
	}
	v := p.stack[len(p.stack)-n:]
	p.stack = p.stack[:len(p.stack)-n]
	return v, nil
}

// popMark takes all values above the last mark off the stack, and the mark.
func (p *pickle) popMark() ([]value, error) {
	if len(p.marks) == 0 {
		return nil, p.fail("the operation needs a mark, there is none")
	}
	v := p.stack[p.floor():]
	p.stack = p.stack[:p.floor()]
	p.marks = p.marks[:len(p.marks)-1]
	return v, nil
}

// top returns the value on top of the stack.
func (p *pickle) top() (value, error) {
	if len(p.stack) == p.floor() {
		return nil, p.fail("the operation needs a value, the stack has none")
	}
	return p.stack[len(p.stack)-1], nil
}

func (p *pickle) put(key uint64) error {
	v, err := p.top()
	if err != nil {
		return err
	}
	if err := p.spend(); err != nil {
		return err
	}
	p.memo[key] = v
	return nil
}

func (p *pickle) get(key uint64) error {
	v, ok := p.memo[key]
	if !ok {
		return p.fail("value %d of the memo is not set", key)
	}
	return p.push(v)
}
