package cell

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"oneshot/supernet/space"
)

func init() {
	space.RegisterForm(space.Form{Name: "LaNet's list of numbers", Is: isLaNetList, Parse: parseLaNetList})
}

// laNetOps are the operations by the numbers of LaNet's lists
// (github.com/facebookresearch/LaMCTS, LaNAS/LaNet).
var laNetOps = []string{"sep_conv_3x3", "max_pool_3x3", "skip_connect", "sep_conv_5x5"}

// isLaNetList tells a list from a 0/1 code: it has a number above 1, or four numbers for
// each node where no operation set has codes of that length.
func isLaNetList(text string) bool {
	list, err := laNetNumbers(text)
	if err != nil || len(list) == 0 {
		return false
	}
	if slices.Max(list) > 1 {
		return true
	}
	return len(list)%4 == 0 && !isMaskLength(len(list))
}

func laNetNumbers(text string) (list []int, err error) {
	if !strings.HasPrefix(text, "[") {
		return nil, fmt.Errorf("no list")
	}
	return list, json.Unmarshal([]byte(text), &list)
}

// isMaskLength tells whether the codes of some cell space have that length.
func isMaskLength(n int) bool {
	for _, set := range opSets {
		for nodes := 1; nodes <= maxNodes; nodes++ {
			if (Space{Ops: set.ops, Nodes: nodes}).Dim() == n {
				return true
			}
		}
	}
	return false
}

// parseLaNetList reads a list such as [2,2,0,2,1,2,0,2,2,3,2,1,2,0,0,1,1,1,2,1,1,0,3,4,3,0,3,1]:
// the two operations of each node, then the two inputs of each. Both kinds of cells are
// the same, and their output concatenates the nodes that nobody reads. A list is built by
// the rules of LaNet: pools without normalisation, standardised 1x1 convolutions.
func parseLaNetList(text string) (space.Space, space.Arch, error) {
	list, err := laNetNumbers(text)
	if err != nil {
		return nil, nil, &space.FieldError{Field: "list", Msg: err.Error()}
	}
	nodes := len(list) / 4
	if nodes < 1 || len(list)%4 != 0 || nodes > maxNodes {
		return nil, nil, &space.FieldError{Field: "list", Msg: fmt.Sprintf("has %d numbers, want four for each of 1 to %d nodes: two operations of each, then two inputs of each", len(list), maxNodes)}
	}
	opened, err := space.Named{Ops: "lanas", Nodes: nodes, WeightStandard: true}.Open()
	if err != nil {
		return nil, nil, err
	}
	s := opened.(Space)
	cell := make([]Node, nodes)
	for i, v := range list {
		node, pair := i%(2*nodes)/2, i%2
		most := len(laNetOps) - 1
		if i >= 2*nodes {
			most = 1 + node
		}
		if v < 0 || v > most {
			return nil, nil, &space.FieldError{Field: fmt.Sprintf("list[%d]", i), Msg: fmt.Sprintf("%d, want 0 to %d", v, most)}
		}
		if i < 2*nodes {
			cell[node][pair].Op = slices.Index(s.Ops, laNetOps[v])
		} else {
			cell[node][pair].Edge = v
		}
	}
	out := unread(cell)
	return s, s.Arch(cell, cell, out, out), nil
}
