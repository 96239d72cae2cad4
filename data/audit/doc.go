// Package audit says what a collection of images holds, and what is wrong with it, before a
// training does.
//
// [Verify] decodes every record of every split. It finds records that cannot be decoded,
// classes without images, and pictures that are there more than once, also where one is
// stored as JPEG and the other as PNG. [Survey] is the quick look: it reads headers and what
// a training needs to know.
//
// Both read on all processors and say the same whatever their number. What they find is a
// value with stable JSON names, or text for people. Neither prints anything or changes a file.
//
//	f, err := data.OpenFiles(data.Config{Name: data.Auto, Dir: "photographs"})
//	if err != nil { ... }
//	defer f.Close()
//	r, err := audit.Verify(ctx, f, audit.Options{})
//	if err != nil { ... } // the disk, or ctx
//	for _, p := range r.Problems { ... } // what keeps the data from being used
package audit
