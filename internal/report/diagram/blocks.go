package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"oneshot/ops"
	"oneshot/supernet/net"
)

// Drawing is a network as a picture shows it.
type Drawing struct {
	Blocks []Block // in the order of the network
	Kinds  []Kind  // the different ones among those that are more than one operation
}

// Block is a part of the network.
type Block struct {
	Name   string // such as cells.3
	Out    string // shape of its output: 16x16x32
	Params int64
	Kind   int    // index in Kinds; -1 of a single operation
	Op     string // of a single operation
}

// Kind is a graph of operations that several blocks have.
type Kind struct {
	Name   string   // such as "cells 0, 1, 3", or "layers 2, 3: mbconv_e6_k5" where all operations have a name in common
	Blocks []string // their names
	Nodes  []Node   // each after those that it reads
}

// Node is an operation of a block, or an input of it.
type Node struct {
	Label string
	Input bool
	Sum   bool // adds what it reads
	Out   bool // part of the block's output
	In    []int
}

// Of makes the drawing of a path: a network without choices.
func Of(n *net.Network) (*Drawing, error) {
	if n.Choices != 0 {
		return nil, fmt.Errorf("diagram: want a network of one architecture")
	}
	shapes, err := n.Shapes(1)
	if err != nil {
		return nil, err
	}
	d := &Drawing{}
	names, members := blocksOf(n)
	read := make([]bool, len(n.Layers)) // by another block, or the network's output
	of := blockIndex(len(n.Layers), members)
	for i, l := range n.Layers {
		for _, k := range l.In {
			if k >= 0 && of[k] != of[i] {
				read[k] = true
			}
		}
	}
	read[n.Logits] = true
	seen := map[string]int{}
	for b, layers := range members {
		block := Block{Name: names[b], Kind: -1}
		width := 0
		for _, i := range layers {
			if op := n.Layers[i].Op; op != nil {
				for _, p := range op.Params() {
					block.Params += int64(p.Shape.Size())
				}
			}
			if s := shapes[i]; read[i] && len(s) == 4 {
				width += s[3]
				block.Out = fmt.Sprintf("%dx%dx%d", s[1], s[2], width)
			} else if read[i] {
				block.Out = fmt.Sprintf("%d", s[len(s)-1])
			}
		}
		nodes := nodesOf(n, layers, of, b, read)
		inner := slices.ContainsFunc(nodes, func(v Node) bool { return !v.Input })
		sums := slices.ContainsFunc(nodes, func(v Node) bool { return v.Sum })
		if !inner || len(layers) < 3 && !sums {
			var labels []string
			for _, i := range layers {
				labels = append(labels, label(n.Layers[i]))
			}
			block.Op = strings.Join(labels, ", ")
		} else {
			what := common(n, layers)
			key := fmt.Sprint(what, nodes)
			k, ok := seen[key]
			if !ok {
				k = len(d.Kinds)
				seen[key] = k
				d.Kinds = append(d.Kinds, Kind{Name: what, Nodes: nodes})
			}
			d.Kinds[k].Blocks = append(d.Kinds[k].Blocks, block.Name)
			block.Kind = k
		}
		d.Blocks = append(d.Blocks, block)
	}
	for k := range d.Kinds {
		name := listed(d.Kinds[k].Blocks)
		if what := d.Kinds[k].Name; what != "" {
			name += ": " + what
		}
		d.Kinds[k].Name = name
	}
	return d, nil
}

// blocksOf groups the layers. A block is named by the first part of its layers' names, with the second where
// that is a number. A layer without a name belongs to the block that it says or, where it says none, to that of the layer
// before it, or, if it puts several inputs side by side, of the next.
func blocksOf(n *net.Network) (names []string, members [][]int) {
	of := make([]string, len(n.Layers))
	for i, l := range n.Layers {
		parts := strings.Split(cmp.Or(l.Name, l.Block), ".")
		of[i] = parts[0]
		if len(parts) > 1 {
			if _, err := strconv.Atoi(parts[1]); err == nil {
				of[i] = parts[0] + "." + parts[1]
			}
		}
	}
	for i := len(n.Layers) - 1; i >= 0; i-- {
		if _, joins := n.Layers[i].Op.(ops.GlobalAvgPool); joins && of[i] == "" && i+1 < len(of) {
			of[i] = of[i+1]
		}
	}
	at := map[string]int{}
	for i, name := range of {
		if name == "" && i > 0 {
			name = of[i-1]
			of[i] = name
		}
		b, ok := at[name]
		if !ok {
			b = len(names)
			at[name] = b
			names, members = append(names, name), append(members, nil)
		}
		members[b] = append(members[b], i)
	}
	return names, members
}

