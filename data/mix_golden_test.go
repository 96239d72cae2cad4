package data

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"oneshot/data/pixels"
)

// mixGolden is the file that testdata/mix_golden.py writes and describes.
type mixGolden struct {
	Boxes           [][]json.RawMessage
	Batches, Chains []mixCase
}

type mixCase struct {
	Side, Classes, Y, X    int
	Cut                    bool
	Share                  float64
	Partners               []int
	Steps                  [][]json.RawMessage
	Images, Mixed, Targets []byte
	Labels, Largest        []int32
}

// floats decodes little-endian float32.
func floats(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

// mix is the mixing of a case.
func (c *mixCase) mix() mix {
	if c.Cut {
		return pasted(c.Share, c.Y, c.X, c.Side)
	}
	return added(c.Share)
}

// wrong tells what of b is not as the case wants it, bit for bit.
func (c *mixCase) wrong(b *Batch) error {
	switch {
	case !slices.Equal(b.X, floats(c.Mixed)):
		return fmt.Errorf("images %v, want %v", b.X, floats(c.Mixed))
	case !slices.Equal(b.T, floats(c.Targets)):
		return fmt.Errorf("targets %v, want %v", b.T, floats(c.Targets))
	case !slices.Equal(b.Y, c.Largest):
		return fmt.Errorf("labels %v, want %v", b.Y, c.Largest)
	}
	return nil
}

func TestMixingEqualsNumPy(t *testing.T) {
	f, err := os.Open("testdata/mix_golden.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var g mixGolden
	if err := json.NewDecoder(z).Decode(&g); err != nil {
		t.Fatal(err)
	}
	if len(g.Boxes) < 100 || len(g.Batches) < 20 || len(g.Chains) < 10 {
		t.Fatalf("%d boxes, %d batches, %d chains", len(g.Boxes), len(g.Batches), len(g.Chains))
	}
	for _, raw := range g.Boxes {
		var share, keep float64
		var y, x, side int
		var box [4]int
		for i, v := range []any{&share, &y, &x, &side, &box, &keep} {
			if err := json.Unmarshal(raw[i], v); err != nil {
				t.Fatal(err)
			}
		}
		m := pasted(share, y, x, side)
		if m.box != (pixels.Rect{Y0: box[0], X0: box[1], Y1: box[2], X1: box[3]}) || float64(m.keep) != keep {
			t.Errorf("share %v about (%d,%d) of %d: %+v, want %v and %v", share, y, x, side, m, box, keep)
		}
	}
	for i, c := range g.Batches {
		b := &Batch{X: floats(c.Images), Y: c.Labels, N: len(c.Labels)}
		b.oneHot(c.Classes)
		x := mixer{image: make([]float32, c.Side*c.Side*3), partner: c.Partners}
		x.batch(b, c.mix(), c.Side, c.Classes)
		b.largest(c.Classes)
		if err := c.wrong(b); err != nil {
			t.Errorf("batch %d: %v", i, err)
		}
	}
	for i, c := range g.Chains {
		all, size := floats(c.Images), c.Side*c.Side*3
		b := &Batch{X: all[:size], Y: c.Labels[:1], N: 1}
		b.oneHot(c.Classes)
		for k, raw := range c.Steps {
			for i, v := range []any{&c.Cut, &c.Share, &c.Y, &c.X} {
				if err := json.Unmarshal(raw[i], v); err != nil {
					t.Fatal(err)
				}
			}
			m := c.mix()
			m.images(b.X, all[(k+1)*size:(k+2)*size], c.Side)
			m.labels(b.T, c.Labels[k+1])
		}
		b.largest(c.Classes)
		if err := c.wrong(b); err != nil {
			t.Errorf("chain %d: %v", i, err)
		}
	}
}
