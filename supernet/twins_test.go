package supernet

import (
	"math"
	"strings"
	"testing"

	"oneshot/supernet/space"
)

// TestCUDATwinsTrainLikeTheProcessor: networks with two equal pairs in a node, of an identity
// and of two operations too, whose outputs are dropped one by one.
func TestCUDATwinsTrainLikeTheProcessor(t *testing.T) {
	for _, text := range []string{
		"nasnet2-ws:0.skip_connect+0.skip_connect,1.conv_7x1_1x7+1.conv_7x1_1x7/3:0.skip_connect+0.skip_connect,1.avg_pool_3x3+1.avg_pool_3x3",
		"nasnet2-rawpool:0.sep_conv_3x3+0.sep_conv_3x3,2.skip_connect+2.skip_connect:0.conv_7x1_1x7+0.conv_7x1_1x7,1.max_pool_3x3+1.max_pool_3x3/3",
	} {
		sp, arch, err := space.ParseAny(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg := smallNet(t, "lanas")
		cfg.Space, cfg.Channels, cfg.Affine = sp, 3, true
		steps := func(rt *Runtime) (all []StepStats) {
			n, err := NewArch(cfg, arch, 1, rt)
			if err != nil {
				t.Fatal(err)
			}
			names, twins := map[string]bool{}, 0
			for _, x := range n.Tensors() {
				if names[x.Name] {
					t.Errorf("%s: two tensors are called %s", text, x.Name)
				}
				names[x.Name] = true
				if strings.Contains(x.Name, "_2.") {
					twins++
				}
			}
			c := smallTrain(3)
			c.DropPath, c.WarmupSteps = 0.6, 0
			if masks := n.full.Masks(); masks == 0 || twins == 0 {
				t.Errorf("%s: %d masks and %d tensors of twins: the test is blind", text, masks, twins)
			}
			tr, err := NewTrainer(n, smallData(t).Train, c)
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			for range c.Steps {
				st, err := tr.Step(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, st)
			}
			return all
		}
		got := steps(newDevice(t, false))
		for i, w := range steps(newRuntime(t, 2)) {
			if g := got[i]; !(math.Abs(g.Loss-w.Loss) <= 1e-4*w.Loss) || !(math.Abs(g.GradNorm-w.GradNorm) <= 1e-2*w.GradNorm) {
				t.Errorf("%s, step %d: %+v, on the processor %+v", text, i, g, w)
			}
		}
	}
}
