package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/supernet/space"
)

// maxArchBytes caps an architecture file; a large one has about 2 KB.
const maxArchBytes = 1 << 20

// readArch reads an architecture from its text form, its JSON form, a 0/1 mask,
// or a file with one of them. A mask does not name its space: it is taken to be
// of in.
func readArch(text string, in space.Space) (space.Space, space.Arch, error) {
	text = strings.TrimSpace(text)
	if _, err := os.Stat(text); err == nil {
		b, err := atomicfile.ReadAtMost(text, maxArchBytes)
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

// resultOf says what an architecture is and what cost says of it.
func resultOf(s space.Space, a space.Arch, cost func(space.Arch) (params, madds int64, err error)) (resultArch, error) {
	params, madds, err := cost(a)
	return resultArch{space.Hash(s, a), s.Format(a), params, madds}, err
}

// archIn reads a stored architecture, which must be of space s.
func archIn(s space.Space, b []byte) (space.Arch, error) {
	got, a, err := space.ParseAny(string(b))
	if err == nil && got.Name() != s.Name() {
		err = fmt.Errorf("architecture of space %s, not of this run's", got.Name())
	}
	return a, fault.WithCode(err, fault.ExitInvalid, "")
}
