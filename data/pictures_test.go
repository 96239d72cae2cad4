package data

import (
	"slices"
	"testing"
)

// TestPicturesAreTheImagesOfASet: image files by themselves become what they are in a set of class
// folders, whatever their sizes; what cannot be decoded is left out.
func TestPicturesAreTheImagesOfASet(t *testing.T) {
	for _, c := range []struct {
		name string
		w, h func(i int) int
		view View
	}{
		{"of one small size", func(int) int { return 24 }, func(int) int { return 24 }, View{}},
		{"of one large size", func(int) int { return 120 }, func(int) int { return 100 }, View{Side: 32}},
		{"stretched", func(i int) int { return 30 + i }, func(int) int { return 40 }, View{Side: 32, Resize: "stretch", CropPct: 1}},
		{"of many sizes", func(i int) int { return 100 + 7*i }, func(i int) int { return 140 - 5*i }, View{Side: 32}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			var files []string
			for i := range 12 {
				name := string(rune('a'+i)) + ".png"
				files = append(files, writeFile(t, encoded(t, "png", picture(i, c.w(i), c.h(i))), dir, []string{"a", "b"}[i%2], name))
			}
			d, err := Open(Config{Name: "folder", Dir: dir, Seed: 1, Image: c.view.Side, Resize: c.view.Resize, CropPct: c.view.CropPct, SearchSize: 2, TestSize: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			c.view.Side = d.Image
			if d.CropPct != 1 { // as an exported file says it
				c.view.CropPct = d.CropPct
			}
			c.view.Preprocess = Preprocess{Mean: d.Mean, Std: d.Std}
			want := map[string][]float32{}
			for _, s := range []*split{&d.Train.train, &d.Search.search, &d.Test.test} {
				for _, i := range s.idx {
					v := make([]float32, s.img.size())
					r := s.img.reader()
					if err := r.render(v, i, s.norm, false); err != nil {
						t.Fatal(err)
					}
					r.close()
					want[s.img.from.src.Where(int(s.img.refs[i].split), int(s.img.refs[i].record)).File] = v
				}
			}
			text := writeFile(t, []byte("text"), t.TempDir(), "text")
			files = slices.Insert(files, 3, text)
			var bad []string
			seen := 0
			for p := range c.view.Batches(files, 5, func(file string, err error) { bad = append(bad, file) }) {
				for k, f := range p.Files {
					size := d.Image * d.Image * 3
					if !slices.Equal(p.X[k*size:(k+1)*size], want[f]) {
						t.Errorf("%s differs", f)
					}
					seen++
				}
			}
			if seen != 12 || !slices.Equal(bad, []string{text}) {
				t.Errorf("%d images seen, %v left out", seen, bad)
			}
		})
	}
}
