package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdMiniature is the command of scripts
//
//	miniature DIR TRAIN VAL SIDE
//
// that writes ImageNet's archives with three classes of TRAIN training images each and VAL
// validation images each, of SIDE pixels. The IDs of their devkit are those of
// data/source/ilsvrc/testdata/meta.py: 1, 2, 3 are the classes in this order.
func cmdMiniature(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: miniature DIR TRAIN VAL SIDE")
	}
	var n [3]int
	for i := range n {
		var err error
		n[i], err = strconv.Atoi(args[1+i])
		ts.Check(err)
	}
	// The test binary runs in its package's folder until a script changes it.
	meta, err := os.ReadFile(filepath.Join(packageDir, "..", "..", "data", "source", "ilsvrc", "testdata", "meta.mat"))
	ts.Check(err)
	classes := []string{"n02119789", "n02100735", "n01440764"}
	photo := func(class, i int) []byte {
		var b bytes.Buffer
		ts.Check(jpeg.Encode(&b, drawn(n[2], n[2], 3*class+i*17, false), nil))
		return b.Bytes()
	}
	var train, val []tarMember
	for y, wnid := range classes {
		var images []tarMember
		for i := range n[0] {
			images = append(images, tarMember{fmt.Sprintf("%s_%d.JPEG", wnid, i+1), photo(y, i)})
		}
		train = append(train, tarMember{wnid + ".tar", tarOf(ts, images)})
	}
	var truth strings.Builder
	for i := range n[1] * len(classes) {
		y := i % len(classes)
		val = append(val, tarMember{fmt.Sprintf("ILSVRC2012_val_%08d.JPEG", i+1), photo(y, 1000+i)})
		fmt.Fprintln(&truth, y+1)
	}
	var kit bytes.Buffer
	z := gzip.NewWriter(&kit)
	_, err = z.Write(tarOf(ts, []tarMember{
		{"ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", []byte(truth.String())},
		{"ILSVRC2012_devkit_t12/data/meta.mat", meta}}))
	ts.Check(err)
	ts.Check(z.Close())
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o755))
	for name, b := range map[string][]byte{"ILSVRC2012_img_train.tar": tarOf(ts, train), "ILSVRC2012_img_val.tar": tarOf(ts, val),
		"ILSVRC2012_devkit_t12.tar.gz": kit.Bytes()} {
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), name), b, 0o644))
	}
}

// packageDir is the folder of this package.
var packageDir, _ = os.Getwd()

type tarMember struct {
	name string
	body []byte
}

// tarOf packs files.
func tarOf(ts *testscript.TestScript, members []tarMember) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		ts.Check(w.WriteHeader(&tar.Header{Name: m.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(m.body))}))
		_, err := w.Write(m.body)
		ts.Check(err)
	}
	ts.Check(w.Close())
	return b.Bytes()
}
