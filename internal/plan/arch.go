package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// MaxArchBytes caps an architecture file; a large one has about 2 KB.
const MaxArchBytes = 1 << 20

// ReadArch reads an architecture in any form of space.FormNames, a 0/1 code, or a file
// with one of them. Whoever is given the space takes it as the architecture's own, with
// its rules (space.Named). A code does not name its space: it is taken to be of in.
func ReadArch(text string, in space.Space) (space.Space, space.Arch, error) {
	text = strings.TrimSpace(text)
	path := ""
	info, err := os.Stat(text)
	switch {
	case err == nil && info.Mode().IsRegular():
		b, err := atomicfile.ReadAtMost(text, MaxArchBytes)
		if err != nil {
			return nil, nil, fault.Wrap(fault.ExitUsage, err, "") // as of one that says no architecture
		}
		path, text = text+": ", strings.TrimSpace(string(b))
	case errors.Is(err, fs.ErrNotExist) && slices.Contains([]string{".json", ".txt", ".py"}, filepath.Ext(text)):
		return nil, nil, fault.Usage("", "no architecture: %w", err)
	}
	s, a, err := parseArch(text, in)
	if err != nil {
		if len(text) < 40 {
			name := strings.ReplaceAll(strings.ToLower(text), "_", "-") // DARTS_V2
			err = fmt.Errorf("%w%s", err, fault.DidYouMean(name, space.FormWords()))
		}
		return s, a, fault.Wrap(fault.ExitUsage, fmt.Errorf("%s%w", path, err), "an architecture is "+strings.Join(space.FormNames(), ", ")+", a 0/1 code of the run's space, or a file with one of these")
	}
	return s, a, nil
}

// parseArch reads the forms that name their space, or a code of in.
func parseArch(text string, in space.Space) (space.Space, space.Arch, error) {
	if !space.IsCode(text) {
		s, a, err := space.ParseAny(text)
		if own := in.Named().Space == space.Own; err != nil && own && strings.Contains(head(text), "@") && head(text) != in.Name() {
			err = fmt.Errorf("%w; what is defined here is %s", err, in.Name()) // perhaps the file was edited
		}
		return s, a, err
	}
	a, err := space.ParseCode(in, text)
	return in, a, err
}

// StoredArch reads an architecture of a run folder, which must be of space s.
func StoredArch(s space.Space, b []byte) (space.Arch, error) {
	got, a, err := space.ParseAny(string(b))
	if err == nil && got.Name() != s.Name() {
		err = fmt.Errorf("architecture of space %s, and the run is of %s", got.Name(), s.Name())
	}
	if err != nil { // whatever it wraps: a space.FieldError would be a mistake on the command line
		return nil, fault.Wrap(fault.ExitInvalid, err, "put the file back as it was; export/arch.json beside its folder has the same, once the network is exported")
	}
	return a, nil
}

// WantedArch is the architecture that a request names, by the rules that it gives, checked
// against the space of the run, in, which c describes; "best" is the best of the folder's search.
func WantedArch(text string, c config.Net, in space.Space, d rundir.Folder, r config.Request) (space.Arch, error) {
	if text == "best" {
		return BestArch(in, d)
	}
	s, a, err := ReadArch(text, in)
	if err != nil {
		return a, err
	}
	if s, err = WithRules(s, c, r); err != nil {
		return a, err
	}
	if s.Name() != in.Name() {
		hint := "use another --out for an architecture of another space"
		if of, run := s.Named(), in.Named(); of.Space == space.Cell && run.Space == space.Cell && of.Ops == run.Ops && of.Nodes == run.Nodes {
			hint = fmt.Sprintf("--set net.pool_norm=%v --set net.weight_standard=%v takes its cells by the rules of the run", run.PoolNorm, run.WeightStandard)
		}
		return a, fault.Usage(hint, "the architecture is of space %s, the run of %s", s.Name(), in.Name())
	}
	usual := supernet.DefaultNet().Size
	usual.Geometry = s.Geometry()
	_, err = s.Describe(usual.Counted(), a) // of some spaces an architecture may have no network
	return a, fault.WithCode(err, fault.ExitUsage, "")
}

// WithRules is the space of an architecture that was read, s, with those rules that the
// request gives: they come from c, which it was resolved to. The choices of an
// architecture mean the same by any rules.
func WithRules(s space.Space, c config.Net, r config.Request) (space.Space, error) {
	n := s.Named()
	for _, rule := range []struct {
		key      string
		of, want *bool
	}{{"net.pool_norm", &n.PoolNorm, &c.PoolNorm}, {"net.weight_standard", &n.WeightStandard, &c.WeightStandard}} {
		if !r.Gives(rule.key) {
			continue
		}
		if n.Space != space.Cell {
			return s, fault.Usage("leave it out", "%s is a rule of cells, and the architecture is of space %s", rule.key, s.Name())
		}
		*rule.of = *rule.want
	}
	s, err := n.Open()
	return s, fault.WithCode(err, fault.ExitUsage, "")
}

// BestOf reads the result of a search.
func BestOf(d rundir.Folder) (rundir.SearchSummary, error) {
	var best rundir.SearchSummary
	if !d.Has("search", "best.json") {
		return best, fault.Usage("run `oneshot search --out "+d.Arg()+"` first, or name an architecture: `oneshot retrain --out "+d.Arg()+" --arch ARCH`",
			"no search is finished in %s", d)
	}
	if err := d.AsLeft("search/record.json", "search/best.json"); err != nil {
		return best, err
	}
	return best, d.ReadJSON(&best, "search", "best.json")
}

// BestArch is the architecture that the search in a folder found, which must be of space s.
func BestArch(s space.Space, d rundir.Folder) (space.Arch, error) {
	best, err := BestOf(d)
	if err != nil {
		return nil, err
	}
	a, err := s.Parse(best.Arch)
	if err != nil { // as in StoredArch
		err = fmt.Errorf("%s: arch: %w", d.File("search", "best.json"), err)
		return nil, fault.Wrap(fault.ExitInvalid, err, d.Remedy("search", "best.json"))
	}
	return a, nil
}

// ArchJSON is the architecture as arch.json has it.
func (p *Plan) ArchJSON(arch space.Arch) ([]byte, error) {
	b, err := p.Space.MarshalArch(arch)
	return append(bytes.TrimSpace(b), '\n'), err
}
