package cifar

import (
	"errors"
	"io"
	"os"

	"oneshot/data/source"
)

// maxPickle is the largest file of the python version that is opened: three times the
// largest official one.
const maxPickle = 512 << 20

// readPython checks a file of the python version and keeps its labels. want is the number
// of images, or 0 for any.
func (f *found) readPython(file *os.File, size int64, want int, b *batch) error {
	if size > maxPickle {
		return source.Wrong(b.path, maxPickle, "", nil, "size is %d bytes, want at most %d", size, maxPickle)
	}
	raw := make([]byte, size)
	if n, err := io.ReadFull(file, raw); err != nil {
		return source.Wrong(b.path, int64(n), "", err, "file cannot be read")
	}
	damaged := "the file is damaged or not of the python version; " + f.ver.obtain()
	d, err := unpickleDict(b.path, raw, damaged)
	if err != nil {
		return err
	}
	pixels, n, at, err := images(d)
	if err != nil {
		return source.Wrong(b.path, 0, damaged, nil, "%v", err)
	}
	if want > 0 && n != want {
		return source.Wrong(b.path, 0, damaged, nil, "data holds %d images, want %d", n, want)
	}
	b.labels = make([]byte, n*b.per)
	for k, l := range f.layout.labels {
		ys, ok := d.items[l.key].(*list)
		if !ok {
			return source.Wrong(b.path, 0, damaged, nil, "%s is no list", l.key)
		}
		if len(ys.items) != n {
			return source.Wrong(b.path, 0, damaged, nil, "%s holds %d labels, data %d images", l.key, len(ys.items), n)
		}
		for r, y := range ys.items {
			v, ok := y.(int64)
			if !ok {
				return source.Wrong(b.path, 0, damaged, nil, "%s of image %d is no whole number", l.name, r)
			}
			if v < 0 || v >= int64(l.limit) {
				return f.layout.outOfRange(b.path, 0, k, v, int64(r), f.ver.obtain())
			}
			b.labels[r*b.per+k] = byte(v)
		}
	}
	b.stride = planes
	if at < 0 {
		b.pixels, b.stride = pixels, 0
		return nil
	}
	b.file, b.offset = file, int64(at)
	return nil
}

// images returns the pixels of a batch, (n,3,32,32), and where they stand in the file,
// or -1 where they do not stand there in that form.
func images(d *dict) (pixels []byte, n, at int, err error) {
	a, ok := d.items["data"].(*array)
	if !ok || !a.built {
		return nil, 0, 0, errors.New("data is no numpy array")
	}
	if a.typ != "u1" && a.typ != "|u1" && a.typ != "uint8" {
		return nil, 0, 0, errors.New("data is of dtype " + string(a.typ) + ", want u1")
	}
	s := a.shape
	if !(len(s) == 2 && s[1] == planes || len(s) == 4 && s[1] == 3 && s[2] == side && s[3] == side) {
		return nil, 0, 0, errors.New("data is not of shape (n, 3072)")
	}
	if s[0] == 0 || int64(len(a.data.b))%planes != 0 || int64(len(a.data.b))/planes != s[0] {
		return nil, 0, 0, errors.New("data has not 3072 bytes per image")
	}
	n = int(s[0])
	if !a.columns {
		if a.data.at < 0 {
			// A copy of the pixels alone: the text around them can go.
			return append([]byte(nil), a.data.b...), n, -1, nil
		}
		return a.data.b, n, a.data.at, nil
	}
	if len(s) != 2 {
		return nil, 0, 0, errors.New("data of shape (n, 3, 32, 32) is stored by columns")
	}
	pixels = make([]byte, len(a.data.b))
	for r := range n {
		for c := range planes {
			pixels[r*planes+c] = a.data.b[c*n+r]
		}
	}
	return pixels, n, -1, nil
}

// unpickleDict reads a pickle that stands for a dict.
func unpickleDict(path string, raw []byte, hint string) (*dict, error) {
	v, err := unpickle(raw)
	var bad *pickleError
	if errors.As(err, &bad) {
		return nil, source.Wrong(path, int64(bad.at), hint, nil, "%s", bad.msg)
	}
	d, ok := v.(*dict)
	if !ok {
		return nil, source.Wrong(path, 0, hint, nil, "the pickle holds no dict")
	}
	return d, nil
}

// pickledNames returns the class names of a meta file.
func (f *found) pickledNames(path string, raw []byte) ([]string, error) {
	hint := "the file is damaged; " + f.ver.obtain()
	d, err := unpickleDict(path, raw, hint)
	if err != nil {
		return nil, err
	}
	key := f.layout.names
	l, ok := d.items[key].(*list)
	if !ok {
		return nil, source.Wrong(path, 0, hint, nil, "%s is no list", key)
	}
	names := make([]string, len(l.items))
	p := pickle{}
	for i, v := range l.items {
		if names[i], err = p.name(v); err != nil {
			return nil, source.Wrong(path, 0, hint, nil, "name %d of %s is no short string", i, key)
		}
	}
	return names, nil
}
