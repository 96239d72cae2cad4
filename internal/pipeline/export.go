package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
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
	Image          int         `json:"image"`
	Affine         bool        `json:"affine"`
	Classes        []string    `json:"classes"`
	Mean           [3]float32  `json:"mean"` // per channel R, G, B of pixels in 0..1
	Std            [3]float32  `json:"std"`
	Data           config.Data `json:"data"` // folder left out
	DataSHA256     string      `json:"data_sha256"`
	Seed           uint64      `json:"seed"` // also draws shapes10 and the search split
}

const aboutKey = "oneshot"

// Export writes the final network and its architecture; weights.ExportModel reads the
// file back and compares every value. Doing it again gives the same bytes.
func (r *Run) Export(n *supernet.Net, arch space.Arch) error {
	meta, err := about(r.Plan, arch)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.Folder.File("export"), 0o755); err != nil {
		return err
	}
	if n, err = n.Inference(); err != nil {
		return err
	}
	if err := weights.ExportModel(r.Folder.File("export", "model.safetensors"), n.Tensors(), meta); err != nil {
		return err
	}
	b, err := r.ArchJSON(arch)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(r.Folder.File("export", "arch.json"), b, 0o644)
}

// about is the metadata of the exported file.
func about(p *plan.Plan, arch space.Arch) (map[string]string, error) {
	c := p.Final(false)
	source := p.Config.Data
	source.Dir = ""
	b, err := json.Marshal(About{
		Arch: p.Space.Format(arch), Layers: c.Layers, Channels: c.Channels, StemMultiplier: c.StemMultiplier,
		Image: c.Image, Affine: c.Affine, Classes: p.Data.Classes, Mean: p.Data.Mean, Std: p.Data.Std,
		Data: source, DataSHA256: p.Data.SHA256, Seed: p.Config.Seed,
	})
	return map[string]string{
		"arch": p.Space.Format(arch), "classes": strconv.Itoa(c.Classes), aboutKey: string(b),
	}, err
}

// Exported is a network read from an exported file.
type Exported struct {
	Net    *supernet.Net
	Config supernet.NetConfig
	Arch   space.Arch
	Space  space.Space
}

// ReadAbout reads what an exported file says about itself.
func ReadAbout(path string) (weights.File, About, error) {
	var m About
	f, err := weights.ReadSafetensors(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, m, fault.Usage("", "%w", err)
	}
	if err != nil {
		return f, m, fault.WithCode(err, fault.ExitInvalid, "")
	}
	if err := json.Unmarshal([]byte(f.Meta[aboutKey]), &m); err != nil {
		return f, m, fault.New(fault.ExitInvalid, "only files written by `oneshot export` carry what is needed to rebuild the network",
			"%s: no usable %q entry in its metadata", path, aboutKey)
	}
	return f, m, nil
}

// ReadExport reads an exported network. A non-empty archText must name the
// architecture the file holds; a file without our metadata is refused.
func ReadExport(path, archText string, rt *supernet.Runtime) (*Exported, error) {
	f, m, err := ReadAbout(path)
	if err != nil {
		return nil, err
	}
	x := &Exported{}
	if x.Space, x.Arch, err = space.ParseAny(m.Arch); err != nil {
		return nil, fault.New(fault.ExitInvalid, "", "%s: architecture in metadata: %w", path, err)
	}
	if archText != "" {
		s, a, err := plan.ReadArch(archText, x.Space)
		if err != nil {
			return nil, err
		}
		if want := s.Format(a); want != m.Arch {
			return nil, fault.Usage("leave out --arch to use that of the file", "%s holds another architecture:\n  %s, not\n  %s", path, m.Arch, want)
		}
	}
	x.Config = supernet.NetConfig{
		Space: x.Space, Size: net.Size{Geometry: net.Geometry{Layers: m.Layers, Channels: m.Channels, StemMultiplier: m.StemMultiplier},
			Classes: len(m.Classes), Image: m.Image, Affine: m.Affine},
	}
	if err := plausible(x, f.Tensors); err != nil {
		return nil, fault.New(fault.ExitInvalid, "", "%s: %w", path, err)
	}
	if x.Net, err = supernet.NewArch(x.Config, x.Arch, 0, rt); err != nil {
		return nil, fault.WithCode(fmt.Errorf("%s: %w", path, err), fault.ExitInvalid, "")
	}
	if err := x.Net.SetTensors(f.Tensors); err != nil {
		return nil, fault.WithCode(fmt.Errorf("%s: %w", path, err), fault.ExitInvalid, "")
	}
	return x, nil
}

// plausible compares the network the metadata describes with the tensors in the
// file before anything of that size is allocated.
func plausible(x *Exported, ts []weights.Tensor) error {
	if err := x.Config.Check(); err != nil {
		return err
	}
	var values int64
	for _, t := range ts {
		if !strings.HasSuffix(t.Name, ".running_mean") && !strings.HasSuffix(t.Name, ".running_var") {
			values += int64(len(t.F32))
		}
	}
	want, _, err := x.Config.Cost(x.Arch)
	if err != nil {
		return err
	}
	if want != values {
		return fmt.Errorf("the metadata describes a network of %d parameters, the file has %d", want, values)
	}
	return nil
}
