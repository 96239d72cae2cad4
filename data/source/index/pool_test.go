package index

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// pool makes files called 0, 1, ..., each with its name as content.
func pool(t *testing.T, files, limit int) (*Pool, string) {
	t.Helper()
	root := t.TempDir()
	var stamps []Stamp
	for i := range files {
		name := fmt.Sprint(i)
		if err := os.WriteFile(filepath.Join(root, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := StampOf(root, name)
		if err != nil {
			t.Fatal(err)
		}
		stamps = append(stamps, s)
	}
	p := NewPool(root, stamps, limit)
	t.Cleanup(func() { p.Close() })
	return p, root
}

// read wants the content of file i.
func read(p *Pool, i int) error {
	changed, err := p.With(i, func(f *os.File) error {
		b, err := io.ReadAll(io.NewSectionReader(f, 0, 100))
		if err == nil && string(b) != fmt.Sprint(i) {
			err = fmt.Errorf("file %d holds %q", i, b)
		}
		return err
	})
	if changed != "" {
		err = errors.New(changed)
	}
	return err
}

// A pool holds few files open, however many goroutines read.
func TestPoolLimit(t *testing.T) {
	const files, limit = 30, 3
	p, _ := pool(t, files, limit)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for _, i := range rand.New(rand.NewPCG(uint64(g), 1)).Perm(files) {
				if err := read(p, i); err != nil {
					t.Error(err)
				}
				p.mu.Lock()
				n := len(p.files)
				p.mu.Unlock()
				if n < 1 || n > limit {
					t.Errorf("%d files are open, want at most %d", n, limit)
				}
			}
		})
	}
	wg.Wait()
}

// A file that is slow to open holds up those alone who want it.
func TestPoolSlowFile(t *testing.T) {
	p, _ := pool(t, 3, 2)
	slow, mine, err := p.get(0) // as a goroutine that is opening it
	if err != nil || !mine {
		t.Fatal(mine, err)
	}
	waiting := make(chan error)
	go func() { waiting <- read(p, 0) }()
	for i := 1; i < 3; i++ { // also where a place must be found for the second
		if err := read(p, i); err != nil {
			t.Error(err)
		}
	}
	select {
	case err := <-waiting:
		t.Errorf("read before it was open: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	slow.f, slow.changed, slow.err = p.open(0)
	close(slow.ready)
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	p.put(0, slow)
}

// What cannot be opened keeps no place, and is tried again.
func TestPoolGone(t *testing.T) {
	p, root := pool(t, 2, 1)
	away := func(from, to string) {
		t.Helper()
		if err := os.Rename(filepath.Join(root, from), filepath.Join(root, to)); err != nil {
			t.Fatal(err)
		}
	}
	away("0", "x")
	if err := read(p, 0); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Error(err)
	}
	if err := read(p, 1); err != nil {
		t.Error(err)
	}
	away("x", "0")
	if err := errors.Join(read(p, 0), p.Close()); err != nil {
		t.Error(err)
	}
	if err := read(p, 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
