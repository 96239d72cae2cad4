package host

import (
	"fmt"
	"testing"

	"oneshot/ops"
	"oneshot/ops/graph"
	"oneshot/supernet/engine"
)

// row is the path of a network of convolutions in a row, of which each digit chooses one of three, behind one of stem
// channels.
func row(choices string, stem int) engine.Path {
	const channels = 8
	return engine.Path{Name: choices, Compile: func(b ops.Backend, s engine.Spec) (*engine.Graph, error) {
		g := graph.New()
		out := &engine.Graph{Batch: s.Batch, Image: 8 * 8 * 3, Classes: channels}
		x := g.Input("images", out.Images(), s.Batch, 8, 8, 3)
		in := 3
		for k, d := range "0" + choices {
			channels := channels
			if k == 0 {
				channels = stem
			}
			op := ops.ConvBN{Parts: 1, Cin: in, Cout: channels}
			at := (3*k + int(d-'0')) * 10_000
			var err error
			if x, err = g.Apply(op, []ops.Mem{{Region: ops.Params, Off: at, Len: in * channels}}, []ops.Mem{{Region: ops.State, Off: at, Len: 2 * channels}}, x); err != nil {
				return nil, err
			}
			in = channels
		}
		x, err := g.Apply(ops.GlobalAvgPool{Parts: 1}, nil, nil, x)
		if err != nil {
			return nil, err
		}
		if out.Prog, err = g.Compile(b, x); err != nil {
			return nil, err
		}
		out.Logits = out.Prog.Kept[0]
		return out, nil
	}}
}

// TestGroups: every path is in one group, in their order. A group is as large as it may be, and one path where more would
// be too much or share too little; what it keeps is in proportion.
func TestGroups(t *testing.T) {
	var all, apart []engine.Path
	for i := range 243 {
		text := ""
		for k := 81; k > 0; k /= 3 {
			text += fmt.Sprint(i / k % 3)
		}
		all = append(all, row(text, 64))
	}
	for i := range 3 { // which part at once
		apart = append(apart, row(fmt.Sprintf("%d0000", i), 8))
	}
	var narrow []engine.Path // whose values where they part are much of what one takes
	for _, text := range []string{"000000", "000001", "000010", "000100", "001000", "010000"} {
		narrow = append(narrow, row(text, 8))
	}
	for _, x := range []struct {
		what         string
		paths        []engine.Path
		images, kept int
		want         string
	}{
		{"all", all, 100, 8, "[128 115]"},
		{"many outputs", all[:20], 100, GroupValues/10 - 1000, "[10 10]"},
		{"more outputs than fit", all[:3], 100, 2 * GroupValues, "[1 1 1]"},
		{"images without end", all[:3], 1 << 40, 8, "[1 1 1]"},
		{"nothing in common", apart, 100, 8, "[1 1 1]"},
		{"narrow", narrow, 100, 8, "[3 3]"},
		{"one", all[:1], 100, 8, "[1]"},
	} {
		q := queue{back: ops.NewCPU[float32](nil), size: 2, left: x.paths, images: int64(x.images), kept: x.kept}
		var sizes []int
		done := 0
		for len(q.left) > 0 {
			g, err := q.next()
			if err != nil {
				t.Fatal(err)
			}
			for i, p := range g.paths {
				if p.Name != x.paths[done+i].Name {
					t.Fatalf("%s: %s where %s is due", x.what, p.Name, x.paths[done+i].Name)
				}
			}
			done += len(g.paths)
			sizes = append(sizes, len(g.paths))
			s := g.bySize[2]
			largest := 0
			for _, p := range g.paths {
				one, err := apartOf(p)
				if err != nil {
					t.Fatal(err)
				}
				largest = max(largest, one.Prog.Arena-one.Kept)
			}
			if len(s.Paths) != len(g.paths) || s.Prog.Arena-s.Kept > GroupRoom*largest {
				t.Errorf("%s: %d paths of %d, %d values of the arena, %d by itself", x.what, len(s.Paths), len(g.paths), s.Prog.Arena-s.Kept, largest)
			}
		}
		if got := fmt.Sprint(sizes); got != x.want || done != len(x.paths) {
			t.Errorf("%s: groups of %s, want %s", x.what, got, x.want)
		}
	}
}

// apartOf is the program of a path by itself.
func apartOf(p engine.Path) (*engine.Shared, error) {
	g, err := apart(p, ops.NewCPU[float32](nil), 2)
	if err != nil {
		return nil, err
	}
	return engine.Share([]*engine.Graph{g}), nil
}
