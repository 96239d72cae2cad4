package prepare

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"oneshot/data"
	"oneshot/data/decode"
	"oneshot/data/source"
	"oneshot/internal/atomicfile/faultfs"
)

func TestWrite(t *testing.T) {
	root, files := sample(t)
	dir := filepath.Join(t.TempDir(), "new", "small")
	f := open(t, data.Config{Dir: root})
	r, err := Write(context.Background(), f, dir, options())
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(contents(t, dir))); !slices.Equal(got, []string{"classes.txt", "prepare.json", "train-000000.tar", "train-index.json", "val-000000.tar", "val-index.json"}) {
		t.Fatalf("files %v", got)
	}
	names, train := members(t, dir, "train-000000.tar")
	if want := "00000000.jpg 00000000.cls 00000001.jpg"; !strings.HasPrefix(strings.Join(names, " "), want) || len(names) != 14 {
		t.Errorf("members %v, want %s ...", names, want)
	}
	if !bytes.Equal(train["00000001.jpg"], files["train/cat/1-small.jpg"]) {
		t.Error("a small upright JPEG was not copied byte for byte")
	}
	d, err := decode.New(decode.Auto)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i, want := range []struct {
		label string
		w, h  int
		grey  bool
	}{{"0", 48, 32, false}, {"0", 40, 32, false}, {"0", 41, 32, true}, {"1", 32, 64, false}, {"1", 30, 20, false}, {"1", 32, 64, false}, {"1", 30, 31, false}} {
		key := fmt.Sprintf("%08d", i)
		if got := string(train[key+".cls"]); got != want.label {
			t.Errorf("%s: label %q, want %s", key, got, want.label)
		}
		h, err := decode.ReadHeader(train[key+".jpg"])
		if err != nil || h.Format != "jpeg" || h.W != want.w || h.H != want.h || h.Orientation != 1 || (h.Channels == 1) != want.grey {
			t.Errorf("%s: %+v, %v; want %+v", key, h, err, want)
		}
		m, err := d.Decode(train[key+".jpg"])
		if err != nil {
			t.Fatal(err)
		}
		if want.grey {
			continue
		}
		rgb := m.RGB(nil)
		for y := range m.H {
			for x := range m.W {
				// slope has red grow to the right and green downwards; orientation 6 turns
				// what is up to the right.
				red, green := (float64(x)+.5)/float64(m.W), (float64(y)+.5)/float64(m.H)
				if i >= 5 {
					red, green = green, 1-red
				}
				for c, want := range [2]float64{200 * red, 200 * green} {
					if got := float64(rgb[3*(y*m.W+x)+c]); !(max(got-want, want-got) <= 14) {
						t.Fatalf("%s: channel %d of (%d,%d) is %g, want %g", key, c, x, y, got, want)
					}
				}
			}
		}
	}
	var onDisk Report
	if err := json.Unmarshal([]byte(contents(t, dir)["prepare.json"]), &onDisk); err != nil || fmt.Sprint(onDisk) != fmt.Sprint(*r) {
		t.Errorf("prepare.json is %+v (%v), want %+v", onDisk, err, *r)
	}
	if s := r.Splits; s[0].Images != 7 || s[0].Copied != 1 || s[1].Name != "val" || s[1].Images != 2 || !strings.Contains(r.From, r.FromSHA256[:12]) {
		t.Errorf("%+v", r)
	}
}

// What was written is read again as the collection that it was.
func TestReadBack(t *testing.T) {
	root, _ := sample(t)
	dir := filepath.Join(t.TempDir(), "small")
	o := options()
	o.ShardSize = 2
	from := open(t, data.Config{Dir: root})
	if _, err := Write(context.Background(), from, dir, o); err != nil {
		t.Fatal(err)
	}
	c := data.Config{Name: data.Auto, Dir: dir}
	to := open(t, c)
	if !slices.Equal(to.Info.Classes, from.Info.Classes) || len(to.Info.Splits) != 2 || to.Info.Format != "webdataset" || len(to.Info.Faults) > 0 {
		t.Fatalf("%+v", to.Info)
	}
	for i, s := range to.Info.Splits {
		if s.Name != []string{"train", "val"}[i] || !slices.Equal(s.Labels, from.Info.Splits[i].Labels) {
			t.Errorf("split %d is %q with labels %v, want %v", i, s.Name, s.Labels, from.Info.Splits[i].Labels)
		}
	}
	d, err := data.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if n := d.Train.Len() + d.Search.Len(); n != 7 || d.Test.Len() != 2 || len(d.Bad()) > 0 {
		t.Errorf("%d training images, %d test images, bad %v", n, d.Test.Len(), d.Bad())
	}
}

func TestSameBytes(t *testing.T) {
	root, _ := sample(t)
	var first map[string]string
	for _, workers := range []int{1, 2, 8, 1} {
		o := options()
		o.Workers = workers
		dir := t.TempDir()
		if _, err := Write(context.Background(), open(t, data.Config{Dir: root}), dir, o); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, dir); first == nil {
			first = got
		} else if !maps.Equal(got, first) {
			t.Errorf("other bytes with %d workers", workers)
		}
	}
}

