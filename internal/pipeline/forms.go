package pipeline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/portable"
	"oneshot/supernet/space"
)

// Forms in which a network is exported besides safetensors, and their files beside it.
var formFiles = map[string]string{"onnx": "model.onnx", "pytorch": "model.py"}

// FormNames are the values of --format.
func FormNames() []string { return []string{"safetensors", "onnx", "pytorch"} }

// maxForm caps an ONNX file that is read again, in bytes; protobuf ends at 2 GiB.
const maxForm = 2 << 30

// CheckForms refuses names of forms that there are not.
func CheckForms(names []string) error {
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			return fault.Usage("", "--format %s: %s is there twice", strings.Join(names, ","), n)
		}
		if !slices.Contains(FormNames(), n) {
			return fault.Usage("", "--format %q: want %s%s", n, strings.Join(FormNames(), ", "), fault.DidYouMean(n, FormNames()))
		}
	}
	return nil
}

// WriteForms writes the exported network of the run in other forms; see writeForms.
func (r *Run) WriteForms(names []string, o portable.ONNXOptions) (files []string, err error) {
	file, err := ReadExport(r.Folder.File("export", "model.safetensors"))
	if err != nil {
		return nil, err
	}
	if files, err = writeForms(rundir.Folder(r.Folder.File("export")), file, names, o, r.rt); err != nil {
		return nil, err
	}
	return files, r.recordExport(r.Folder)
}

// writeForms writes the network of an exported file in other forms into its folder. Before an ONNX file takes its
// place it is read again and gives the logits that the network itself gives; a module wants the tensors that the file
// has. It returns the names of the files.
func writeForms(d rundir.Folder, file *ExportedFile, names []string, o portable.ONNXOptions, rt *supernet.Runtime) (paths []string, err error) {
	if err := CheckForms(names); err != nil {
		return nil, err
	}
	x, err := file.Network("", 0, rt)
	if err != nil {
		return nil, err
	}
	path, err := x.Space.Describe(x.Config.Size, x.Arch)
	if err != nil {
		return nil, err
	}
	m := &portable.Model{Net: path, Tensors: file.tensors, Arch: file.Arch, Classes: file.Classes, Mean: file.Mean, Std: file.Std}
	if file.Weights != nil {
		m.Weights = file.Weights.String()
	}
	for _, name := range names {
		var b []byte
		switch name {
		case "safetensors":
			continue
		case "onnx":
			if b, err = portable.ONNX(m, o); err == nil {
				err = sameLogits(x, m, b, o)
			}
		case "pytorch":
			if b, err = portable.Python(m); err == nil {
				err = portable.CheckPython(b, m.Tensors)
			}
		}
		if err != nil {
			return nil, err
		}
		if err := atomicfile.WriteFile(d.File(formFiles[name]), b, 0o644); err != nil {
			return nil, err
		}
		paths = append(paths, formFiles[name])
	}
	return paths, nil
}

// rewriteForms writes the forms anew that a folder has: those of another network would lie.
func rewriteForms(d rundir.Folder, rt *supernet.Runtime) error {
	var names []string
	var o portable.ONNXOptions
	for _, name := range FormNames() {
		if f := formFiles[name]; f == "" || !d.Has(f) {
			continue
		}
		names = append(names, name)
		if name == "onnx" {
			b, err := atomicfile.ReadAtMost(d.File(formFiles[name]), maxForm)
			if err != nil {
				return err
			}
			o = portable.OptionsOf(b)
		}
	}
	if len(names) == 0 {
		return nil
	}
	file, err := readExport(d.File("model.safetensors"))
	if err == nil {
		_, err = writeForms(d, file, names, o, rt)
	}
	return err
}

// What the logits of an ONNX file may differ by from those of the network, relative to their norm; and how much
// work the comparison may be: Evaluate is simple, not fast.
const (
	formTolerance = 1e-5
	formMAdds     = 2e9
	formImages    = 4
)

// someImages draws images by a fixed seed, so many that the comparison is little work: as the network sees them
// (N,H,W,3), and as pixels of 0 to 255.
func (x *Exported) someImages(mean, std [3]float32) (images, pixels []float32, n int, err error) {
	_, madds, err := x.Config.Cost(x.Arch)
	if err != nil {
		return nil, nil, 0, err
	}
	n = max(1, min(formImages, int(formMAdds/max(madds, 1))))
	images, pixels = make([]float32, n*x.Config.Image*x.Config.Image*3), make([]float32, n*x.Config.Image*x.Config.Image*3)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range images {
		pixels[i] = float32(r.IntN(256))
		images[i] = (pixels[i]/255 - mean[i%3]) / std[i%3]
	}
	return images, pixels, n, nil
}

// sameNetwork reads an exported file that was just written as temp and will be path, and compares the logits of some
// images with those of the network that was exported.
func sameNetwork(temp, path string, n *supernet.Net, arch space.Arch, rt *supernet.Runtime) error {
	file, err := readExport(temp)
	if err != nil {
		return err
	}
	file.path = path
	x, err := file.Network("", 0, rt)
	if err != nil {
		return err
	}
	images, _, count, err := x.someImages(file.Mean, file.Std)
	if err != nil {
		return err
	}
	want, err := n.Logits(arch, images)
	if err != nil {
		return err
	}
	got, err := x.Net.Logits(x.Arch, images)
	if err == nil && !slices.Equal(got, want) && !slices.ContainsFunc(want, func(v float32) bool { return v != v }) {
		err = fault.New(fault.ExitFailure, "", "what was written is not the network that was exported, its outputs for %d images are others: the file stays as it was", count)
	}
	return err
}

// sameLogits compares the logits of some images with those of the network in ONNX.
func sameLogits(x *Exported, m *portable.Model, b []byte, o portable.ONNXOptions) error {
	images, pixels, n, err := x.someImages(m.Mean, m.Std)
	if err != nil {
		return err
	}
	from := images
	if o.Pixels {
		from = pixels
	}
	hw := m.Net.Image * m.Net.Image
	input := make([]float32, len(from))
	for i, v := range from {
		input[(i/(3*hw)*3+i%3)*hw+i/3%hw] = v
	}
	want, err := x.Net.Logits(x.Arch, images)
	if err != nil {
		return err
	}
	got, err := portable.Evaluate(b, input)
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("%s in ONNX has %d outputs for %d images, want %d", x.File, len(got), n, len(want))
	}
	var diff, all float64
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		diff += d * d
		all += float64(want[i]) * float64(want[i])
	}
	if far := math.Sqrt(diff / all); !(far <= formTolerance) {
		return fault.New(fault.ExitInvalid, "", "%s in ONNX differs from itself by %.2g of its outputs, on %d images; at most %.0g is rounding: the file is not written",
			x.File, far, n, formTolerance)
	}
	return nil
}
