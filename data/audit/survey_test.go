package audit

import (
	"bytes"
	"context"
	"image"
	"math"
	"slices"
	"strings"
	"testing"

	"oneshot/data"
)

func TestSurvey(t *testing.T) {
	files := tree{}
	for i := range 10 {
		m := image.NewRGBA(image.Rect(0, 0, 16, 16))
		for p := range m.Pix {
			m.Pix[p] = []uint8{51, 102, uint8(255 * (i % 2)), 255}[p%4]
		}
		files["train/"+string(rune('a'+i%2))+"/"+string(rune('0'+i))+".png"] = pngOf(m)
		files["val/"+string(rune('a'+i%2))+"/"+string(rune('0'+i))+".png"] = pngOf(m)
	}
	files["val/a/bad.png"] = []byte("no")
	s, err := Survey(context.Background(), open(t, data.Config{Dir: files.write(t)}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Train, []int{4, 4}) || !slices.Equal(s.Search, []int{1, 1}) || !slices.Equal(s.Test, []int{5, 5}) {
		t.Errorf("train %v, search %v, test %v", s.Train, s.Search, s.Test)
	}
	if s.Image != 16 || s.Images != 21 || s.Looked != 20 || s.Bad != 1 || s.Kinds.Formats["png"] != 20 || s.Width != (Range{16, 16, 16}) {
		t.Errorf("%+v", s)
	}
	for c, want := range [3][2]float64{{0.2, 1. / 255}, {0.4, 1. / 255}, {0.5, 0.5}} {
		if got := [2]float64{float64(s.Mean[c]), float64(s.Std[c])}; !(math.Abs(got[0]-want[0]) <= 1e-6 && math.Abs(got[1]-want[1]) <= 1e-6) {
			t.Errorf("channel %d: %v, want %v", c, got, want)
		}
	}
	var b bytes.Buffer
	s.Text(&b)
	for _, want := range []string{"20 PNG", "width 16, height 16", "mean 0.2000 0.4000 0.5000", "bad      1 record cannot be decoded"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, &b)
		}
	}
}
