package index

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"oneshot/data/source"
)

// sample is a listing with something in every field.
func sample(records int) *Listing {
	b := new(Builder)
	in := b.Info()
	in.Format, in.About, in.Named = "folder", "two class folders", true
	in.Classes = []string{"cat", "dog"}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, split := range []string{"train", "val"} {
		s := b.Split(split)
		for i := range records {
			r := Record{File: b.File(fmt.Sprintf("%s/n%08d", split, i/1300)), Name: fmt.Sprintf("n%08d_%d.JPEG", i/1300, rng.IntN(50000)), Size: rng.Int64N(200_000)}
			if split == "val" {
				r.Offset = int64(i) * 512
			}
			b.Add(s, int32(i%2), r)
		}
	}
	b.Fault("train/x.jpg", "m", 7, "is a link")
	b.Note("a note of %d", 1)
	b.Stamp(Stamp{Path: ".", Dir: true, Time: -5})
	b.Stamp(Stamp{Path: "a.tar", Size: 1 << 40, Time: 1 << 60})
	l, err := b.Listing()
	if err != nil {
		panic(err)
	}
	return l
}

func encoded(t testing.TB, l *Listing) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, l, "folder", "/data/set"); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 3000} {
		want := sample(n)
		got, format, path, err := decode(encoded(t, want))
		if err != nil || format != "folder" || path != "/data/set" {
			t.Fatalf("%d records: %q %q %v", n, format, path, err)
		}
		for i := range want.Info.Splits {
			if n == 0 { // nil and empty are one
				want.Info.Splits[i], got.Info.Splits[i] = source.Split{}, source.Split{}
				want.splits[i], got.splits[i] = records{}, records{}
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d records: got\n%+v\nwant\n%+v", n, got, want)
		}
	}
	l := sample(3)
	r, err := l.Record(1, 2)
	if err != nil || l.Files[r.File] != "val/n00000000" || r.Offset != 1024 || !strings.HasPrefix(r.Name, "n00000000_") || r.Size != l.Info.Splits[1].Sizes[2] {
		t.Errorf("record %+v, %v", r, err)
	}
	for _, at := range [][2]int{{-1, 0}, {2, 0}, {0, -1}, {0, 3}} {
		if _, err := l.Record(at[0], at[1]); err == nil {
			t.Errorf("record %v exists", at)
		}
	}
}

// Every changed byte and every length is refused; so is a false claim under a right sum.
func TestDamaged(t *testing.T) {
	b := encoded(t, sample(2))
	for i := range b {
		c := slices.Clone(b)
		c[i] ^= 0x10
		if _, _, _, err := decode(c); err == nil {
			t.Errorf("byte %d changed: accepted", i)
		}
		if _, _, _, err := decode(b[:i]); err == nil {
			t.Errorf("cut to %d bytes: accepted", i)
		}
		resum(c)
		if l, _, _, err := decode(c); err == nil {
			walk(l)
		}
	}
}

// resum makes the sum right.
func resum(b []byte) {
	if len(b) >= header {
		sum := sha256.Sum256(b[header:])
		copy(b[len(magic)+1:], sum[:])
	}
}

// walk asks for every record.
func walk(l *Listing) {
	for s := range l.Info.Splits {
		for i := range l.Info.Splits[s].Labels {
			r, err := l.Record(s, i)
			if err != nil || r.Size < 0 || r.Offset < 0 || r.Offset+r.Size < 0 {
				panic("a record that is none was accepted")
			}
			if !filepath.IsLocal(l.Files[r.File]) {
				panic("a file out of the root was accepted")
			}
			_ = l.Info.Classes[l.Info.Splits[s].Labels[i]]
		}
	}
}

// A list that names files out of the source's folder is none that was written here.
func TestFilesOutOfTheRoot(t *testing.T) {
	for file, ok := range map[string]bool{"a": true, ".": true, "a/b.tar": true, "../a": false, "a/../../b": false, "/etc/passwd": false} {
		l := sample(1)
		l.Files[0] = file
		if _, _, _, err := decode(encoded(t, l)); ok != (err == nil) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func FuzzIndex(f *testing.F) {
	f.Add(encoded(f, sample(2)))
	f.Add(encoded(f, sample(0)))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = slices.Clone(b)
		resum(b)
		if l, _, _, err := decode(b); err == nil {
			walk(l)
		}
	})
}

