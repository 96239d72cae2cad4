// Package data turns image collections into batches: it opens what people have
// (the packages below data/source), draws the built-in set shapes10, keeps training,
// search and test images apart, and augments and normalises on the way out.
//
// # Splits
//
// A [Dataset] has three splits. [Train] feeds gradient steps and batch-norm
// recalibration, [Search] scores subnetworks, [Test] is read once, for the final
// figure. Search is carved out of the training images by seed, class by class, unless
// it has a split of its own; source.Assign says which split of the files is which.
// The three are distinct struct types that cannot be converted into one
// another: a function that takes *Search cannot be handed test images, it does
// not compile.
//
// # Contract
//
// Pixels are normalised float32, (N,H,W,3) row-major (NHWC), labels int32. Every
// random decision (carving, order, crop, flip, cutout, mixing, drawing) comes from a seed
// through package internal/rng, so the same configuration gives the same bytes
// at any worker count. So it does on every machine, with two exceptions: JPEG
// files where another decoder is installed, and resized crops, erasing, rotations and
// mixing, whose sines and logarithms may differ in the last bit between architectures. A
// [Loader] started at step k delivers exactly what an uninterrupted one delivers
// from step k on.
//
// Mixup and CutMix work on images that are finished: placed, distorted, normalised, cut out
// and erased. A batch is mixed with itself by one draw a step, as in both papers, or each
// image with any of [Train], which is augmented by draws of its own (Augment.MixAny). Labels
// are then distributions as well, Batch.T.
//
// Bad input is a [*source.FileError] or a [*BadSampleError], naming file and offset, or a
// [*ConfigError], naming the field. Nothing here touches the network.
//
// # Example
//
//	d, err := data.Open(data.Config{Name: "shapes10", Seed: 42})
//	if err != nil { ... }
//	l, err := d.Train.Loader(data.LoaderConfig{Batch: 64, Seed: 42,
//		Augment: data.Augment{Crop: 4, Flip: true}})
//	if err != nil { ... }
//	defer l.Close()
//	for step := 0; step < steps; step++ {
//		b, err := l.Next(ctx)
//		if err != nil { ... }
//		train(b.X, b.Y) // b.X (b.N,32,32,3)
//		l.Recycle(b)
//	}
//	for b := range d.Search.Batches(256) {
//		score(b.X, b.Y) // b is overwritten by the next round
//	}
package data
