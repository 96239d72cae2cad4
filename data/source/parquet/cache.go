package parquet

import (
	"container/list"
	"sync"
)

// pageKey names a page: its shard, row group and number in the chunk, or -1 for the dictionary.
type pageKey struct{ shard, group, page int }

// cache keeps the pages that were decoded last. A page is decoded once, also where several
// goroutines ask for it at the same time.
type cache struct {
	mu     sync.Mutex
	pages  map[pageKey]*list.Element // of *decoded
	recent *list.List                // the last used first
	size   int64                     // bytes of all pages
	limit  int64
}

type decoded struct {
	key   pageKey
	once  sync.Once
	spans spans
	err   error
	size  int64
}

func newCache(limit int64) *cache {
	return &cache{pages: map[pageKey]*list.Element{}, recent: list.New(), limit: limit}
}

// get returns a page, decoding it if it is not here. A page that cannot be decoded is
// not kept: a disk may recover.
func (c *cache) get(key pageKey, decode func() (spans, error)) (spans, error) {
	c.mu.Lock()
	e, ok := c.pages[key]
	if ok {
		c.recent.MoveToFront(e)
	} else {
		e = c.recent.PushFront(&decoded{key: key})
		c.pages[key] = e
	}
	d := e.Value.(*decoded)
	c.mu.Unlock()
	d.once.Do(func() {
		d.spans, d.err = decode()
		c.settle(key, e, d)
	})
	return d.spans, d.err
}

// settle counts a page that was decoded, and drops the pages that were not used for longest.
func (c *cache) settle(key pageKey, e *list.Element, d *decoded) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pages[key] != e {
		return // dropped meanwhile
	}
	if d.err != nil {
		c.drop(e)
		return
	}
	d.size = int64(cap(d.spans.data)) + 4*int64(cap(d.spans.at)) + 128
	c.size += d.size
	for c.size > c.limit && c.recent.Len() > 1 {
		c.drop(c.recent.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	d := e.Value.(*decoded)
	c.size -= d.size
	delete(c.pages, d.key)
	c.recent.Remove(e)
}