// at makes a folder of an age at which it may be indexed, with one file.
func at(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	older(t, root)
	return root
}

func older(t *testing.T, path string) {
	t.Helper()
	if err := os.Chtimes(path, time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
}

// scanner counts how often it scans root.
func scanner(root string, count *int) func() (*Listing, error) {
	return func() (*Listing, error) {
		*count++
		l := sample(3)
		s, err := StampOf(root, ".")
		l.Stamps = []Stamp{s}
		return l, err
	}
}

func TestOpen(t *testing.T) {
	root, cache := at(t), Cache(filepath.Join(t.TempDir(), "made", "when", "needed"))
	scans := 0
	open := func(want int, when string) *Listing {
		t.Helper()
		l, err := Open(cache, "folder", root, root, scanner(root, &scans))
		if err != nil {
			t.Fatal(err)
		}
		if scans != want {
			t.Errorf("%s: %d scans, want %d", when, scans, want)
		}
		if got, want := l.Info.Faults[0].File, filepath.Join(root, "train/x.jpg"); got != want {
			t.Errorf("%s: a fault lies in %s, want %s", when, got, want)
		}
		if len(l.Info.Notes) != 1 {
			t.Errorf("%s: notes %v", when, l.Info.Notes)
		}
		return l
	}
	first := open(1, "at first")
	if !reflect.DeepEqual(open(1, "again"), first) {
		t.Error("the stored listing differs")
	}
	file := first.path
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, whole[:len(whole)-1], 0o644); err != nil {
		t.Fatal(err)
	}
	open(2, "damaged")
	open(2, "mended")
	if err := os.WriteFile(filepath.Join(root, "b"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open(3, "a new file")
	open(4, "a folder that has just changed is not believed")
	older(t, root)
	open(4, "put back to the time of the first list")
	if err := os.Chtimes(root, time.Unix(1e9, 1), time.Unix(1e9, 1)); err != nil {
		t.Fatal(err)
	}
	open(5, "another nanosecond")
	other := at(t)
	if err := os.Rename(file, filepath.Join(string(cache), name("folder", other))); err != nil {
		t.Fatal(err)
	}
	if _, ok := load(filepath.Join(string(cache), name("folder", other)), "folder", other, root); ok {
		t.Error("the list of another folder is believed")
	}
}

// Where the list cannot be kept, the source opens all the same and says so.
func TestNotKept(t *testing.T) {
	root := at(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, cache := range []Cache{Cache(root), Cache(filepath.Join(root, "sub", "sub")), Cache(filepath.Join(file, "x"))} {
		scans := 0
		l, err := Open(cache, "folder", root, root, scanner(root, &scans))
		if err != nil || l.path != "" || len(l.Info.Notes) != 2 || !strings.HasPrefix(l.Info.Notes[1], "the list of records is not kept: ") {
			t.Errorf("cache %s: notes %v, %v", cache, l.Info.Notes, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(root, "sub")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a cache folder was made within the data: %v", err)
	}
	wrong := errors.New("wrong")
	if _, err := Open(Cache(t.TempDir()), "folder", root, root, func() (*Listing, error) { return nil, wrong }); !errors.Is(err, wrong) {
		t.Errorf("%v, want the scan's error", err)
	}
}

func TestShown(t *testing.T) {
	for in, want := range map[string]string{"a b/é.jpg": "a b/é.jpg", "a\xff": `"a\xff"`, "a\n": `"a\n"`, "\x1b[2J": `"\x1b[2J"`} {
		if got := source.Shown(in); got != want {
			t.Errorf("%q is shown as %s, want %s", in, got, want)
		}
	}
}

// The list of a data set of ImageNet's size: 1.28 million records in 1,000 folders.
func BenchmarkDecode(b *testing.B) {
	data := encoded(b, sample(640_000))
	for b.Loop() {
		if _, _, _, err := decode(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(data))/1.28e6, "bytes/record")
}