func TestShards(t *testing.T) {
	root, _ := sample(t)
	for size, want := range map[int]int{1: 7, 2: 4, 3: 3, 7: 1, 8: 1} {
		o := options()
		o.ShardSize = size
		dir := t.TempDir()
		r, err := Write(context.Background(), open(t, data.Config{Dir: root}), dir, o)
		if err != nil {
			t.Fatal(err)
		}
		shards := r.Splits[0].Shards
		if len(shards) != want || shards[want-1] != fmt.Sprintf("train-%06d.tar", want-1) {
			t.Errorf("%d images a shard: %v", size, shards)
		}
		for i, s := range shards {
			names, _ := members(t, dir, s)
			if n := min(size, 7-i*size); len(names) != 2*n || names[0] != fmt.Sprintf("%08d.jpg", i*size) {
				t.Errorf("%d images a shard: %s holds %v", size, s, names)
			}
		}
	}
}

func TestOneSplit(t *testing.T) {
	root := write(t, map[string][]byte{"a/1.jpg": encoded(t, "jpeg", slope(1, 9, 9)), "a/2.jpg": encoded(t, "jpeg", slope(2, 9, 9)),
		"b/1.jpg": encoded(t, "jpeg", slope(3, 9, 9)), "b/2.jpg": encoded(t, "jpeg", slope(4, 9, 9)), "a/3.jpg": encoded(t, "jpeg", slope(5, 9, 9))})
	dir := t.TempDir()
	r, err := Write(context.Background(), open(t, data.Config{Dir: root}), dir, options())
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Splits; len(s) != 1 || s[0].Name != "train" || s[0].Copied != 5 || s[0].Shards[0] != "train-000000.tar" {
		t.Errorf("%+v", s)
	}
}

