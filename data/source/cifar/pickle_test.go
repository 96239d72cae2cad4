package cifar

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

// TestPickleRefuses offers pickles that would run code, and such as claim more than they have.
func TestPickleRefuses(t *testing.T) {
	for _, c := range []struct {
		title, raw string
		at         int
		message    string
	}{
		{"os.system", "cos\nsystem\n(S'true'\ntR.", 0, `names "os.system"`},
		{"posix.system", "\x80\x02cposix\nsystem\nq\x01U\x04trueq\x02\x85q\x03R.", 2, `names "posix.system"`},
		{"builtins.eval", "\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", 18, `names "builtins.eval"`},
		{"numpy's load", "cnumpy\nload\n.", 0, `names "numpy.load"`},
		{"a longer name", "cnumpy\nndarray.tofile\n.", 0, `names "numpy.ndarray.tofile"`},
		{"INST", "(S'true'\nios\nsystem\n.", 9, "operation INST"},
		{"OBJ", "(cnumpy\nndarray\no.", 16, "operation OBJ"},
		{"NEWOBJ", "cnumpy\nndarray\n)\x81.", 16, "operation NEWOBJ"},
		{"EXT1", "\x80\x02\x82\x01.", 2, "operation EXT1"},
		{"EXT4", "\x84\x01\x00\x00\x00.", 0, "operation EXT4"},
		{"persistent", "Pid\n.", 0, "operation PERSID"},
		{"out of band", "\x80\x05\x97.", 2, "operation NEXT_BUFFER"},
		{"unknown", "\xff.", 0, "not one of a data batch"},
		{"protocol 6", "\x80\x06.", 0, "protocol is 6"},
		{"ndarray called", "cnumpy\nndarray\n(I9\ntR.", 20, "no data batch has"},
		{"array of a dtype", "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\nI0\nI0\ntR.", 57, "no data batch has"},
		{"text called", "U\x01a)R.", 4, "REDUCE"},
		{"state of a dict", "}}b.", 2, "BUILD"},
		{"encoded otherwise", "c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00hextR.", 32, "otherwise than as latin1"},
		{"beyond Latin-1", "c_codecs\nencode\n(X\x02\x00\x00\x00\xc4\x80X\x06\x00\x00\x00latin1tR.", 36, "U+0100"},
		{"length beyond the file", "T\xff\xff\xff\x7fabc.", 0, "ends after 9 bytes"},
		{"length beyond 63 bits", "\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc.", 0, "a length is"},
		{"empty stack", "a.", 0, "needs 1 values"},
		{"below a mark", "](a.", 2, "needs 1 values"},
		{"no mark", "]e.", 1, "needs a mark"},
		{"two values", "]].", 2, "ends with 2 values"},
		{"append to a dict", "}I1\na.", 4, "no list"},
		{"set in a list", "]I1\nI2\ns.", 7, "no dict"},
		{"odd dict", "(I1\nd.", 4, "odd"},
		{"a number as key", "}I1\nI2\ns.", 7, "no short string"},
		{"memo not set", "h\x07.", 0, "value 7 of the memo"},
		{"long number", "\x8a\x09123456789.", 0, "want at most 8"},
		{"no number", "Ix\n.", 0, "is no number"},
		{"no quotes", "Sabc\n.", 0, "no quotes"},
		{"bad escape", "S'\\q'\n.", 0, "escape"},
		{"cut escape", "S'\\x4'\n.", 0, "escape"},
		{"many values", strings.Repeat("N", 5000) + ".", 4115, "more values than"},
		{"many marks", strings.Repeat("(", 5000) + ".", 4115, "more values than"},
		{"memo bomb", "N" + strings.Repeat("q\x01", 5000) + ".", 8269, "more values than"},
		{"grown by a memo", "]q\x00(" + strings.Repeat("h\x00", 5000) + "e.", 8268, "more values than"},
		{"deep", strings.Repeat("]", 4000) + strings.Repeat("a", 3999) + "K\x01a.", 0, ""},
		// Text of 200 bytes is encoded again and again: nine bytes of the file make 200.
		{"text bomb", "c_codecs\nencode\nq\x00X\xc8\x00\x00\x00" + strings.Repeat("a", 200) + "q\x01X\x06\x00\x00\x00latin1q\x02" +
			strings.Repeat("h\x00h\x01h\x02\x86R", 300), 0, "more text than it has"},
	} {
		_, err := unpickle([]byte(c.raw))
		if c.message == "" {
			if err != nil {
				t.Errorf("%s: %v", c.title, err)
			}
			continue
		}
		var bad *pickleError
		if !errors.As(err, &bad) || !strings.Contains(bad.msg, c.message) || c.at != 0 && bad.at != c.at {
			t.Errorf("%s: got %v, want %q at %d", c.title, err, c.message, c.at)
		}
	}
}

