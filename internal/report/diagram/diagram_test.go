package diagram_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"oneshot/internal/report/diagram"
	"oneshot/supernet/net"
	"oneshot/supernet/space"

	_ "oneshot/supernet/space/cell"
)

func drawn(t *testing.T, text string) *diagram.Drawing {
	t.Helper()
	s, arch, err := space.ParseAny(text)
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Describe(net.Size{Geometry: net.Geometry{Layers: 8, Channels: 16, StemMultiplier: 3}, Classes: 10, Image: 32, Affine: true}, arch)
	if err != nil {
		t.Fatal(err)
	}
	d, err := diagram.Of(n)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBlocksOfAPublishedCell: DARTS-V2 (arXiv 1806.09055, figures 4 and 5) has two kinds of cells, with the
// operations of its genotype, and all nodes go out.
func TestBlocksOfAPublishedCell(t *testing.T) {
	d := drawn(t, "darts-v2")
	if len(d.Kinds) != 2 || d.Kinds[0].Name != "cells 0, 1, 3, 4, 6, 7" || d.Kinds[1].Name != "cells 2, 5" {
		t.Fatalf("kinds %+v", d.Kinds)
	}
	if n := len(d.Blocks); n != 10 || d.Blocks[0].Op != "stem" || d.Blocks[9].Op != "global_avg_pool, linear" || d.Blocks[5].Out != "16x16x128" || d.Blocks[9].Out != "10" {
		t.Errorf("%d blocks: %+v", n, d.Blocks)
	}
	count := map[string]int{}
	outputs := 0
	for _, v := range d.Kinds[0].Nodes {
		count[v.Label]++
		if v.Out {
			outputs++
		}
		if v.Sum && len(v.In) != 2 {
			t.Errorf("a sum reads %v", v.In)
		}
	}
	if count["sep_conv_3x3"] != 5 || count["dil_conv_3x3"] != 1 || count["+"] != 4 || count["pre0"] != 1 || outputs != 4 {
		t.Errorf("operations %v, %d outputs", count, outputs)
	}
}

// TestOutputsAreMarked: of LaNet's cell, 4 of 7 nodes go out.
func TestOutputsAreMarked(t *testing.T) {
	outputs, sums := 0, 0
	for _, v := range drawn(t, "lanet").Kinds[0].Nodes {
		if v.Sum {
			sums++
			if v.Out {
				outputs++
			}
		}
	}
	if sums != 7 || outputs != 4 {
		t.Errorf("%d of %d nodes go out, want 4 of 7", outputs, sums)
	}
}

// TestFormsAreWellFormed: the SVG is XML with a box for every operation, DOT has a line for each of its edges.
func TestFormsAreWellFormed(t *testing.T) {
	for _, name := range []string{"lanet", "nasnet-a", "amoebanet-a", "darts-v2"} {
		d := drawn(t, name)
		nodes, edges := 0, 0
		for _, k := range d.Kinds {
			nodes += len(k.Nodes)
			for _, v := range k.Nodes {
				edges += len(v.In)
			}
		}
		svg := d.SVG()
		shapes, paths := 0, 0
		r := xml.NewDecoder(strings.NewReader(svg))
		for {
			token, err := r.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if e, ok := token.(xml.StartElement); ok {
				switch e.Name.Local {
				case "rect", "circle":
					shapes++
				case "path":
					paths++
				}
			}
		}
		if shapes != nodes || paths != edges {
			t.Errorf("%s: %d shapes for %d operations, %d lines for %d edges", name, shapes, nodes, paths, edges)
		}
		if n := strings.Count(d.DOT(), "->"); n != edges {
			t.Errorf("%s: DOT has %d edges of %d", name, n, edges)
		}
		if n := strings.Count(d.Text(), "kind "); n < len(d.Kinds) {
			t.Errorf("%s: the text has %d kinds", name, n)
		}
	}
}
