package plan

import (
	"strings"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/rng"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// The width is the one that trying all of them finds.
func TestFitWidth(t *testing.T) {
	c := supernet.DefaultNet()
	c.Layers = 3
	a := c.Space.Sample(rng.New(1, "test"))
	madds := func(channels int) int64 {
		at := c
		at.Channels = channels
		_, n, err := at.Cost(a)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, max := range []int64{madds(2), madds(3) - 1, madds(3), madds(17) + 1, madds(40) - 1} {
		want := 2
		for madds(want+1) <= max {
			want++
		}
		w, err := FitWidth(c, a, max)
		if err != nil || w.Channels != want || w.MAdds != madds(want) || w.Next != want+1 || w.Above != madds(want+1) || w.Params == 0 {
			t.Errorf("at most %d: %+v, %v; want %d channels", max, w, err, want)
		}
	}
	if w, err := FitWidth(c, a, 1<<60); err != nil || w.Channels != maxChannels || w.Next != 0 {
		t.Errorf("at most anything: %+v, %v", w, err)
	}
	for channels, ok := range map[int]bool{maxChannels: true, maxChannels + 1: false} {
		at := c
		if at.Channels = channels; (at.Check() == nil) != ok {
			t.Errorf("%d channels: %v", channels, at.Check())
		}
	}
	if _, err := FitWidth(c, a, madds(2)-1); err == nil || fault.Classify(err).Code != fault.ExitUsage || !strings.Contains(err.Error(), "narrowest") {
		t.Errorf("less than the narrowest: %v", err)
	}
	c.Image = 30 // no network at all
	if _, err := FitWidth(c, a, 1<<60); err == nil {
		t.Error("a width of no network")
	}
}

// In the form for large images the width is halved, so it is even: that of DARTS's published
// network, 48 channels, is the largest with at most its 529.9 M multiply-adds.
func TestFitWidthOfImageNet(t *testing.T) {
	s, a, err := space.ParseAny("darts-v2")
	if err != nil {
		t.Fatal(err)
	}
	c := supernet.NetConfig{Space: s, Size: net.Size{Geometry: net.Geometry{Layers: 14, Channels: 16, StemMultiplier: 3, ImageNet: true},
		Classes: 1000, Image: 224, Affine: true}}
	w, err := FitWidth(c, a, 530_000_000)
	if err != nil || w.Channels != 48 || w.Params != 4_718_752 || w.Next != 50 {
		t.Errorf("%+v, %v", w, err)
	}
}
