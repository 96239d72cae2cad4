package decode

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// manyScans is a file of 8190x8190 pixels in n scans, which has no data for them.
func manyScans(t *testing.T, n int) []byte {
	b := bytes.Clone(readGolden(t).files["jpeg_grey_progressive.jpg"])
	copy(b[bytes.Index(b, []byte("\xff\xc2"))+5:], "\x1f\xfe\x1f\xfe")
	last := bytes.LastIndex(b, []byte("\xff\xda"))
	n -= bytes.Count(b, []byte("\xff\xda"))
	comment := append([]byte("\xff\xfe\xff\xff"), make([]byte, 0xfffd)...)
	return slices.Concat(b[:2], bytes.Repeat(comment, 3), b[2:last], bytes.Repeat(b[last:len(b)-2], n+1), b[len(b)-2:])
}

func TestScansOfLargeImages(t *testing.T) {
	for _, c := range []struct {
		scans int
		want  string // in the error, or none
	}{
		{20, ""},
		{32, ""},
		{33, "has 33 scans of 8190x8190 pixels, more than is decoded"},
		{200, "has 200 scans of 8190x8190 pixels, more than is decoded"},
	} {
		b := manyScans(t, c.scans)
		f, err := readFile(b)
		if err != nil {
			t.Fatal(err)
		}
		err = checkScans(b, &f.jpeg)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%d scans: %v, want %q", c.scans, err, c.want)
		}
	}
	if _, err := newDecoder(t, Go).Decode(manyScans(t, 200)); err == nil || !strings.Contains(err.Error(), "200 scans") {
		t.Errorf("200 scans: %v", err)
	}
}
