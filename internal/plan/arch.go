package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/supernet/space"
)

// MaxArchBytes caps an architecture file; a large one has about 2 KB.
const MaxArchBytes = 1 << 20

// ReadArch reads an architecture from its text form, its JSON form, a 0/1 mask,
// or a file with one of them. A mask does not name its space: it is taken to be
// of in.
func ReadArch(text string, in space.Space) (space.Space, space.Arch, error) {
	text = strings.TrimSpace(text)
	if _, err := os.Stat(text); err == nil {
		b, err := atomicfile.ReadAtMost(text, MaxArchBytes)
		if err != nil {
			return nil, nil, fault.WithCode(err, fault.ExitUsage, "")
		}
		text = strings.TrimSpace(string(b))
	} else if strings.HasSuffix(text, ".json") && errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fault.Usage("", "--arch: %w", err)
	}
	const hint = "an architecture looks like lanas2:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5:..., or is a file arch.json"
	s, a, err := parseArch(text, in)
	if err != nil {
		return s, a, fault.Wrap(fault.ExitUsage, err, hint)
	}
	return s, a, nil
}

// parseArch reads the forms that name their space, or a mask of in.
func parseArch(text string, in space.Space) (space.Space, space.Arch, error) {
	if !strings.HasPrefix(text, "[") {
		return space.ParseAny(text)
	}
	a, err := space.ParseCode(in, text)
	return in, a, err
}

// StoredArch reads an architecture of a run folder, which must be of space s.
func StoredArch(s space.Space, b []byte) (space.Arch, error) {
	got, a, err := space.ParseAny(string(b))
	if err == nil && got.Name() != s.Name() {
		err = fmt.Errorf("architecture of space %s, not of this run's", got.Name())
	}
	return a, fault.WithCode(err, fault.ExitInvalid, "")
}

// WantedArch is the architecture that a request names, checked against the space of
// the run, in, which c describes; "best" is the best of the folder's search.
func WantedArch(text string, c config.Net, in space.Space, d rundir.Folder) (space.Arch, error) {
	if text == "best" {
		best, err := BestOf(d)
		if err != nil {
			return nil, err
		}
		a, err := in.Parse(best.Arch)
		return a, fault.WithCode(err, fault.ExitInvalid, "")
	}
	s, a, err := ReadArch(text, in)
	if err != nil {
		return a, err
	}
	if s.Name() != in.Name() {
		return a, fault.Usage("choose the space with --set net.ops=... --set net.nodes=...",
			"the architecture is of space %s, the run of %s with %d nodes", s.Name(), c.Ops, c.Nodes)
	}
	return a, nil
}

// BestOf reads the result of a search.
func BestOf(d rundir.Folder) (rundir.SearchSummary, error) {
	var best rundir.SearchSummary
	if !d.Has("search", "best.json") {
		return best, fault.Usage("run `oneshot search --out "+string(d)+"` first, or name one with --arch",
			"no search is finished in %s", d)
	}
	return best, d.ReadJSON(&best, "search", "best.json")
}

// ArchJSON is the architecture as arch.json has it.
func (p *Plan) ArchJSON(arch space.Arch) ([]byte, error) {
	b, err := p.Space.MarshalArch(arch)
	return append(bytes.TrimSpace(b), '\n'), err
}
