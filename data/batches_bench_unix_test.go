//go:build unix

package data

import (
	"syscall"
	"testing"
	"time"
)

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBatches makes batches of 32x32 images, as bench/data.sh asks of torchvision too:
// cropped, mirrored, normalised and with a square cut out; with AutoAugment besides; and as
// LaNet was trained, with two rounds of CutMix, each for half of the images.
func BenchmarkBatches(b *testing.B) {
	d, err := Open(Config{Name: "shapes10", TrainSize: 10000, SearchSize: 1000, TestSize: 100})
	if err != nil {
		b.Fatal(err)
	}
	for name, a := range map[string]Augment{
		"cifar":       {Crop: 4, Flip: true, Cutout: 16},
		"autoaugment": {Crop: 4, Flip: true, Cutout: 16, Policy: "autoaugment-cifar10"},
		"cutmix":      {Crop: 4, Flip: true, Cutout: 16, CutMix: 1, MixProb: 1},
		"mixup":       {Crop: 4, Flip: true, Cutout: 16, Mixup: 1, MixProb: 1},
		"lanet":       {Crop: 4, Flip: true, Policy: "autoaugment-lanet", CutMix: 1, MixProb: 0.5, MixAny: true, MixTimes: 2},
	} {
		b.Run(name, func(b *testing.B) {
			l := start(b, d, LoaderConfig{Batch: 64, Workers: 1, Augment: a})
			before := processorTime(b)
			for b.Loop() {
				batch, err := l.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				l.Recycle(batch)
			}
			images := float64(b.N) * 64
			b.ReportMetric(images/b.Elapsed().Seconds(), "images/s")
			b.ReportMetric(images/(processorTime(b)-before).Seconds(), "images/cpu-s")
		})
	}
}
