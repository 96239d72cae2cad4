package tars

import (
	"archive/tar"
	"bytes"
	"testing"

	"oneshot/data/source"
)

// A label that is accepted is a number in range or a name, and the file's bytes are all it takes.
func FuzzLabel(f *testing.F) {
	f.Fuzz(func(t *testing.T, numbered bool, b []byte) {
		m := Member{Name: "a.json", Type: tar.TypeReg, Size: int64(len(b))}
		if numbered {
			m.Name = "a.cls"
		}
		l, wrong, err := readLabel(bytes.NewReader(b), m)
		if err != nil {
			t.Fatal(err)
		}
		if wrong != "" {
			return
		}
		if l.named && (l.name == "" || numbered) || l.number < 0 || l.number >= source.MaxClasses {
			t.Fatalf("%q is %+v", b, l)
		}
		var all labels
		y, wrong := all.add(l, source.Place{})
		if wrong != "" || l.number > 1000 { // a class for each number takes long
			return
		}
		in := source.Info{Splits: []source.Split{{Labels: []int32{y}}}}
		if err := all.finish(&in, "."); err != nil || int(in.Splits[0].Labels[0]) >= len(in.Classes) {
			t.Fatalf("%q: label %d of %d classes, %v", b, in.Splits[0].Labels[0], len(in.Classes), err)
		}
		if l.named && (!source.IsClassName(l.name) || in.Classes[0] != l.name) {
			t.Fatalf("%q is class %q", b, in.Classes[0])
		}
	})
}
