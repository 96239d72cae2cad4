package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"oneshot/data"
	"oneshot/data/decode"
	"oneshot/internal/pipeline"
	"oneshot/supernet"
	"oneshot/weights"
)

// logitTolerance is how far logits may be apart: where colour of a JPEG file is stored at
// half the size, Pillow makes it larger and then the image smaller, and oneshot resizes it
// once, so that pixels differ by 0.2 levels of 255 in the mean and by 4 at most. Logits differed
// by 0.025 when this was written, the largest being 7.
const logitTolerance = 0.1

// cameraRoll makes photographs as they come out of cameras and editors: of many sizes,
// upright and lying, grey and coloured, with and without EXIF, PNG with a palette and with
// transparency. A class is bright at the top, at the bottom, or red in the middle. Without
// exif the tags are left out, so that some images lie on their side.
func cameraRoll(t *testing.T, perClass map[string]int, exif bool) (all []sample) {
	t.Helper()
	for _, split := range []string{"train", "val"} {
		for label, class := range sampleClasses {
			for i := range perClass[split] {
				r := rand.New(rand.NewPCG(uint64(label), uint64(i)+uint64(len(split))<<32))
				shown := scenery(r, label)
				name, b := fmt.Sprintf("%03d.jpg", i), new(bytes.Buffer)
				var err error
				switch i % 8 {
				case 0, 1, 2:
					err = jpeg.Encode(b, shown, nil)
				case 3:
					err = jpeg.Encode(b, in(image.NewGray(shown.Rect), shown), nil)
				case 4:
					o := []int{3, 6, 8}[i/8%3]
					if err = jpeg.Encode(b, stored(shown, o), nil); err == nil && exif {
						b = bytes.NewBuffer(withOrientation(b.Bytes(), o))
					}
				case 5:
					name, err = fmt.Sprintf("%03d.png", i), png.Encode(b, shown)
				case 6:
					name, err = fmt.Sprintf("%03d.png", i), png.Encode(b, in(image.NewPaletted(shown.Rect, palette.Plan9), shown))
				case 7:
					m := image.NewNRGBA(shown.Rect)
					for k, v := range shown.Pix {
						m.Pix[k] = v
						if k%4 == 3 {
							m.Pix[k] = uint8(200 + k%50)
						}
					}
					name, err = fmt.Sprintf("%03d.png", i), png.Encode(b, m)
				}
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, sample{split, class, name, label, b.Bytes()})
			}
		}
	}
	return all
}

// scenery is smooth, as photographs are, under a little noise.
func scenery(r *rand.Rand, label int) *image.RGBA {
	w, h := 45+r.IntN(120), 45+r.IntN(120)
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	var waves [3][4]float64
	for c := range waves {
		waves[c] = [4]float64{8 * r.Float64(), 8 * r.Float64(), 6 * r.Float64(), 15 + 30*r.Float64()}
	}
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			object := [3]float64{}
			switch bump := 80 * math.Exp(-10*((u-0.5)*(u-0.5)+(v-0.5)*(v-0.5))); label {
			case 0:
				object = [3]float64{70 * (1 - v), 70 * (1 - v), 70 * (1 - v)}
			case 1:
				object = [3]float64{70 * v, 70 * v, 70 * v}
			case 2:
				object = [3]float64{bump, -bump / 2, -bump / 2}
			}
			var px [3]uint8
			for c, k := range waves {
				px[c] = uint8(min(255, max(0, 90+object[c]+k[3]*math.Sin(k[0]*u+k[1]*v+k[2])+6*r.NormFloat64())))
			}
			m.SetRGBA(x, y, color.RGBA{px[0], px[1], px[2], 255})
		}
	}
	return m
}

func in[T draw.Image](dst T, src image.Image) T {
	draw.Draw(dst, src.Bounds(), src, image.Point{}, draw.Src)
	return dst
}

// stored is what a camera held at orientation o (TIFF 6.0) stores of what is to be shown.
func stored(shown *image.RGBA, o int) *image.RGBA {
	w, h := shown.Rect.Dx(), shown.Rect.Dy()
	size := image.Rect(0, 0, w, h)
	if o != 3 {
		size = image.Rect(0, 0, h, w)
	}
	m := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			at := map[int][2]int{3: {w - 1 - x, h - 1 - y}, 6: {w - 1 - y, x}, 8: {y, h - 1 - x}}[o]
			m.SetRGBA(x, y, shown.RGBAAt(at[0], at[1]))
		}
	}
	return m
}

// withOrientation puts an EXIF block of one entry behind the start of a JPEG file.
func withOrientation(file []byte, o int) []byte {
	block := "Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + string(rune(o)) + "\x00\x00\x00\x00\x00\x00\x00"
	segment := "\xff\xe1\x00" + string(rune(2+len(block))) + block
	return append(append(file[:2:2], segment...), file[2:]...)
}

// inTorch is what folder_eval.py prints.
type inTorch struct {
	Images          int     `json:"images"`
	Top1            float64 `json:"top1"`
	Loss            float64 `json:"loss"`
	MaxLevel        float64 `json:"max_level"`
	MeanLevel       float64 `json:"mean_level"`
	MaxLogit        float64 `json:"max_logit"`
	SamePixels      float64 `json:"max_logit_same_pixels"`
	Largest         float64 `json:"largest_logit"`
	Predicted       int     `json:"predicted_classes"`
	Decided         int     `json:"decided"`
	DifferDecided   int     `json:"differ_decided"`
	DifferUndecided int     `json:"differ_undecided"`
}

