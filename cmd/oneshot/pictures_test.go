package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdPictures is the command of scripts
//
//	pictures FORMAT WIDTHxHEIGHT SEED FILE...
//
// that writes the same picture, jpeg, grey (JPEG) or png, to every file, whatever its name.
// Another seed gives another picture.
func cmdPictures(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: pictures FORMAT WIDTHxHEIGHT SEED FILE...")
	}
	var w, h int
	if _, err := fmt.Sscanf(args[1], "%dx%d", &w, &h); err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	seed, err := strconv.Atoi(args[2])
	ts.Check(err)
	var b bytes.Buffer
	switch m := drawn(w, h, seed, args[0] == "grey"); args[0] {
	case "png":
		err = png.Encode(&b, m)
	case "jpeg", "grey":
		err = jpeg.Encode(&b, m, nil)
	default:
		ts.Fatalf("no format %q", args[0])
	}
	ts.Check(err)
	for _, name := range args[3:] {
		path := ts.MkAbs(name)
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o777))
		ts.Check(os.WriteFile(path, b.Bytes(), 0o666))
	}
}

// drawn is a pattern whose waves are those of the seed.
func drawn(w, h, seed int, grey bool) image.Image {
	rgb, y8 := image.NewRGBA(image.Rect(0, 0, w, h)), image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			r, g := uint8(x*(seed%5+1)+y/2), uint8(y*(seed%7+1)+13*seed)
			rgb.SetRGBA(x, y, color.RGBA{r, g, r ^ g, 255})
			y8.SetGray(x, y, color.Gray{r})
		}
	}
	if grey {
		return y8
	}
	return rgb
}
