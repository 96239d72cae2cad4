package index

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"oneshot/data/source"
)

// MaxOpen is how many files a source holds open: few enough for the usual limit of 1,024,
// many enough that shards in use stay open.
const MaxOpen = 64

// Pool opens files when they are read, and holds the latest open.
type Pool struct {
	root   string
	stamps []Stamp // by file
	limit  int     // files held open

	mu    sync.Mutex
	free  sync.Cond // a file has been let go
	files map[int]*opened
	clock uint64 // counts uses
	done  bool
}

// opened is a place of the pool. It is taken before the file is opened, so that a slow
// disk holds up those alone who want the file.
type opened struct {
	users int
	last  uint64

	ready   chan struct{} // closed when what follows is settled
	f       *os.File      // nil where it could not be opened
	changed string
	err     error
}

// NewPool returns a pool of the files that have the stamps, of which it opens limit at once.
func NewPool(root string, stamps []Stamp, limit int) *Pool {
	p := &Pool{root: root, stamps: stamps, limit: limit, files: map[int]*opened{}}
	p.free.L = &p.mu
	return p
}

// With calls read with file i open. changed says what is different about the file since it
// was stamped, if something is. After Close the error is os.ErrClosed.
func (p *Pool) With(i int, read func(*os.File) error) (changed string, err error) {
	o, mine, err := p.get(i)
	if err != nil {
		return "", err
	}
	defer p.put(i, o)
	if mine {
		o.f, o.changed, o.err = p.open(i)
		close(o.ready)
	}
	<-o.ready
	if o.f == nil {
		return o.changed, o.err
	}
	return "", read(o.f)
}

// get returns the place of file i; mine says that the caller must open it.
func (p *Pool) get(i int) (o *opened, mine bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if p.done {
			return nil, false, fmt.Errorf("data: %w", os.ErrClosed)
		}
		if o = p.files[i]; o != nil {
			break
		}
		if len(p.files) < p.limit || p.evict() {
			o, mine = &opened{ready: make(chan struct{})}, true
			p.files[i] = o
			break
		}
		p.free.Wait()
	}
	p.clock++
	o.users++
	o.last = p.clock
	return o, mine, nil
}

// evict closes the file that was used longest ago, and says whether there was one to close.
func (p *Pool) evict() bool {
	oldest := -1
	for i, o := range p.files {
		if o.users == 0 && (oldest < 0 || o.last < p.files[oldest].last) {
			oldest = i
		}
	}
	if oldest < 0 {
		return false
	}
	p.files[oldest].f.Close() // read only: nothing is lost
	delete(p.files, oldest)
	return true
}

// open opens file i if it is what was stamped.
func (p *Pool) open(i int) (f *os.File, changed string, err error) {
	s := p.stamps[i]
	now, err := StampOf(p.root, s.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "is gone", nil
	case err != nil:
		return nil, "", fmt.Errorf("data: %w", err)
	case now != s:
		return nil, fmt.Sprintf("has %d bytes and another time, and had %d", now.Size, s.Size), nil
	}
	f, _, err = source.OpenFile(Join(p.root, s.Path))
	return f, "", err
}

// put lets a place go. One whose file could not be opened is given up: a disk may recover.
func (p *Pool) put(i int, o *opened) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o.users--
	switch {
	case o.f == nil:
		if p.files[i] == o {
			delete(p.files, i)
		}
	case p.done && o.users == 0:
		o.f.Close()
	}
	p.free.Signal()
}

// Close closes the files that nobody reads, and the others when they are let go.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
	var errs []error
	for i, o := range p.files {
		if o.users == 0 {
			errs = append(errs, o.f.Close())
		}
		delete(p.files, i)
	}
	p.free.Broadcast()
	return errors.Join(errs...)
}
