package faultfs

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// Loss says what of the unsynced changes a power cut keeps. A file system may
// write anything back early, so each part is chosen on its own.
type Loss struct {
	Names [3]bool // unsynced names are on the disk: in the root, one level below, deeper
	Data  bool    // unsynced file content is on the disk
}

// Losses returns every combination.
func Losses() []Loss {
	var ls []Loss
	for bits := range 16 {
		ls = append(ls, Loss{[3]bool{bits&1 != 0, bits&2 != 0, bits&4 != 0}, bits&8 != 0})
	}
	return ls
}

// node is a file or directory in memory, with what is in the page cache and
// what has been synced.
type node struct {
	isDir          bool
	names, durable map[string]*node
	data, synced   []byte
}

// Remains is what a power cut left of a directory.
type Remains struct {
	After int  // number of operations before the cut
	Loss  Loss // one way to come to this; others may lead here too
	tree  *node
}

// PowerCuts returns what may be left of the directory root when the power fails
// after any number of the operations ops, for every Loss. before is a copy of
// root from before the first, all of it durable. Equal remains are given once,
// but those after the last operation apart from those before it.
func PowerCuts(before, root string, ops []Op) ([]Remains, error) {
	return SomePowerCuts(before, root, ops, func(int) bool { return true })
}

// SomePowerCuts is PowerCuts after those numbers of operations that cut chooses.
func SomePowerCuts(before, root string, ops []Op, cut func(after int) bool) ([]Remains, error) {
	tree, err := read(before)
	if err != nil {
		return nil, err
	}
	seen := map[[sha256.Size]byte]bool{}
	var rs []Remains
	for n := range len(ops) + 1 {
		if n > 0 {
			if err := tree.apply(root, ops[n-1]); err != nil {
				return nil, fmt.Errorf("faultfs: replay %v: %w", ops[n-1], err)
			}
		}
		if !cut(n) {
			continue
		}
		for _, loss := range Losses() {
			left := tree.remains(0, loss)
			key := sha256.Sum256(fmt.Append(nil, n == len(ops), left))
			if !seen[key] {
				seen[key] = true
				rs = append(rs, Remains{n, loss, left})
			}
		}
	}
	return rs, nil
}

// Write makes the new directory dst of the remains.
func (r Remains) Write(dst string) error { return r.tree.write(dst) }

func read(path string) (*node, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		b, err := os.ReadFile(path)
		return &node{data: b, synced: b}, err
	}
	d := &node{isDir: true, names: map[string]*node{}}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if d.names[e.Name()], err = read(filepath.Join(path, e.Name())); err != nil {
			return nil, err
		}
	}
	d.durable = maps.Clone(d.names)
	return d, nil
}

// find returns the directory that holds path and path's last element.
func (d *node) find(root, path string) (*node, string, error) {
	rel, err := filepath.Rel(root, path)
	if err != nil || !filepath.IsLocal(rel) {
		return nil, "", fmt.Errorf("%s is outside %s", path, root)
	}
	parts := strings.Split(rel, string(filepath.Separator))
	for _, p := range parts[:len(parts)-1] {
		if d = d.names[p]; d == nil {
			return nil, "", fmt.Errorf("%s does not exist", p)
		}
	}
	return d, parts[len(parts)-1], nil
}

func (d *node) apply(root string, op Op) error {
	dir, name, err := d.find(root, op.Path)
	if err != nil {
		return err
	}
	at := dir.names[name]
	if name == "." {
		at = d
	}
	isNew := op.Kind == Create || op.Kind == Mkdir
	if (at == nil) != isNew && op.Kind != Append {
		return fmt.Errorf("exists: %t", at != nil)
	}
	switch op.Kind {
	case Create:
		dir.names[name] = &node{}
	case Append:
		if at == nil {
			dir.names[name] = &node{}
		}
	case Truncate:
		at.data = at.data[:min(op.Size, int64(len(at.data)))]
	case Mkdir:
		dir.names[name] = &node{isDir: true, names: map[string]*node{}, durable: map[string]*node{}}
	case Write:
		at.data = append(at.data[:len(at.data):len(at.data)], op.Data...)
	case Sync:
		at.synced = at.data
	case SyncDir:
		at.durable = maps.Clone(at.names)
	case Remove:
		delete(dir.names, name)
	case Rename, Link:
		to, toName, err := d.find(root, op.To)
		if err != nil {
			return err
		}
		if op.Kind == Rename {
			delete(dir.names, name)
		}
		to.names[toName] = at
	}
	return nil
}

// remains returns what loss leaves of d, as a tree of which all is durable.
func (d *node) remains(depth int, loss Loss) *node {
	if !d.isDir {
		if loss.Data {
			return &node{synced: d.data}
		}
		return &node{synced: d.synced}
	}
	names := d.durable
	if loss.Names[min(depth, 2)] {
		names = d.names
	}
	left := &node{isDir: true, durable: map[string]*node{}}
	for name, child := range names {
		left.durable[name] = child.remains(depth+1, loss)
	}
	return left
}

// String tells different trees apart.
func (d *node) String() string {
	if !d.isDir {
		return fmt.Sprintf("%q", d.synced)
	}
	return fmt.Sprint(d.durable) // in the order of the names
}

func (d *node) write(path string) error {
	if !d.isDir {
		return os.WriteFile(path, d.synced, 0o644)
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	for name, child := range d.durable {
		if err := child.write(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	return nil
}
