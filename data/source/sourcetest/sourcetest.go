// Package sourcetest checks that a source.Source keeps what the interface promises: any
// format's test calls [Run] with a small collection of its own.
//
// What it checks: the description agrees with itself and is the same when opened again;
// every record has the listed size, the same bytes each time, and lies where no other
// does; a buffer that is large enough is used and one that is not is left alone; several
// goroutines may read at once; a record or split that does not exist is an error, not a
// fault and no panic; after Close a read is right or an error, and Close may be called again.
package sourcetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"oneshot/data/source"
)

// Run checks the source that open opens, each time anew.
func Run(t *testing.T, open func() (source.Source, error)) {
	t.Helper()
	if err := Check(open); err != nil {
		t.Error(err)
	}
}

// Check returns the first promise that the source breaks, or nil. All records are read and
// held in memory, so that the collection should be small.
func Check(open func() (source.Source, error)) error {
	s, err := open()
	if err != nil {
		return err
	}
	again, err := open()
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return errors.Join(check(s, again), again.Close())
}

func check(s, again source.Source) error {
	in := s.Info()
	if err := describes(in); err != nil {
		return err
	}
	if !reflect.DeepEqual(in, again.Info()) {
		return fmt.Errorf("description differs when opened again:\n%+v\n%+v", *in, *again.Info())
	}
	want, err := readAll(s)
	if err != nil {
		return err
	}
	for _, check := range []func(source.Source, []record) error{places, repeats, buffers, concurrent, bounds} {
		if err := check(s, want); err != nil {
			return err
		}
	}
	if err := repeats(again, want); err != nil {
		return fmt.Errorf("opened again: %w", err)
	}
	return closed(s, want)
}

// describes checks Info against itself.
func describes(in *source.Info) error {
	if in.Format == "" || in.About == "" {
		return fmt.Errorf("format %q, about %q: want both", in.Format, in.About)
	}
	seen := map[string]bool{}
	for _, c := range in.Classes {
		if c == "" || seen["class "+c] {
			return fmt.Errorf("class %q is empty or there twice", c)
		}
		seen["class "+c] = true
	}
	for _, s := range in.Splits {
		if seen["split "+s.Name] {
			return fmt.Errorf("two splits called %q", s.Name)
		}
		seen["split "+s.Name] = true
		if len(s.Labels) != len(s.Sizes) {
			return fmt.Errorf("split %q: %d labels, %d sizes", s.Name, len(s.Labels), len(s.Sizes))
		}
		for i, y := range s.Labels {
			if y < 0 || int(y) >= len(in.Classes) {
				return fmt.Errorf("split %q: record %d: label %d of %d classes", s.Name, i, y, len(in.Classes))
			}
			if s.Sizes[i] < 0 {
				return fmt.Errorf("split %q: record %d: size %d", s.Name, i, s.Sizes[i])
			}
			if raw := in.Raw; raw != nil && s.Sizes[i] != int64(raw.Height*raw.Width*raw.Channels) {
				return fmt.Errorf("split %q: record %d: %d bytes of plain pixels %+v", s.Name, i, s.Sizes[i], *raw)
			}
		}
	}
	return nil
}

// record is what reading one gave.
type record struct {
	split, i int
	b        []byte
	fault    bool
}

