package main

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
)

// sample is a labelled image as its file has it.
type sample struct {
	split, class, name string
	label              int
	file               []byte
}

var sampleClasses = []string{"ant", "bee", "cat"}

// photographs makes JPEG files of different sizes: a class is a colour under noise.
func photographs(t *testing.T, perClass map[string]int) (all []sample) {
	t.Helper()
	for _, split := range []string{"train", "val"} {
		for label, class := range sampleClasses {
			for i := range perClass[split] {
				r := rand.New(rand.NewPCG(uint64(label), uint64(i)+uint64(len(split))<<32))
				m := image.NewRGBA(image.Rect(0, 0, 40+r.IntN(30), 40+r.IntN(30)))
				for y := range m.Rect.Dy() {
					for x := range m.Rect.Dx() {
						c := [3]uint8{uint8(r.IntN(90)), uint8(r.IntN(90)), uint8(r.IntN(90))}
						c[label] += 120
						m.Set(x, y, color.RGBA{c[0], c[1], c[2], 255})
					}
				}
				var b bytes.Buffer
				if err := jpeg.Encode(&b, m, nil); err != nil {
					t.Fatal(err)
				}
				all = append(all, sample{split, class, fmt.Sprintf("%03d.jpg", i), label, b.Bytes()})
			}
		}
	}
	return all
}

