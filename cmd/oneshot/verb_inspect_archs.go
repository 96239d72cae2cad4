package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// archLine is what --archs prints of an architecture.
type archLine struct {
	Arch   string `json:"arch"`
	Hash   string `json:"hash"`
	Params int64  `json:"params"`
	MAdds  int64  `json:"madds"`
}

// inspectArchs costs the architectures of a file, as inspectArch does one. Nothing is printed
// unless all can be read.
func (a *app) inspectArchs(path string, stdin io.Reader, imageNet bool) error {
	c, err := a.opt.resolve("tiny")
	if err != nil {
		return err
	}
	in, err := plan.OpenSpace(c)
	if err != nil {
		return err
	}
	counters := counters{app: a, config: c, imageNet: imageNet, of: map[string]counter{}}
	var out bytes.Buffer
	line := func(s space.Space, arch space.Arch) error {
		count, err := counters.get(s, arch)
		if err != nil {
			return err
		}
		l := archLine{Arch: count.space.Format(arch), Hash: space.Hash(count.space, arch)}
		if l.Params, l.MAdds, err = count.cost(arch); err != nil {
			return err
		}
		if !a.opt.json {
			_, err = fmt.Fprintf(&out, "%s  %9s parameters  %9s multiply-adds  %s\n", l.Hash, ui.Count(l.Params), ui.Count(l.MAdds), l.Arch)
			return err
		}
		return json.NewEncoder(&out).Encode(l)
	}
	if path == "-" {
		err = plan.ReadArchs(stdin, "stdin", in, line)
	} else {
		err = plan.ReadArchsFile(path, in, line)
	}
	if err != nil {
		return err
	}
	_, err = a.ui.Out.Write(out.Bytes())
	return err
}

// counter counts the networks of a space at one size.
type counter struct {
	space space.Space // with the rules that are asked for
	cost  func(space.Arch) (params, madds int64, err error)
}

// counters are made once for each space and, where it has published networks, for each of these.
type counters struct {
	app      *app
	config   config.Config
	imageNet bool
	of       map[string]counter
}

func (c *counters) get(s space.Space, arch space.Arch) (counter, error) {
	known, _ := findPublished(s, arch)
	key := s.Name() + " " + known.Name
	if count, ok := c.of[key]; ok {
		return count, nil
	}
	size, _, err := c.app.countedSize(c.config, s, arch, c.imageNet)
	if err != nil {
		return counter{}, err
	}
	if s, err = plan.WithRules(s, c.config.Net, c.app.opt.request()); err != nil {
		return counter{}, err
	}
	count := counter{space: s}
	if count.cost, err = (supernet.NetConfig{Space: s, Size: size}).Costs(); err != nil {
		return counter{}, fault.WithCode(err, fault.ExitUsage, "")
	}
	c.of[key] = count
	return count, nil
}