// TestPickleValues reads each operation that makes a plain value.
func TestPickleValues(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want value
	}{
		{"I01\n.", true}, {"I00\n.", false}, {"I-7\n.", int64(-7)}, {"L12L\n.", int64(12)}, {"N.", nil},
		{"J\xfe\xff\xff\xff.", int64(-2)}, {"K\xff.", int64(255)}, {"M\x01\x02.", int64(513)},
		{"\x8a\x00.", int64(0)}, {"\x8a\x01\xff.", int64(-1)}, {"\x8a\x02\xff\x00.", int64(255)}, {"\x88.", true},
	} {
		if got, err := unpickle([]byte(c.raw)); err != nil || got != c.want {
			t.Errorf("%q: %v, %v, want %v", c.raw, got, err, c.want)
		}
	}
	for _, c := range []struct{ raw, want string }{
		{"S'a\\x00\\n\\'\\\\\"'\n.", "a\x00\n'\\\""}, {"S\"it's\"\n.", "it's"}, {"U\x02ab.", "ab"}, {"C\x02ab.", "ab"},
		{"B\x02\x00\x00\x00ab.", "ab"}, {"\x8e\x02\x00\x00\x00\x00\x00\x00\x00ab.", "ab"},
		{"c_codecs\nencode\n(V\xe9\\u005c\\u0000\nVlatin1\ntR.", "\xe9\\\x00"},
	} {
		got, err := unpickle([]byte(c.raw))
		if s, ok := got.(str); err != nil || !ok || string(s.b) != c.want || s.at >= 0 && c.raw[s.at:s.at+len(c.want)] != c.want {
			t.Errorf("%q: %v, %v, want %q", c.raw, got, err, c.want)
		}
	}
}

// FuzzUnpickle: whatever the bytes, a value or an error at an offset within them.
func FuzzUnpickle(f *testing.F) {
	for _, name := range []string{"py2/meta", "py2text/meta", "p2/meta", "p5/meta"} {
		raw, err := os.ReadFile("testdata/golden/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, v := range []string{"py2", "py2text", "p2", "p5"} {
		raw, err := os.ReadFile("testdata/golden/" + v + "/test")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.ReplaceAll(raw, []byte{0}, nil)[:300]) // the head, without most pixels
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := unpickle(raw)
		var bad *pickleError
		if err != nil && (!errors.As(err, &bad) || bad.at < 0 || bad.at > len(raw)) {
			t.Fatalf("error %#v", err)
		}
		if d, ok := v.(*dict); ok {
			images(d)
		}
	})
}

// FuzzScan feeds the binary reader arbitrary bytes: it must accept exactly whole records
// with labels in range.
func FuzzScan(f *testing.F) {
	for _, l := range layouts() {
		rec := make([]byte, l.record())
		f.Add(l.Format == "cifar100", rec)
		f.Add(l.Format == "cifar100", append(bytes.Repeat(rec, 2), 1))
		bad := bytes.Repeat(rec, 3)
		bad[2*l.record()] = 99
		f.Add(l.Format == "cifar100", bad)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, hundred bool, raw []byte) {
		l := layouts()[0]
		if hundred {
			l = layouts()[1]
		}
		good := len(raw)%l.record() == 0 && len(raw) > 0
		for r := range len(raw) / l.record() {
			for k, y := range l.labels {
				good = good && int(raw[r*l.record()+k]) < y.limit
			}
		}
		file, err := os.CreateTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(file.Name())
		defer file.Close()
		if _, err := file.Write(raw); err != nil {
			t.Fatal(err)
		}
		b := batch{path: file.Name(), per: len(l.labels)}
		found := &found{layout: l, ver: &l.binary}
		err = found.readBinary(file, int64(len(raw)), 0, &b)
		if (err == nil) != good {
			t.Fatalf("%d bytes: error %v, good %v", len(raw), err, good)
		}
		for r := range len(b.labels) / b.per {
			if b.class(r) != raw[r*l.record()+b.per-1] {
				t.Fatalf("record %d is changed", r)
			}
		}
	})
}
