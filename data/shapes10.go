package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"oneshot/internal/rng"
)

// shapes10 is the built-in set: ten kinds of shape on 32x32 colour images, drawn
// from a seed, so that the whole pipeline runs with no download. A shape has a
// random place, size, rotation, colour and texture; background, clutter,
// lighting and noise are random too and drawn alike for every class, so neither
// colour nor mean brightness tells the class: it takes edges in combination,
// which a linear classifier on pixels cannot see and a small convnet learns in
// a minute.
//
// The bytes are part of the contract (a golden hash in the tests): results are
// compared across machines. Hence no math.Sin or Exp, whose last bit differs
// between ports, and every float product is rounded by an explicit float64(...)
// conversion, which the Go specification ("Floating-point operators") says
// forbids fusing it with an addition, as arm64 and others otherwise do.
// Change shapes10Version with the bytes.
const shapes10Version = 1

const shapes10Side = 32

// shapes10Classes names the labels; drawn by the functions of outlines.
var shapes10Classes = []string{"disc", "ring", "square", "triangle", "star", "cross", "crescent", "heart", "bar", "arrow"}

// openShapes10 draws both parts. Image i has class i mod 10, so the classes are
// exactly balanced; its pixels depend on (seed, part, i) alone.
func openShapes10(c Config) *Dataset {
	train, test := drawShapes10(c.Seed, 0, c.TrainSize), drawShapes10(c.Seed, 1, c.TestSize)
	d := &Dataset{Name: c.Name, Classes: slices.Clone(shapes10Classes), Image: shapes10Side, CropPct: 1,
		TrainSize: c.TrainSize, SearchSize: c.SearchSize, SearchHeld: c.SearchSize, TestSize: c.TestSize}
	rest, carved := divide(train.y, len(d.Classes), c.SearchSize, c.Seed)
	d.Mean, d.Std, _ = statistics(&split{img: train, idx: rest}, 0) // all are resident
	d.split(train, rest, carved, test, upTo(0, test.len()), c.As)
	sum := sha256.New()
	for _, m := range []*images{train, test} {
		sum.Write(m.pix)
		for _, y := range m.y {
			sum.Write([]byte{byte(y)})
		}
	}
	d.SHA256 = hex.EncodeToString(sum.Sum(nil))
	d.Provenance = fmt.Sprintf("drawn by oneshot (shapes10 v%d, seed %d)", shapes10Version, c.Seed)
	return d
}

// drawShapes10 draws n images of part 0 (training) or 1 (test), on every core.
func drawShapes10(seed, part uint64, n int) *images {
	m := newImages(n, shapes10Side)
	workers := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				class := i % len(shapes10Classes)
				m.y[i] = int32(class)
				newScene(rng.New(seed, "shapes10", part, uint64(i)), class).paint(m.at(i))
			}
		})
	}
	wg.Wait()
	return m
}
