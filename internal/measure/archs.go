package measure

import (
	"fmt"
	"io"

	"oneshot/internal/fault"
	"oneshot/supernet/space/cell"
)

// ArchList is what `bench archs` prints for others to measure the same.
type ArchList struct {
	Bench  string   `json:"bench"`
	Ops    []string `json:"ops"`
	Nodes  int      `json:"nodes"`
	Layout string   `json:"layout"`
	Archs  []Arch   `json:"archs"`
}

// Arch is an architecture by its cells.
type Arch struct {
	Text   string     `json:"text"`
	Normal [][][2]int `json:"normal"`
	Reduce [][][2]int `json:"reduce"`
}

// Archs lists the architectures that measurements take.
func Archs(j Job) (ArchList, error) {
	s, err := j.Config.Net.Named.Open()
	if err != nil {
		return ArchList{}, err
	}
	c, ok := s.(cell.Space) // which bench/peer_torch.py builds
	if !ok {
		return ArchList{}, fault.Usage("", "architectures of %s cannot be listed by cells", s.Name())
	}
	pairs := func(nodes []cell.Node) (out [][][2]int) {
		for _, node := range nodes {
			out = append(out, [][2]int{{node[0].Edge, node[0].Op}, {node[1].Edge, node[1].Op}})
		}
		return out
	}
	list := ArchList{Bench: "archs", Ops: c.Ops, Nodes: c.Nodes, Layout: "cell[node][pair] = (edge, index of operation)"}
	for _, arch := range j.sample(s) {
		cells := c.Cells(arch)
		list.Archs = append(list.Archs, Arch{s.Format(arch), pairs(cells[0]), pairs(cells[1])})
	}
	return list, nil
}

// Text writes the architectures for people.
func (l ArchList) Text(w io.Writer) {
	for _, a := range l.Archs {
		fmt.Fprintf(w, "%s\n", a.Text)
	}
}
