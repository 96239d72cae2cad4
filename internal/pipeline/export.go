package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"oneshot/data"
	"oneshot/data/decode"
	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// About is what an exported file says about the network besides its weights,
// so that it can be evaluated without the run folder. It is stored as JSON
// under the key "oneshot" of the safetensors metadata.
type About struct {
	Arch           string      `json:"arch"`
	Layers         int         `json:"layers"`
	Channels       int         `json:"channels"`
	StemMultiplier int         `json:"stem_multiplier"`
	ImageNet       bool        `json:"imagenet,omitempty"` // the form for large images
	Image          int         `json:"image"`
	Affine         bool        `json:"affine"`
	Classes        []string    `json:"classes"`
	Mean           [3]float32  `json:"mean"` // per channel R, G, B of pixels in 0..1
	Std            [3]float32  `json:"std"`
	Data           config.Data `json:"data"` // folder left out
	DataSHA256     string      `json:"data_sha256"`
	Seed           uint64      `json:"seed"` // also draws shapes10 and the search split
	// TestDrawn says that the test images were drawn from the training split.
	TestDrawn bool `json:"test_drawn,omitempty"`
	// AllImages says that it was trained on the search images too.
	AllImages bool `json:"all_images,omitempty"`
	// TrainSeed is the seed of the training where it is not Seed: one of retrain.seeds.
	TrainSeed *uint64 `json:"train_seed,omitempty"`
}

// geometry is the size of the network.
func (a About) geometry() net.Geometry {
	return net.Geometry{Layers: a.Layers, Channels: a.Channels, StemMultiplier: a.StemMultiplier, ImageNet: a.ImageNet}
}

// Preprocess is how its images were made what the network sees.
func (a About) Preprocess() *data.Preprocess { return &data.Preprocess{Mean: a.Mean, Std: a.Std} }

const aboutKey = "oneshot"

// exportFiles are what Export leaves, by their paths below the folder.
var exportFiles = []string{"export/model.safetensors", "export/arch.json"}

// ExportAll exports what the folder has retrained, with each of its seeds, and returns the architecture. A retraining
// that was stopped is finished first.
func (r *Run) ExportAll(ctx context.Context) (space.Arch, error) {
	arch, err := r.RetrainedArch()
	if err != nil {
		return nil, err
	}
	n, err := r.Retrain(ctx, arch)
	if err != nil {
		return nil, err
	}
	if err := r.Export(n, arch); err != nil {
		return nil, err
	}
	s, err := readSeeds(r.Folder)
	if err != nil {
		return nil, err
	}
	trained := r.Config.Retrain
	trained.Seeds = len(s.Runs)
	for _, of := range repeats(r.Folder, trained, r.Config.Seed)[1:] {
		if err := r.keepExport(ctx, arch, of); err != nil {
			return nil, err
		}
	}
	return arch, nil
}

// Export writes the final network and its architecture; weights.ExportModel reads the
// file back and compares every value. Doing it again gives the same bytes. What the retraining has
// replaced goes, unless other seeds of it are left.
func (r *Run) Export(n *supernet.Net, arch space.Arch) error {
	if err := r.export(n, arch, repeat{r.Folder, r.Config.Seed}); err != nil {
		return err
	}
	return r.tidy()
}

// export is Export of one of several trainings, into its folder.
func (r *Run) export(n *supernet.Net, arch space.Arch, of repeat) error {
	knows, err := r.knowsSearch(of.folder)
	if err != nil {
		return err
	}
	meta, err := about(r.Plan, arch, knows, of.seed)
	if err != nil {
		return err
	}
	if err := of.folder.MakeDir("export"); err != nil {
		return err
	}
	if n, err = n.Inference(); err != nil {
		return err
	}
	if err := weights.ExportModel(of.folder.File("export", "model.safetensors"), n.Tensors(), meta); err != nil {
		return err
	}
	b, err := r.ArchJSON(arch)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(of.folder.File("export", "arch.json"), b, 0o644); err != nil {
		return err
	}
	if err := rewriteForms(of.folder, r.rt); err != nil {
		return err
	}
	return r.recordExport(of.folder)
}

// recordExport records what the files that a folder exports were made of. It is written behind
// them: until then they are not those that the record names.
func (r *Run) recordExport(d rundir.Folder) error {
	from, err := inputs("export", r.Config, r.described, d)
	if err != nil {
		return err
	}
	s := stageOf("export")
	files, err := s.results(d)
	if err != nil {
		return err
	}
	return d.KeepRecord(s.Record, rundir.Record{Stage: s.Name, Inputs: from, Outputs: files})
}

// about is the metadata of the exported file of a training with a seed; knows says that it
// was trained on the search images.
func about(p *plan.Plan, arch space.Arch, knows bool, seed uint64) (map[string]string, error) {
	c := p.Final(false)
	source := p.Config.Data
	source.Dir = ""
	if p.Data.CropPct != 1 {
		source.CropPct = p.Data.CropPct // which was chosen from all images of the set
	}
	if p.Data.Decoder != "" {
		source.Decoder = decode.Auto // what another machine has
	}
	a := About{
		Arch: p.Space.Format(arch), Layers: c.Layers, Channels: c.Channels, StemMultiplier: c.StemMultiplier, ImageNet: c.ImageNet,
		Image: c.Image, Affine: c.Affine, Classes: p.Data.Classes, Mean: p.Data.Mean, Std: p.Data.Std,
		Data: source, DataSHA256: p.Data.SHA256, Seed: p.Config.Seed,
		TestDrawn: p.Data.TestDrawn, AllImages: knows,
	}
	if seed != p.Config.Seed {
		a.TrainSeed = &seed
	}
	b, err := json.Marshal(a)
	return map[string]string{
		"arch": p.Space.Format(arch), "classes": strconv.Itoa(c.Classes), aboutKey: string(b),
	}, err
}