func TestBadRecords(t *testing.T) {
	root, files := sample(t)
	bad := files["train/cat/0-large.jpg"]
	for _, name := range []string{"train/cat/0-large.jpg", "train/dog/3-turned"} {
		if err := os.WriteFile(filepath.Join(root, name), bad[:len(bad)/2], 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, policy := range []string{"error", "skip:1"} {
		dir := filepath.Join(t.TempDir(), "small")
		_, err := Write(context.Background(), open(t, data.Config{Dir: root, OnBadSample: policy}), dir, options())
		want := map[string]string{"error": "0-large.jpg", "skip:1": "3-turned"}[policy]
		var f *source.Fault
		if !errors.As(err, &f) || filepath.Base(f.File) != want {
			t.Errorf("%s: %v, want one of %s", policy, err, want)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: left %v", policy, contents(t, dir))
		}
	}
	dir := t.TempDir()
	o := options()
	o.ShardSize = 5 // the last record of the split is bad: no empty shard for it
	r, err := Write(context.Background(), open(t, data.Config{Dir: root, OnBadSample: "skip:2"}), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Bad) != 2 || !strings.HasSuffix(r.Bad[0].Record, "0-large.jpg") || !strings.Contains(r.Bad[0].Reason, "truncated") || r.Splits[0].Images != 5 || len(r.Splits[0].Shards) != 1 {
		t.Errorf("%+v", r)
	}
	// Keys count the records of the source.
	if names, _ := members(t, dir, "train-000000.tar"); names[0] != "00000001.jpg" || names[9] != "00000005.cls" {
		t.Errorf("members %v", names)
	}
}

// A picture too long for JPEG is a bad record, whether it is made small or not.
func TestTooLong(t *testing.T) {
	root, _ := sample(t)
	for name, m := range map[string]image.Image{"train/cat/3.png": image.NewGray(image.Rect(0, 0, 10, 70_000)), "train/cat/4.png": image.NewGray(image.Rect(0, 0, 140_000, 34))} {
		if err := os.WriteFile(filepath.Join(root, name), encoded(t, "png", m), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Write(context.Background(), open(t, data.Config{Dir: root}), t.TempDir(), options())
	var f *source.Fault
	if !errors.As(err, &f) || filepath.Base(f.File) != "3.png" || !strings.Contains(f.Msg, "10x70000") {
		t.Errorf("%v", err)
	}
	r, err := Write(context.Background(), open(t, data.Config{Dir: root, OnBadSample: "skip:2"}), t.TempDir(), options())
	if err != nil || len(r.Bad) != 2 || r.Splits[0].Images != 7 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestStopped(t *testing.T) {
	root, _ := sample(t)
	stopped := errors.New("stopped")
	for _, at := range []int{1, 4, 8, 9} {
		for _, mine := range []bool{false, true} {
			dir := t.TempDir()
			if !mine {
				dir = filepath.Join(dir, "small")
			}
			ctx, cancel := context.WithCancelCause(context.Background())
			o := options()
			o.ShardSize = 2
			o.Progress = func(done, all int) {
				if done == at {
					cancel(stopped)
				}
			}
			if _, err := Write(ctx, open(t, data.Config{Dir: root}), dir, o); !errors.Is(err, stopped) {
				t.Errorf("stopped at %d: %v", at, err)
			}
			entries, err := os.ReadDir(dir)
			if len(entries) > 0 || mine == errors.Is(err, os.ErrNotExist) {
				t.Errorf("stopped at %d, leaves %v, %v", at, entries, err)
			}
		}
	}
}

// Whichever call to the file system fails, nothing is left, or all is there but for the
// last call that makes names durable.
func TestDiskFull(t *testing.T) {
	root, _ := sample(t)
	injected := 0
	for at := 1; ; at++ {
		if at > 200 {
			t.Fatal("no end of calls")
		}
		dir := filepath.Join(t.TempDir(), "small")
		fsys := &faultfs.FS{FailAt: at, Err: syscall.ENOSPC}
		o := options()
		o.ShardSize, o.FS = 3, fsys
		_, err := Write(context.Background(), open(t, data.Config{Dir: root}), dir, o)
		if fsys.Injected == 0 {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		injected += fsys.Injected
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("call %d: %v", at, err)
		}
		if entries, err := os.ReadDir(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("call %d leaves %v, %v", at, entries, err)
		}
	}
	if injected < 20 {
		t.Errorf("only %d faults", injected)
	}
}

// A process that dies leaves nothing that could be taken for a data set, until all is
// whole; prepare.json is the last to get its name.
func TestKilled(t *testing.T) {
	root, _ := sample(t)
	dir := filepath.Join(t.TempDir(), "small")
	fsys := &faultfs.FS{}
	o := options()
	o.ShardSize, o.FS = 3, fsys
	if _, err := Write(context.Background(), open(t, data.Config{Dir: root}), dir, o); err != nil {
		t.Fatal(err)
	}
	var names []string
	synced := 0
	for _, op := range fsys.Ops {
		switch {
		case op.Kind == faultfs.Sync:
			synced++
		case op.Kind == faultfs.Rename:
			if synced < 8 {
				t.Errorf("%v before all files are on the disk", op)
			}
			names = append(names, filepath.Base(op.To))
		case op.Kind == faultfs.Create && !strings.HasPrefix(filepath.Base(op.Path), "."):
			t.Errorf("%v can be seen", op)
		}
	}
	if len(names) != 8 || names[4] != "classes.txt" || names[7] != "prepare.json" {
		t.Errorf("names given: %v", names)
	}
}

// What is read is not written to, whatever way leads there.
func TestInside(t *testing.T) {
	root, _ := sample(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Symlink(filepath.Join(root, "train"), link), os.Mkdir(filepath.Join(root, "empty"), 0o777)); err != nil {
		t.Fatal(err)
	}
	beside := root + "-small" // shares the beginning of its name
	t.Cleanup(func() { os.RemoveAll(beside) })
	for dir, inside := range map[string]bool{
		filepath.Join(root, "nest", "small"): true, filepath.Join(root, "empty"): true,
		filepath.Join(link, "small"): true, filepath.Join(root, "..", filepath.Base(root), "x"): true, beside: false,
	} {
		_, err := Write(context.Background(), open(t, data.Config{Dir: root}), dir, options())
		var e *OutputError
		if errors.As(err, &e) != inside || !inside && err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		if entries, _ := os.ReadDir(dir); inside && len(entries) > 0 {
			t.Errorf("%s: %v", dir, entries)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "nest")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
}

func TestRefused(t *testing.T) {
	root, _ := sample(t)
	full := write(t, map[string][]byte{"notes.txt": nil})
	rest := write(t, map[string][]byte{".train-000000.tar.unfinished": nil})
	file := filepath.Join(full, "notes.txt")
	for dir, hint := range map[string]string{full: "name another folder", rest: "could not finish", root: "name another"} {
		var e *OutputError
		_, err := Write(context.Background(), open(t, data.Config{Dir: root}), dir, options())
		if !errors.As(err, &e) || !strings.Contains(e.Hint, hint) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if _, err := Write(context.Background(), open(t, data.Config{Dir: root}), file, options()); err == nil {
		t.Error("a file is taken for a folder")
	}
	for field, o := range map[string]Options{
		"size": {Size: 7, Quality: 90, ShardSize: 1}, "quality": {Size: 8, Quality: 101, ShardSize: 1},
		"shard-size": {Size: 8, Quality: 1}, "workers": {Size: 8, Quality: 1, ShardSize: 1, Workers: -1},
	} {
		var e *data.ConfigError
		if _, err := Write(context.Background(), open(t, data.Config{Dir: root}), filepath.Join(full, "x"), o); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if got := contents(t, full); len(got) != 1 {
		t.Errorf("left %v", got)
	}
}
