package plan

import (
	"math"
	"testing"

	"oneshot/data"
	"oneshot/internal/config"
)

// TestEpochsAreImagesSeen: the epochs that are told are the images that a training is given,
// divided by those there are, whatever a pass leaves out. Passes, which are a broken twin, are
// not.
func TestEpochsAreImagesSeen(t *testing.T) {
	c, err := config.FromPreset("micro") // 120 images
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Data.Close()
	images := p.Images("train").Len()
	passes := 0
	for _, x := range []struct {
		epochs, steps, batch, micro int
		want                        float64
	}{
		{3, 0, 8, 0, 3},
		{3, 0, 64, 0, 3 * 64. / 120},
		{20, 0, 50, 0, 20 * 100. / 120},
		{20, 0, 50, 25, 20 * 100. / 120}, // parts of a batch are no steps
		{2, 0, 120, 0, 2},
		{2, 0, 119, 0, 2 * 119. / 120},
		{9, 7, 50, 0, 7 * 50. / 120}, // steps count
		{0, 3, 7, 0, 21. / 120},
	} {
		s := p.Settings("train")
		s.Epochs, s.Steps, s.Batch, s.MicroBatch = x.epochs, x.steps, x.batch, x.micro
		training := p.Training("train")
		seen := 0
		half := training.Steps / 2 // stopped there and continued
		for _, part := range [][2]int{{0, half}, {half, training.Steps}} {
			l, err := p.Images("train").Loader(data.LoaderConfig{Batch: x.batch, Seed: 1, StartStep: part[0], DropLast: true})
			if err != nil {
				t.Fatal(err)
			}
			for range part[1] - part[0] {
				b, err := l.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				seen += b.N
				l.Recycle(b)
			}
			l.Close()
		}
		told := s.EpochsFor(images)
		if really := float64(seen) / float64(images); !(math.Abs(told-really) < 1e-12) || !(math.Abs(told-x.want) < 1e-12) {
			t.Errorf("%+v: told %g epochs, %g were seen", x, told, really)
		}
		if float64(training.Steps)/float64(max(1, images/x.batch)) != told {
			passes++
		}
	}
	if passes == 0 {
		t.Error("no pass leaves an image out: the test is blind")
	}
	// CIFAR-10 in batches of 64: 8 images of a pass are left out.
	s := p.Settings("train")
	s.Epochs, s.Steps, s.Batch = 20, 0, 64
	if steps, epochs := s.StepsFor(45000), s.EpochsFor(45000); steps != 14060 || !(math.Abs(epochs-20*44992./45000) < 1e-12) {
		t.Errorf("%d steps, %g epochs", steps, epochs)
	}
}