// ExportedFile is an exported file as it was read.
type ExportedFile struct {
	About
	path    string
	tensors []weights.Tensor
}

// Exported is the network of an exported file.
type Exported struct {
	File   string // its path
	Net    *supernet.Net
	Config supernet.NetConfig
	Arch   space.Arch
	Space  space.Space
}

// ReadExport reads an exported file and what it says about itself; a file without our
// metadata is refused, as is one with weights that are no numbers.
func ReadExport(path string) (*ExportedFile, error) {
	x, err := readExport(path)
	if err == nil {
		err = exportedAsLeft(path)
	}
	if err != nil {
		return nil, err
	}
	return x, nil
}

// readExport is ReadExport of a file that no record names yet.
func readExport(path string) (*ExportedFile, error) {
	f, err := weights.ReadSafetensors(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Usage("", "%w", err)
	}
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitInvalid, "")
	}
	x := &ExportedFile{path: path, tensors: f.Tensors}
	var field *json.UnmarshalTypeError
	if x.About, err = parseAbout(f.Meta[aboutKey]); errors.As(err, &field) {
		return nil, fault.New(fault.ExitInvalid, "", "%s: metadata %q: %s is %s, want a %s", path, aboutKey, field.Field, field.Value, field.Type)
	} else if err != nil && strings.HasPrefix(err.Error(), "json: unknown field") {
		return nil, fault.New(fault.ExitInvalid, "use the version of oneshot that exported it, or a newer one", "%s: damaged, or of a newer version: metadata %q: %w", path, aboutKey, err)
	} else if err != nil {
		return nil, fault.New(fault.ExitInvalid, "only files written by `oneshot export` carry what is needed to rebuild the network",
			"%s: no usable %q entry in its metadata", path, aboutKey)
	}
	if err := x.Preprocess().Check(); err != nil {
		return nil, fault.New(fault.ExitInvalid, "", "%s: metadata %q: %w", path, aboutKey, err)
	}
	if err := supernet.CheckTensors(f.Tensors); err != nil {
		return nil, fault.New(fault.ExitInvalid, "", "%s: %w", path, err)
	}
	return x, nil
}

// exportedAsLeft refuses a file of a run's folder export that is not the one which the record beside it
// names. Weights have no checksum in their file: elsewhere nothing tells that one has changed.
func exportedAsLeft(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	d, s := rundir.Folder(filepath.Dir(filepath.Dir(abs))), stageOf("export")
	if filepath.Base(filepath.Dir(abs)) != s.Name {
		return nil
	}
	return d.AsLeft(s.Record, s.Name+"/"+filepath.Base(abs))
}

// parseAbout reads what a file says about itself. A folder of images it does not name: that is
// the caller's to say.
func parseAbout(text string) (a About, err error) {
	a.Data = data.Default("") // for what files of earlier versions do not say
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields() // what a newer version says may change what the network computes
	err = dec.Decode(&a)
	a.Data.Dir = ""
	return a, err
}

// Network makes the network of the file. A non-empty archText must name the
// architecture that the file holds.
//
// side, if not 0, is that of the images it will be given instead of those it was trained on.
func (f *ExportedFile) Network(archText string, side int, rt *supernet.Runtime) (*Exported, error) {
	s, arch, err := space.ParseAny(f.Arch)
	if err != nil {
		return nil, fault.New(fault.ExitInvalid, "", "%s: architecture in metadata: %w", f.path, err)
	}
	if archText != "" {
		other, a, err := plan.ReadArch(archText, s)
		if err != nil {
			return nil, err
		}
		if want := other.Format(a); want != f.Arch {
			return nil, fault.Usage("leave out --arch to use that of the file", "%s holds another architecture:\n  %s, not\n  %s", f.path, f.Arch, want)
		}
	}
	c := f.config(s)
	if err := plausible(c, arch, f.tensors); err != nil {
		return nil, fault.New(fault.ExitInvalid, "", "%s: %w", f.path, err)
	}
	if side != 0 {
		c.Image = side
		if err := c.Check(); err != nil {
			return nil, fault.WithCode(err, fault.ExitUsage, "")
		}
	}
	n, err := supernet.NewArch(c, arch, 0, rt)
	if err == nil {
		err = n.SetTensors(f.tensors)
	}
	if err != nil {
		return nil, fault.WithCode(fmt.Errorf("%s: %w", f.path, err), fault.ExitInvalid, "")
	}
	return &Exported{File: f.path, Net: n, Config: c, Arch: arch, Space: s}, nil
}

// config describes the network of the file, whose space is s.
func (f *ExportedFile) config(s space.Space) supernet.NetConfig {
	return supernet.NetConfig{
		Space: s, Size: net.Size{Geometry: f.geometry(), Classes: len(f.Classes), Image: f.Image, Affine: f.Affine},
	}
}

// plausible compares the network the metadata describes with the tensors in the
// file before anything of that size is allocated.
func plausible(c supernet.NetConfig, arch space.Arch, ts []weights.Tensor) error {
	if err := c.Check(); err != nil {
		return err
	}
	var values int64
	for _, t := range ts {
		if !strings.HasSuffix(t.Name, ".running_mean") && !strings.HasSuffix(t.Name, ".running_var") {
			values += int64(len(t.F32))
		}
	}
	want, _, err := c.Cost(arch)
	if err != nil {
		return err
	}
	if want != values {
		return fmt.Errorf("the metadata describes a network of %d parameters, the file has %d", want, values)
	}
	return nil
}