func writeFile(t *testing.T, b []byte, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func asFolder(t *testing.T, dir string, all []sample) {
	for _, s := range all {
		writeFile(t, s.file, dir, s.split, s.class, s.name)
	}
}

// asShards writes two WebDataset shards a split.
func asShards(t *testing.T, dir string, all []sample) {
	shards := map[string]*bytes.Buffer{}
	writers := map[string]*tar.Writer{}
	count, seen := map[string]int{}, map[string]int{}
	for _, s := range all {
		count[s.split]++
	}
	for i, s := range all {
		name := fmt.Sprintf("%s-%06d.tar", s.split, 2*seen[s.split]/count[s.split])
		seen[s.split]++
		if writers[name] == nil {
			shards[name] = new(bytes.Buffer)
			writers[name] = tar.NewWriter(shards[name])
		}
		for _, m := range []struct {
			ext  string
			body []byte
		}{{"jpg", s.file}, {"cls", []byte(fmt.Sprint(s.label))}} {
			h := &tar.Header{Name: fmt.Sprintf("%06d.%s", i, m.ext), Mode: 0o644, Size: int64(len(m.body)), Typeflag: tar.TypeReg}
			if err := writers[name].WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := writers[name].Write(m.body); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, w := range writers {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		writeFile(t, shards[name].Bytes(), dir, name)
	}
	writeFile(t, []byte(strings.Join(sampleClasses, "\n")+"\n"), dir, "classes.txt")
}

// asTar packs a folder of class folders.
func asTar(t *testing.T, dir string, all []sample) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, k := range rand.New(rand.NewPCG(1, 1)).Perm(len(all)) { // files in no order, as some programs write them
		s := all[k]
		h := &tar.Header{Name: strings.Join([]string{"photos", s.split, s.class, s.name}, "/"), Mode: 0o644, Size: int64(len(s.file)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(s.file); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, b.Bytes(), dir, "photos.tar")
}

type parquetFile struct {
	Bytes []byte `parquet:"bytes,optional"`
	Path  string `parquet:"path,optional"`
}

type parquetRow struct {
	Image *parquetFile `parquet:"image,optional"`
	Label int64        `parquet:"label"`
}

func asParquet(t *testing.T, dir string, classes []string, all []sample) {
	rows := map[string][]parquetRow{}
	for _, s := range all {
		rows[s.split] = append(rows[s.split], parquetRow{&parquetFile{s.file, s.name}, int64(s.label)})
	}
	notes := `{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["` + strings.Join(classes, `", "`) + `"]}}}}`
	for split, r := range rows {
		var b bytes.Buffer
		w := pq.NewGenericWriter[parquetRow](&b, pq.KeyValueMetadata("huggingface", notes))
		if _, err := w.Write(r); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		writeFile(t, b.Bytes(), dir, split+"-00000-of-00001.parquet")
	}
}

// ran is what a run leaves that its input decides.
func ran(t *testing.T, dataDir string, more ...string) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	args := append([]string{"run", "--preset", "micro", "--seed", "7", "--device", "cpu", "--quiet", "--data-dir", dataDir, "--out", dir}, more...)
	if out, err := exec.Command(program(t), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", dataDir, err, out)
	}
	files := map[string]string{}
	for _, name := range []string{"export/model.safetensors", "search/samples.jsonl", "metrics.jsonl", "result.json"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(b)
	}
	return files
}

// sameRuns wants runs on the same images in several containers to leave the same bytes.
func sameRuns(t *testing.T, dirs []string, more ...string) {
	t.Helper()
	want := ran(t, dirs[0], more...)
	for _, dir := range dirs[1:] {
		for name, b := range ran(t, dir, more...) {
			if b != want[name] {
				t.Errorf("%s: %s differs from that of %s", dir, name, dirs[0])
			}
		}
	}
	if ran(t, dirs[0], append(more, "--seed", "8")...)["metrics.jsonl"] == want["metrics.jsonl"] { // the broken twin
		t.Error("another run goes unnoticed")
	}
}

// TestSameRunFromEveryContainer: the same photographs as class folders, as a tar of them,
// as WebDataset shards and as parquet.
func TestSameRunFromEveryContainer(t *testing.T) {
	all := photographs(t, map[string]int{"train": 14, "val": 4})
	dir := t.TempDir()
	var dirs []string
	for name, write := range map[string]func(*testing.T, string, []sample){"folder": asFolder, "tar": asTar, "shards": asShards,
		"parquet": func(t *testing.T, dir string, all []sample) { asParquet(t, dir, sampleClasses, all) }} {
		write(t, filepath.Join(dir, name), all)
		dirs = append(dirs, filepath.Join(dir, name))
	}
	sameRuns(t, dirs, "--set", "data.image=24", "--set", "train.resized_crop=0.3", "--set", "train.policy=randaugment",
		"--set", "retrain.color_jitter=0.2", "--set", "retrain.erase=0.5")
}

// TestSameRunFromEveryCIFAR: the same images of 32 pixels in CIFAR-10's binary version, in
// its python version, and as PNG files in parquet.
func TestSameRunFromEveryCIFAR(t *testing.T) {
	const perFile, files = 20, 6 // five to train on and one to test
	r := rand.New(rand.NewPCG(3, 3))
	dir := t.TempDir()
	classes := strings.Fields("airplane automobile bird cat deer dog frog horse ship truck")
	var all []sample
	for f := range files {
		var raw, pixels []byte
		var labels []int
		for i := range perFile {
			label, px := i%10, make([]byte, 3*1024)
			for k := range px {
				px[k] = byte(r.Uint32())
			}
			raw = append(append(raw, byte(label)), px...)
			pixels, labels = append(pixels, px...), append(labels, label)
			m := image.NewRGBA(image.Rect(0, 0, 32, 32))
			for k := range 1024 {
				m.Set(k%32, k/32, color.RGBA{px[k], px[1024+k], px[2048+k], 255})
			}
			var b bytes.Buffer
			if err := png.Encode(&b, m); err != nil {
				t.Fatal(err)
			}
			split := "train"
			if f == files-1 {
				split = "test"
			}
			all = append(all, sample{split, classes[label], "", label, b.Bytes()})
		}
		name := fmt.Sprintf("data_batch_%d", f+1)
		if f == files-1 {
			name = "test_batch"
		}
		writeFile(t, raw, dir, "binary", name+".bin")
		writeFile(t, pickled(pixels, labels), dir, "python", name)
	}
	var names bytes.Buffer
	names.WriteString("\x80\x02}U\x0blabel_names](")
	for _, c := range classes {
		names.WriteString("U" + string(rune(len(c))) + c)
	}
	names.WriteString("es.")
	writeFile(t, names.Bytes(), dir, "python", "batches.meta")
	asParquet(t, filepath.Join(dir, "parquet"), classes, all)
	sameRuns(t, []string{filepath.Join(dir, "binary"), filepath.Join(dir, "python"), filepath.Join(dir, "parquet")})
}

// pickled is {"data": array of uint8 (n,3072), "labels": list of int} as numpy pickles it
// in protocol 3.
func pickled(pixels []byte, labels []int) []byte {
	b := []byte("\x80\x03}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K" +
		string([]byte{byte(len(labels))}) + "M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89B")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(pixels)))
	b = append(append(b, pixels...), "tbU\x06labels]("...)
	for _, y := range labels {
		b = append(b, 'K', byte(y))
	}
	return append(b, "eu."...)
}

// TestOwnImages: a whole run on what people have beside CIFAR.
func TestOwnImages(t *testing.T) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(5, 5))
	t.Run("mnist", func(t *testing.T) {
		for _, part := range []struct {
			name string
			n    int
		}{{"train", 120}, {"t10k", 40}} {
			images := binary.BigEndian.AppendUint32([]byte{0, 0, 8, 3}, uint32(part.n))
			images = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(images, 28), 28)
			labels := binary.BigEndian.AppendUint32([]byte{0, 0, 8, 1}, uint32(part.n))
			for i := range part.n {
				labels = append(labels, byte(i%10))
				for range 28 * 28 {
					images = append(images, byte(r.Uint32()))
				}
			}
			writeFile(t, images, dir, "mnist", part.name+"-images-idx3-ubyte")
			writeFile(t, labels, dir, "mnist", part.name+"-labels-idx1-ubyte")
		}
		if res := ran(t, filepath.Join(dir, "mnist"))["result.json"]; !strings.Contains(res, `"test_images": 40`) {
			t.Error(res)
		}
	})
	t.Run("grey", func(t *testing.T) {
		for class := range 37 {
			for i := range 6 {
				m := image.NewGray(image.Rect(0, 0, 64, 64))
				for k := range m.Pix {
					m.Pix[k] = byte(r.Uint32())
				}
				var b bytes.Buffer
				if err := png.Encode(&b, m); err != nil {
					t.Fatal(err)
				}
				writeFile(t, b.Bytes(), dir, "grey", fmt.Sprintf("class %02d", class), fmt.Sprintf("%d.png", i))
			}
		}
		// Six images a class: one is drawn for the test, one for the search.
		if res := ran(t, filepath.Join(dir, "grey"))["result.json"]; !strings.Contains(res, `"test_images": 44`) {
			t.Error(res)
		}
	})
}
