package data

import (
	"slices"
	"testing"
)

// TestRecipesAreTheLoadersBatches: rendered from the pixels that a device gets, the
// recipes of some epochs give the batches of a loader, bit for bit.
func TestRecipesAreTheLoadersBatches(t *testing.T) {
	d, err := Open(Config{Name: "shapes10", TrainSize: 100, TestSize: 10, SearchSize: 10})
	if err != nil {
		t.Fatal(err)
	}
	c := LoaderConfig{Batch: 16, Seed: 3, Augment: Augment{Crop: 4, Flip: true, Cutout: 8}, DropLast: true}
	l, err := d.Train.Loader(c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := d.Train.Recipes(c)
	if err != nil {
		t.Fatal(err)
	}
	px := d.Train.Pixels()
	size := px.Side * px.Side * 3
	placed := make([]Placed, c.Batch)
	flips := 0
	for step := range 3 * l.StepsPerEpoch() {
		want, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.Step(step, placed)
		for k, p := range placed {
			got := make([]float32, size)
			for i := range got {
				y, x, ch := i/(3*px.Side), i/3%px.Side, i%3
				if int(p.Y0) <= y && y < int(p.Y1) && int(p.X0) <= x && x < int(p.X1) {
					continue
				}
				if p.Flip == 1 {
					x = px.Side - 1 - x
				}
				y, x = y+int(p.DY), x+int(p.DX)
				v := uint8(0)
				if y >= 0 && y < px.Side && x >= 0 && x < px.Side {
					v = px.Pix[int(p.Image)*size+(y*px.Side+x)*3+ch]
				}
				got[i] = px.Table[ch*256+int(v)]
			}
			flips += int(p.Flip)
			if !slices.Equal(got, want.X[k*size:(k+1)*size]) || px.Labels[p.Image] != want.Y[k] {
				t.Fatalf("step %d, image %d differs from the loader's", step, k)
			}
		}
	}
	if flips == 0 {
		t.Error("nothing was mirrored")
	}
}
