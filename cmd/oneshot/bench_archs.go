package main

import (
	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/supernet/space"
	"oneshot/supernet/space/cell"
)

// benchArchList is what `bench archs` prints for others to measure the same.
type benchArchList struct {
	Bench  string      `json:"bench"`
	Ops    []string    `json:"ops"`
	Nodes  int         `json:"nodes"`
	Layout string      `json:"layout"`
	Archs  []benchArch `json:"archs"`
}

type benchArch struct {
	Text   string     `json:"text"`
	Normal [][][2]int `json:"normal"`
	Reduce [][][2]int `json:"reduce"`
}

func (a *app) benchArchsCmd() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use: "archs", Short: "Print the architectures that the others measure", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := f.check(); err != nil {
				return err
			}
			c, err := a.opt.resolve("")
			if err != nil {
				return err
			}
			s, err := space.New(c.Net.Ops, c.Net.Nodes)
			if err != nil {
				return err
			}
			return a.benchArchs(s, f.archs)
		},
	}
	f.bind(cmd, a.opt)
	return cmd
}

func (a *app) benchArchs(s space.Space, n int) error {
	c, ok := s.(cell.Space) // which bench/peer_torch.py builds
	if !ok {
		return fault.Usage("", "architectures of %s cannot be listed by cells", s.Name())
	}
	pairs := func(nodes []cell.Node) (out [][][2]int) {
		for _, node := range nodes {
			out = append(out, [][2]int{{node[0].Edge, node[0].Op}, {node[1].Edge, node[1].Op}})
		}
		return out
	}
	list := benchArchList{Bench: "archs", Ops: c.Ops, Nodes: c.Nodes, Layout: "cell[node][pair] = (edge, index of operation)"}
	for _, arch := range benchArchs(s, n) {
		if !a.opt.json {
			a.ui.printf("%s\n", s.Format(arch))
		}
		cells := c.Cells(arch)
		list.Archs = append(list.Archs, benchArch{s.Format(arch), pairs(cells[0]), pairs(cells[1])})
	}
	if a.opt.json {
		return a.ui.json(list)
	}
	return nil
}
