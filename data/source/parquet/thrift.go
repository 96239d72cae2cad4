package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// compact walks over data in Thrift's compact protocol
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md)
// without building anything. It stands before every other decoder: what it has walked
// over is nested no deeper than maxDepth and claims no more elements than it has bytes.
type compact struct {
	b       []byte
	at      int
	structs int // that lists may still hold
}

const maxDepth = 16

// Types of values as fields and lists name them.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftStruct = 12
)

// errShort says that the data ends too early: with more of it the walk could go on.
var errShort = errors.New("data ends in the middle")

func (c *compact) byte() (byte, error) {
	if c.at >= len(c.b) {
		return 0, errShort
	}
	c.at++
	return c.b[c.at-1], nil
}

func (c *compact) skip(n uint64) error {
	if n > uint64(len(c.b)-c.at) {
		return errShort
	}
	c.at += int(n)
	return nil
}

func (c *compact) uvarint() (uint64, error) {
	v, n := binary.Uvarint(c.b[c.at:])
	if n == 0 {
		return 0, errShort
	}
	if n < 0 {
		return 0, errors.New("a number has more than 64 bits")
	}
	c.at += n
	return v, nil
}

// varint reads a number in zigzag form.
func (c *compact) varint() (int64, error) {
	u, err := c.uvarint()
	return int64(u>>1) ^ -int64(u&1), err
}

// fields walks over a struct. field is called before each value: it reads the value and
// returns true, or returns false to have it skipped.
func (c *compact) fields(depth int, field func(id int64, typ byte) (bool, error)) error {
	if depth > maxDepth {
		return fmt.Errorf("structures are nested more than %d deep", maxDepth)
	}
	id := int64(0)
	for {
		head, err := c.byte()
		if err != nil || head == 0 {
			return err
		}
		if delta := head >> 4; delta != 0 {
			id += int64(delta)
		} else if id, err = c.varint(); err != nil {
			return err
		}
		read := false
		if field != nil {
			if read, err = field(id, head&15); err != nil {
				return err
			}
		}
		if !read {
			if err := c.value(head&15, depth, true); err != nil {
				return err
			}
		}
	}
}

// value skips a value. In a field a bool has no byte of its own.
func (c *compact) value(typ byte, depth int, inField bool) error {
	switch typ {
	case thriftTrue, thriftFalse:
		if inField {
			return nil
		}
		return c.skip(1)
	case thriftByte:
		return c.skip(1)
	case thriftI16, thriftI32, thriftI64:
		_, err := c.uvarint()
		return err
	case thriftDouble:
		return c.skip(8)
	case thriftBinary:
		n, err := c.uvarint()
		if err != nil {
			return err
		}
		return c.skip(n)
	case thriftStruct:
		return c.fields(depth+1, nil)
	case thriftList, thriftSet:
		return c.list(depth)
	}
	return fmt.Errorf("a value is of type %d", typ) // maps: parquet has none
}

func (c *compact) list(depth int) error {
	head, err := c.byte()
	if err != nil {
		return err
	}
	n := uint64(head >> 4)
	if n == 15 {
		if n, err = c.uvarint(); err != nil {
			return err
		}
	}
	if n > uint64(len(c.b)-c.at) {
		return fmt.Errorf("a list claims %d elements, %d bytes follow", n, len(c.b)-c.at)
	}
	typ := head & 15
	if typ == thriftStruct {
		if c.structs -= int(n); c.structs < 0 {
			return fmt.Errorf("lists claim more structures than %d bytes can hold", len(c.b))
		}
	}
	if depth+1 > maxDepth {
		return fmt.Errorf("structures are nested more than %d deep", maxDepth)
	}
	for range n {
		if err := c.value(typ, depth+1, false); err != nil {
			return err
		}
	}
	return nil
}

// checkFooter walks over the metadata of a file. Every structure of a real one takes 16
// bytes on average and more, so the decoded form stays within a small multiple of b.
func checkFooter(b []byte) error {
	c := &compact{b: b, structs: 256 + len(b)/16}
	if err := c.fields(0, nil); err != nil {
		return fmt.Errorf("metadata at byte %d: %w", c.at, err)
	}
	if c.at != len(b) {
		return fmt.Errorf("metadata ends after %d of %d bytes", c.at, len(b))
	}
	return nil
}
