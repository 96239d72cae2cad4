package diagram

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Text lists the blocks with the shapes of their outputs, then the operations of each kind, a line each.
func (d *Drawing) Text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "block\toutput\tparameters\tis")
	for _, k := range d.Blocks {
		is := k.Op
		if k.Kind >= 0 {
			is = "kind " + strconv.Itoa(k.Kind+1)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", k.Name, k.Out, k.Params, is)
	}
	w.Flush()
	for i, k := range d.Kinds {
		fmt.Fprintf(&b, "\nkind %d: %s\n", i+1, k.Name)
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for n, v := range k.Nodes {
			var from []string
			for _, in := range v.In {
				from = append(from, strconv.Itoa(in))
			}
			reads := "of " + strings.Join(from, ", ")
			if v.Input {
				reads = "from before"
			}
			out := ""
			if v.Out {
				out = "\tout"
			}
			fmt.Fprintf(w, "  %d\t%s\t%s%s\n", n, v.Label, reads, out)
		}
		w.Flush()
	}
	return b.String()
}

// DOT is the drawing for Graphviz, a cluster a kind.
func (d *Drawing) DOT() string {
	var b strings.Builder
	b.WriteString("digraph network {\n  node [shape=box, fontname=\"sans-serif\"];\n")
	for i, k := range d.Kinds {
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s;\n", i, strconv.Quote(k.Name))
		for n, v := range k.Nodes {
			var attributes []string
			if v.Sum {
				attributes = append(attributes, "shape=circle")
			}
			if v.Input {
				attributes = append(attributes, "style=rounded")
			}
			if v.Out {
				attributes = append(attributes, "penwidth=2")
			}
			fmt.Fprintf(&b, "    k%d_%d [label=%s", i, n, strconv.Quote(v.Label))
			for _, a := range attributes {
				b.WriteString(", " + a)
			}
			b.WriteString("];\n")
			for _, in := range v.In {
				fmt.Fprintf(&b, "    k%d_%d -> k%d_%d;\n", i, in, i, n)
			}
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}