func evalInTorch(t *testing.T, python, model, dir string, more ...string) (r inTorch) {
	t.Helper()
	cmd := exec.Command(python, append([]string{filepath.FromSlash("testdata/folder_eval.py"), model, dir}, more...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd, err, out, &stderr)
	}
	return r
}

// TestFolderInPyTorch: a network that was made from a folder of photographs classifies
// the files of the folder in PyTorch, read and resized by torchvision and Pillow, as
// `oneshot eval --weights` says.
func TestFolderInPyTorch(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import torch, torchvision").Run(); err != nil {
		t.Skipf("%s has no torchvision (Debian: python3-torchvision)", python)
	}
	photos, sideways := filepath.Join(t.TempDir(), "photos"), filepath.Join(t.TempDir(), "sideways")
	counts := map[string]int{"train": 40, "val": 24}
	asFolder(t, photos, cameraRoll(t, counts, true))
	asFolder(t, sideways, cameraRoll(t, counts, false))
	run := filepath.Join(t.TempDir(), "run")
	model := filepath.Join(run, "export", "model.safetensors")
	if out, err := exec.Command(program(t), "run", "--preset", "micro", "--seed", "7", "--device", "cpu", "--quiet", "--data-dir", photos, "--out", run,
		"--set", "data.image=32", "--set", "retrain.steps=60", "--set", "retrain.batch=16", "--set", "retrain.resized_crop=0.6").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var ours struct { // the figures that are compared
		Images     int
		Top1, Loss float64
	}
	eval := func(split string) {
		out, err := exec.Command(program(t), "eval", "--weights", model, "--data-dir", photos, "--split", split, "--device", "cpu", "--json").Output()
		if err == nil {
			err = json.Unmarshal(out, &ours)
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	same := func(theirs inTorch) bool {
		t.Logf("oneshot %+v, PyTorch %+v", ours, theirs)
		return ours.Images == theirs.Images && math.Abs(ours.Loss-theirs.Loss) <= 0.005
	}
	// The search images are drawn: their loss tells whether both drew the same ones.
	eval("search")
	if theirs := evalInTorch(t, python, model, photos, "--split", "search"); !same(theirs) {
		t.Errorf("search images: %+v, in PyTorch %+v", ours, theirs)
	}
	eval("test")
	decoders := []string{decode.Go}
	if _, err := decode.Choose(decode.Turbo); err == nil {
		decoders = append(decoders, decode.Turbo)
	}
	var more []string
	for _, decoder := range decoders {
		given := filepath.Join(t.TempDir(), "given.safetensors")
		ownLogits(t, model, photos, decoder, given)
		more = []string{"--given", given, "--tolerance", fmt.Sprint(logitTolerance)}
		theirs := evalInTorch(t, python, model, photos, more...)
		if !same(theirs) || ours.Top1 != theirs.Top1 && theirs.DifferUndecided == 0 {
			t.Errorf("%s: %+v, in PyTorch %+v", decoder, ours, theirs)
		}
		if !(theirs.MaxLogit <= logitTolerance && theirs.SamePixels <= 1e-4*max(1, theirs.Largest) && theirs.MeanLevel <= 0.5) {
			t.Errorf("%s: logits or pixels are too far from those of PyTorch: %+v", decoder, theirs)
		}
		if theirs.DifferDecided != 0 || theirs.Predicted != len(sampleClasses) || theirs.Decided < theirs.Images/2 {
			t.Errorf("%s: other predictions, or none that mean anything: %+v", decoder, theirs)
		}
	}
	// The broken twin: a reader that leaves photographs on their side.
	if other := evalInTorch(t, python, model, sideways, more...); other.MaxLogit <= logitTolerance || other.DifferDecided == 0 {
		t.Errorf("images on their side go unnoticed: %+v", other)
	}
}

// ownLogits writes what oneshot makes of the test images for folder_eval.py --given.
func ownLogits(t *testing.T, model, dir, decoder, to string) {
	t.Helper()
	rt, err := supernet.NewRuntime(1)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	file, err := pipeline.ReadExport(model)
	if err != nil {
		t.Fatal(err)
	}
	l, err := file.Network("", 0, rt)
	if err != nil {
		t.Fatal(err)
	}
	c := file.Data
	c.Dir, c.Seed, c.Decoder, c.As = dir, file.Seed, decoder, &data.Preprocess{Mean: file.Mean, Std: file.Std}
	d, err := data.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for b := range d.Test.Batches(d.Test.Len()) { // one batch
		logits, err := l.Net.Logits(l.Arch, b.X)
		if err != nil {
			t.Fatal(err)
		}
		labels := make([]int64, b.N)
		for i, y := range b.Y {
			labels[i] = int64(y)
		}
		if err := weights.ExportModel(to, []weights.Tensor{
			{Name: "x", Shape: []int{b.N, 3, d.Image, d.Image}, F32: nchw(b.X, d.Image)},
			{Name: "logits", Shape: []int{b.N, len(d.Classes)}, F32: logits},
			{Name: "labels", Shape: []int{b.N}, I64: labels},
		}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
}
