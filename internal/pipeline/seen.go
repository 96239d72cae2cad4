package pipeline

import (
	"cmp"
	"math"
	"slices"

	"oneshot/data"
	"oneshot/internal/rundir"
)

// How many examples are kept: wrong ones, and right ones of each of the two kinds.
const (
	wrongExamples = rundir.MostExamples
	rightExamples = rundir.MostExamples / 2
)

// seeing keeps what a test is seen to do: who is taken for whom, and the images that it is surest and least sure of.
// What it keeps follows from the images and their order alone.
type seeing struct {
	classes, image    int // number of classes, side of an image in pixels
	mean, std         [3]float32
	confusion         map[[2]int]int
	wrong, sure, weak []rundir.Example
	n                 int // images seen
}

func newSeeing(d *data.Dataset) *seeing {
	return &seeing{classes: len(d.Classes), image: d.Image, mean: d.Mean, std: d.Std, confusion: map[[2]int]int{}}
}

// see takes in a batch and its logits (N,classes).
func (s *seeing) see(b *data.Batch, logits []float32) {
	for i, y := range b.Y {
		p := softmaxOf(logits[i*s.classes : (i+1)*s.classes])
		guess := p.first
		s.confusion[[2]int{int(y), guess}]++
		e := rundir.Example{Image: s.n, Label: int(y), Guess: guess, Probability: math.Round(1e4*p.of(guess)) / 1e4}
		size := s.image * s.image * 3
		pixels := b.X[i*size : (i+1)*size]
		s.n++
		higher := func(a, b rundir.Example) int { return -cmp.Compare(a.Probability, b.Probability) }
		lower := func(a, b rundir.Example) int { return cmp.Compare(a.Probability, b.Probability) }
		if guess != int(y) {
			s.wrong = s.keep(s.wrong, wrongExamples, e, pixels, higher)
			continue
		}
		s.sure = s.keep(s.sure, rightExamples, e, pixels, higher)
		s.weak = s.keep(s.weak, rightExamples, e, pixels, lower)
	}
}

// keep adds an example to the first n in an order, if it is among them; of equal ones the earlier image is first.
func (s *seeing) keep(of []rundir.Example, n int, e rundir.Example, pixels []float32, order func(a, b rundir.Example) int) []rundir.Example {
	at := len(of)
	for at > 0 && order(e, of[at-1]) < 0 {
		at--
	}
	if at == n {
		return of
	}
	e.Side = min(s.image, rundir.MostSide)
	e.RGB = s.picture(pixels, e.Side)
	of = slices.Insert(of, at, e)
	return of[:min(n, len(of))]
}

// picture is an image x (H,W,3), normalised, as bytes (side,side,3): each the mean of the pixels that it stands for.
func (s *seeing) picture(x []float32, side int) []byte {
	out := make([]byte, 0, side*side*3)
	for r := range side {
		top, bottom := r*s.image/side, (r+1)*s.image/side
		for c := range side {
			left, right := c*s.image/side, (c+1)*s.image/side
			for k := range 3 {
				sum := 0.0
				for i := top; i < bottom; i++ {
					for j := left; j < right; j++ {
						sum += float64(x[(i*s.image+j)*3+k])
					}
				}
				v := sum/float64((bottom-top)*(right-left))*float64(s.std[k]) + float64(s.mean[k])
				out = append(out, byte(min(255, max(0, math.Round(255*v)))))
			}
		}
	}
	return out
}

// seen is what was seen, of the exported file with that checksum.
func (s *seeing) seen(export string) *rundir.Seen {
	out := &rundir.Seen{Export: export, Wrong: append([]rundir.Example{}, s.wrong...), Right: append([]rundir.Example{}, s.sure...)}
	for _, e := range s.weak { // the least sure last; where there are few, an image is among both
		if !slices.ContainsFunc(s.sure, func(o rundir.Example) bool { return o.Image == e.Image }) {
			out.Right = append(out.Right, e)
		}
	}
	if s.classes <= rundir.MostConfusion {
		out.Confusion = make([][]int, s.classes)
		for y := range out.Confusion {
			out.Confusion[y] = make([]int, s.classes)
			for guess := range s.classes {
				out.Confusion[y][guess] = s.confusion[[2]int{y, guess}]
			}
		}
		return out
	}
	for pair, n := range s.confusion {
		if pair[0] != pair[1] {
			out.Confused = append(out.Confused, rundir.Confused{Label: pair[0], Guess: pair[1], Images: n})
		}
	}
	slices.SortFunc(out.Confused, func(a, b rundir.Confused) int {
		return cmp.Or(cmp.Compare(b.Images, a.Images), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Guess, b.Guess))
	})
	out.Confused = out.Confused[:min(len(out.Confused), rundir.MostConfused)]
	return out
}
