package measure

import (
	"fmt"
	"io"

	"oneshot/supernet/space/cell"
)

// ArchList is what `bench archs` prints for others to measure the same. Ops, Nodes and Layout
// are of cells.
type ArchList struct {
	Bench  string   `json:"bench"`
	Space  string   `json:"space"`
	Ops    []string `json:"ops,omitempty"`
	Nodes  int      `json:"nodes,omitempty"`
	Layout string   `json:"layout,omitempty"`
	Archs  []Arch   `json:"archs"`
}

// Arch is an architecture by its cells or, where its space has none, by its choices.
type Arch struct {
	Text    string     `json:"text"`
	Choices []int      `json:"choices,omitempty"`
	Normal  [][][2]int `json:"normal,omitempty"`
	Reduce  [][][2]int `json:"reduce,omitempty"`
}

// Archs lists the architectures that measurements take.
func Archs(j Job) (ArchList, error) {
	s, err := j.Config.Net.Named.Open()
	if err != nil {
		return ArchList{}, err
	}
	list := ArchList{Bench: "archs", Space: s.Name()}
	c, ok := s.(cell.Space)
	if !ok {
		for _, arch := range j.sample(s) {
			list.Archs = append(list.Archs, Arch{Text: s.Format(arch), Choices: arch})
		}
		return list, nil
	}
	pairs := func(nodes []cell.Node) (out [][][2]int) {
		for _, node := range nodes {
			out = append(out, [][2]int{{node[0].Edge, node[0].Op}, {node[1].Edge, node[1].Op}})
		}
		return out
	}
	list.Ops, list.Nodes, list.Layout = c.Ops, c.Nodes, "cell[node][pair] = (edge, index of operation)"
	for _, arch := range j.sample(s) {
		cells := c.Cells(arch)
		list.Archs = append(list.Archs, Arch{Text: s.Format(arch), Normal: pairs(cells[0]), Reduce: pairs(cells[1])})
	}
	return list, nil
}

// Text writes the architectures for people.
func (l ArchList) Text(w io.Writer) {
	for _, a := range l.Archs {
		fmt.Fprintf(w, "%s\n", a.Text)
	}
}