func blockIndex(layers int, members [][]int) []int {
	of := make([]int, layers)
	for b, ms := range members {
		for _, i := range ms {
			of[i] = b
		}
	}
	return of
}

// common is the name of the candidate that all named layers of a block belong to, "" where there is none.
func common(n *net.Network, layers []int) string {
	name := ""
	for _, i := range layers {
		if n.Layers[i].Name == "" {
			continue
		}
		parts := strings.Split(n.Layers[i].Name, ".")
		if len(parts) != 3 || name != "" && parts[2] != name {
			return ""
		}
		name = parts[2]
	}
	return name
}

// prepared is the name of a layer that only prepares an input of its block, as pre0 of a cell does.
func prepared(l net.Layer) (string, bool) {
	parts := strings.Split(l.Name, ".")
	return parts[len(parts)-1], len(parts) > 2 && strings.HasPrefix(parts[2], "pre")
}

// nodesOf are the operations of block b, behind its inputs: layers that prepare one, and what else it reads of other
// blocks, in the order in which it does.
func nodesOf(n *net.Network, layers, of []int, b int, read []bool) (nodes []Node) {
	inside := func(k int) bool { return k >= 0 && of[k] == b }
	at := map[int]int{}
	for _, i := range layers {
		if _, ok := prepared(n.Layers[i]); ok {
			continue
		}
		for _, k := range n.Layers[i].In {
			if _, ok := at[k]; !ok && !inside(k) {
				at[k] = len(nodes)
				nodes = append(nodes, Node{Label: "input", Input: true})
			}
		}
	}
	if len(nodes) > 1 {
		for i := range nodes {
			nodes[i].Label += " " + strconv.Itoa(i)
		}
	}
	for _, i := range layers {
		l := n.Layers[i]
		v := Node{Label: label(l), Out: read[i]}
		if name, ok := prepared(l); ok {
			v.Label, v.Input = name, true
		} else {
			for _, k := range l.In {
				v.In = append(v.In, at[k])
			}
			_, v.Sum = l.Op.(ops.NodeSum)
		}
		at[i] = len(nodes)
		nodes = append(nodes, v)
	}
	return nodes
}

// label says what a layer does.
func label(l net.Layer) string {
	switch o := l.Op.(type) {
	case ops.NodeSum:
		return "+"
	case ops.FactorizedReduce:
		return "skip_connect, halved"
	case ops.ConvBN:
		return "conv_1x1"
	case ops.Conv2D:
		return halved(o.Name(), max(o.StrideH, o.StrideW))
	case ops.Depthwise:
		return halved(o.Name(), o.Stride)
	default:
		return o.Name()
	}
}

// halved is the name of an operation that may have a stride of 2.
func halved(name string, stride int) string {
	if stride == 2 {
		return name + ", halved"
	}
	return name
}

// listed is a list of names: of those with a number the common part once, and runs as a range.
func listed(names []string) string {
	prefix, numbers := "", []int(nil)
	for _, name := range names {
		p, n, ok := strings.Cut(name, ".")
		v, err := strconv.Atoi(n)
		if !ok || err != nil || prefix != "" && p != prefix {
			return strings.Join(names, ", ")
		}
		prefix = p
		numbers = append(numbers, v)
	}
	var runs []string
	for i := 0; i < len(numbers); {
		k := i
		for k+1 < len(numbers) && numbers[k+1] == numbers[k]+1 {
			k++
		}
		switch {
		case k-i > 1:
			runs = append(runs, fmt.Sprintf("%d to %d", numbers[i], numbers[k]))
		default:
			for _, v := range numbers[i : k+1] {
				runs = append(runs, strconv.Itoa(v))
			}
		}
		i = k + 1
	}
	return prefix + " " + strings.Join(runs, ", ")
}