func readAll(s source.Source) ([]record, error) {
	var all []record
	for split, p := range s.Info().Splits {
		for i, size := range p.Sizes {
			b, err := s.Read(split, i, nil)
			var fault *source.Fault
			if err != nil && !errors.As(err, &fault) {
				return nil, fmt.Errorf("split %d, record %d: %w", split, i, err)
			}
			if err == nil && int64(len(b)) != size {
				return nil, fmt.Errorf("split %d, record %d: %d bytes, want %d as listed", split, i, len(b), size)
			}
			all = append(all, record{split, i, bytes.Clone(b), err != nil})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the source has no records: nothing can be checked")
	}
	return all, nil
}

func (r record) check(b []byte, err error) error {
	if (err != nil) != r.fault || err == nil && !bytes.Equal(b, r.b) {
		return fmt.Errorf("split %d, record %d: other bytes than when first read (%v)", r.split, r.i, err)
	}
	return nil
}

// places checks that no two records lie in one place.
func places(s source.Source, all []record) error {
	seen := map[source.Place]record{}
	for _, r := range all {
		p := s.Where(r.split, r.i)
		if p.File == "" || p.Offset < 0 {
			return fmt.Errorf("split %d, record %d: Where says %+v", r.split, r.i, p)
		}
		if o, ok := seen[p]; ok {
			return fmt.Errorf("split %d, record %d and split %d, record %d both lie at %+v", o.split, o.i, r.split, r.i, p)
		}
		seen[p] = r
	}
	return nil
}

// repeats reads backwards in one buffer.
func repeats(s source.Source, all []record) error {
	var buf []byte
	for k := range all {
		r := all[len(all)-1-k]
		b, err := s.Read(r.split, r.i, buf)
		if err := r.check(b, err); err != nil {
			return err
		}
		if err == nil {
			buf = b
		}
	}
	return nil
}

// buffers checks that a buffer is used exactly where it is large enough.
func buffers(s source.Source, all []record) error {
	for _, r := range all {
		if r.fault || len(r.b) == 0 {
			continue
		}
		fits := bytes.Repeat([]byte{0xa5}, len(r.b)+9)
		b, err := s.Read(r.split, r.i, fits[:3])
		if err := r.check(b, err); err != nil {
			return err
		}
		if &b[0] != &fits[0] {
			return fmt.Errorf("split %d, record %d: a buffer of %d bytes is not used for %d", r.split, r.i, len(fits), len(r.b))
		}
		if !bytes.Equal(fits[len(r.b):], bytes.Repeat([]byte{0xa5}, 9)) {
			return fmt.Errorf("split %d, record %d: wrote beyond its end", r.split, r.i)
		}
		short := bytes.Repeat([]byte{0xa5}, len(r.b)-1)
		b, err = s.Read(r.split, r.i, short[:0:len(r.b)-1])
		if err := r.check(b, err); err != nil {
			return err
		}
	}
	return nil
}

// concurrent reads from several goroutines, each in its own order.
func concurrent(s source.Source, all []record) error {
	const readers = 8
	errs := make([]error, readers)
	var wg sync.WaitGroup
	for g := range readers {
		wg.Go(func() {
			var buf []byte
			for _, k := range rand.New(rand.NewPCG(uint64(g), 1)).Perm(len(all)) {
				r := all[k]
				b, err := s.Read(r.split, r.i, buf)
				if err := r.check(b, err); err != nil {
					errs[g] = fmt.Errorf("reader %d of %d: %w", g, readers, err)
					return
				}
				s.Where(r.split, r.i)
				if err == nil {
					buf = b
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// bounds asks for what does not exist.
func bounds(s source.Source, _ []record) error {
	splits := s.Info().Splits
	for _, at := range [][2]int{{-1, 0}, {len(splits), 0}, {0, -1}, {0, len(splits[0].Labels)}} {
		if err := outside(s, at[0], at[1]); err != nil {
			return err
		}
	}
	return nil
}

func outside(s source.Source, split, i int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("split %d, record %d, which do not exist: panic: %v", split, i, p)
		}
	}()
	s.Where(split, i)
	_, err = s.Read(split, i, nil)
	var fault *source.Fault
	if err == nil || errors.As(err, &fault) {
		return fmt.Errorf("split %d, record %d, which do not exist: read with error %v, want one that is no Fault", split, i, err)
	}
	return nil
}

// closed checks what comes after Close: an error, or still the right bytes.
func closed(s source.Source, all []record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("after Close: panic: %v", p)
		}
	}()
	if err := s.Close(); err != nil {
		return fmt.Errorf("closing: %w", err)
	}
	for _, r := range all {
		b, err := s.Read(r.split, r.i, nil)
		var fault *source.Fault
		if errors.As(err, &fault) && !r.fault {
			return fmt.Errorf("split %d, record %d: the Fault %v after Close, want another error", r.split, r.i, err)
		}
		if err == nil && !bytes.Equal(b, r.b) {
			return fmt.Errorf("split %d, record %d: other bytes after Close", r.split, r.i)
		}
	}
	_ = s.Close() // may fail, but not panic
	return nil
}
