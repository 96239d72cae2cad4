package pipeline

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/rundir"
	"oneshot/supernet"
)

// flipping is a disk that loses a bit of every exported file.
type flipping struct {
	atomicfile.FS
	injected *int
}

func (f flipping) Create(path string, perm os.FileMode) (atomicfile.File, error) {
	w, err := f.FS.Create(path, perm)
	if err != nil || !strings.Contains(filepath.Base(path), "model.safetensors") {
		return w, err
	}
	return flippingFile{w, f.injected}, nil
}

type flippingFile struct {
	atomicfile.File
	injected *int
}

func (f flippingFile) Write(b []byte) (int, error) {
	b = bytes.Clone(b)
	b[len(b)-3] ^= 4
	*f.injected++
	return f.File.Write(b)
}

// lying is a disk that gives a name at once, as the exports of before did: the comparison comes too late.
type lying struct {
	atomicfile.FS
	to string
}

func (f lying) Create(path string, perm os.FileMode) (atomicfile.File, error) {
	w, err := f.FS.Create(path, perm)
	if err == nil && strings.Contains(filepath.Base(path), "model.safetensors") {
		_ = os.Remove(f.to)
		err = os.Link(path, f.to)
	}
	return w, err
}

// TestWrongExportTakesNoPlace: a file that is not the network which was exported, or says that it has another architecture,
// never stands where readers look: what was there stays, and where nothing was there is nothing.
func TestWrongExportTakesNoPlace(t *testing.T) {
	dir := base(t)
	r, err := Open(t.Context(), still(), Request{Folder: dir, Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	const text = "lanas2:0.sep_conv_3x3+0.skip_connect,0.max_pool_3x3+1.sep_conv_5x5:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+1.sep_conv_5x5"
	arch, err := r.Space.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	n, err := supernet.NewArch(r.Final(false), arch, 1, r.rt)
	if err != nil {
		t.Fatal(err)
	}
	own := about(r.Plan, r.Final(false), arch)
	bits := 0
	other := own // with a skip from another input: its tensors have the same names
	other.Arch = strings.Replace(text, "0.skip_connect", "1.skip_connect", 1)
	for name, c := range map[string]struct {
		fs   atomicfile.FS
		says About
		err  string
	}{
		"a bit is lost":              {flipping{atomicfile.OS, &bits}, own, "self-check"},
		"another architecture is in": {atomicfile.OS, other, "is not the network that was exported"},
	} {
		for _, there := range []bool{true, false} {
			for _, twin := range []bool{false, true} {
				d := rundir.Folder(t.TempDir())
				var want string
				if there {
					if err := r.writeExport(d, n, arch, own); err != nil {
						t.Fatal(err)
					}
					b, err := os.ReadFile(d.File("model.safetensors"))
					if err != nil {
						t.Fatal(err)
					}
					want = string(b)
				}
				fsys := c.fs
				if twin {
					fsys = lying{fsys, d.File("model.safetensors")}
				}
				err := through(fsys, func() error { return r.writeExport(d, n, arch, c.says) })
				if err == nil || !strings.Contains(err.Error(), d.File("model.safetensors")) || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), ".tmp-") {
					t.Errorf("%s: %v", name, err)
				}
				b, _ := os.ReadFile(d.File("model.safetensors"))
				if stays := string(b) == want; stays == twin {
					t.Errorf("%s (there was one: %v, twin: %v): the file stays: %v", name, there, twin, stays)
				}
				entries, _ := filepath.Glob(d.File(".*"))
				if len(entries) > 0 {
					t.Errorf("%s: %q are left", name, entries)
				}
			}
		}
	}
	if bits == 0 {
		t.Error("no bit was lost")
	}
}
