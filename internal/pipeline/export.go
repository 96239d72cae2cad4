package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	Blocks         string      `json:"blocks,omitempty"` // what a space of one's own is, which its texts do not say
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
	// Weights says what they are where they are not those that a retraining ends with.
	Weights *Origin `json:"weights,omitempty"`
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

// ExportAll exports what the folder has retrained, with each of its seeds and the others that are compared with it, and returns the architecture. A retraining
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
	for _, home := range homes(r.Folder, r.Config.Retrain) {
		if err := r.keepExports(ctx, home); err != nil {
			return nil, err
		}
	}
	return arch, nil
}

// keepExports is keepExport of the trainings that a home lists, but for that of the run folder.
func (r *Run) keepExports(ctx context.Context, home rundir.Folder) error {
	s, err := readSeeds(home)
	if err != nil || len(s.Runs) == 0 {
		return err
	}
	arch, err := r.Space.Parse(s.Arch)
	if err != nil {
		return fault.New(fault.ExitInvalid, r.Folder.Remedy("retrain", "seeds.json"), "%s: arch: %v", home.File("retrain", "seeds.json"), err)
	}
	trained := r.Config.Retrain
	trained.Seeds = len(s.Runs)
	for _, of := range repeats(home, trained, r.Config.Seed) {
		if of.folder == r.Folder {
			continue
		}
		if err := r.keepExport(ctx, arch, of); err != nil {
			return err
		}
	}
	return nil
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
	a := about(r.Plan, r.Final(false), arch)
	a.AllImages = knows
	if of.seed != r.Config.Seed {
		a.TrainSeed = &of.seed
	}
	if n, err = n.Inference(); err != nil {
		return err
	}
	if err := r.writeExport(rundir.Folder(of.folder.File("export")), n, arch, a); err != nil {
		return err
	}
	return r.recordExport(of.folder)
}

// writeExport writes a network and its architecture into a folder, and the forms anew that the folder has. Before the
// file takes its place it is read again, and must give the logits that the network gives.
func (r *Run) writeExport(d rundir.Folder, n *supernet.Net, arch space.Arch, a About) error {
	meta, err := a.metadata()
	if err != nil {
		return err
	}
	if err := d.MakeDir(); err != nil {
		return err
	}
	path := d.File("model.safetensors")
	err = weights.ExportModel(path, n.Tensors(), meta, func(temp string) error {
		if err := sameNetwork(temp, path, n, arch, r.rt); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	b, err := r.ArchJSON(arch)
	if err != nil {
		return err
	}
	if err := atomicfile.WriteFile(d.File("arch.json"), b, 0o644); err != nil {
		return err
	}
	return rewriteForms(d, r.rt)
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

// about describes a network of the run, as far as that follows from its size and the configuration.
func about(p *plan.Plan, c supernet.NetConfig, arch space.Arch) About {
	source := p.Config.Data
	source.Dir = ""
	if p.Data.CropPct != 1 {
		source.CropPct = p.Data.CropPct // which was chosen from all images of the set
	}
	if p.Data.Decoder != "" {
		source.Decoder = decode.Auto // what another machine has
	}
	return About{
		Arch: p.Space.Format(arch), Blocks: p.Space.Named().Blocks, Layers: c.Layers, Channels: c.Channels, StemMultiplier: c.StemMultiplier, ImageNet: c.ImageNet,
		Image: c.Image, Affine: c.Affine, Classes: p.Data.Classes, Mean: p.Data.Mean, Std: p.Data.Std,
		Data: source, DataSHA256: p.Data.SHA256, Seed: p.Config.Seed, TestDrawn: p.Data.TestDrawn,
	}
}

// metadata is how a safetensors file has it.
func (a About) metadata() (map[string]string, error) {
	b, err := json.Marshal(a)
	return map[string]string{"arch": a.Arch, "classes": strconv.Itoa(len(a.Classes)), aboutKey: string(b)}, err
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
	if err := noFolder(path); err != nil {
		return nil, err
	}
	f, err := weights.ReadSafetensors(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Usage("", "%w", err)
	}
	if errors.Is(err, weights.ErrCorrupt) && filepath.Ext(path) != ".safetensors" {
		return nil, fault.Wrap(fault.ExitInvalid, err, "an exported network is a file .safetensors, as `oneshot export` writes it")
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

// noFolder refuses a folder where an exported file is wanted, and names the file that is meant perhaps.
func noFolder(path string) error {
	d := rundir.Folder(path)
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return nil // whatever else it is, reading says it
	}
	hint := "name the file, as `oneshot export` writes it"
	for _, below := range [][]string{{"export", "model.safetensors"}, {"model.safetensors"}} {
		if d.Has(below...) {
			hint = "its exported network is " + fault.ShellWord(d.File(below...))
			break
		}
	}
	if !d.Has("export", "model.safetensors") && d.Has("config.yaml") {
		hint = "`oneshot export --out " + d.Arg() + "` writes its network"
	}
	return fault.New(fault.ExitInvalid, hint, "%s is a folder, and no exported network", path)
}

// exportedAsLeft refuses a file of a run's folders of exports that is not the one which the record beside it
// names. Weights have no checksum in their file: elsewhere nothing tells that one has changed.
func exportedAsLeft(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	d, s := rundir.Folder(filepath.Dir(filepath.Dir(abs))), stageOf("export")
	if filepath.Base(filepath.Dir(abs)) == s.Name {
		return d.AsLeft(s.Record, s.Name+"/"+filepath.Base(abs))
	}
	if isOther(filepath.Dir(abs)) {
		return otherAsLeft(rundir.Folder(filepath.Dir(abs)), filepath.Base(abs))
	}
	return nil
}

// parseAbout reads what a file says about itself. A folder of images it does not name: that is
// the caller's to say.
func parseAbout(text string) (a About, err error) {
	a.Data = data.Default("") // for what files of earlier versions do not say
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields() // what a newer version says may change what the network computes
	err = dec.Decode(&a)
	a.Data.Dir = ""
	if err == nil && a.Blocks != "" { // the text of the architecture is known once its space is
		n := space.OfKind(space.Own)
		n.Blocks = a.Blocks
		_, err = n.Open()
	}
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
	want, err := c.Values(arch)
	if err != nil {
		return err
	}
	if want != values {
		return fmt.Errorf("the metadata describes a network of %d parameters, the file has %d", want, values)
	}
	return nil
}
