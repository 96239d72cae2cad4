package measure

import (
	"oneshot/internal/config"
	"oneshot/internal/device"
	"oneshot/internal/rng"
	"oneshot/internal/ui"
	"oneshot/supernet/space"
)

// Bench is what surrounds a measurement; see pipeline.Process.
type Bench struct {
	UI     *ui.UI // with the clock
	Device device.Files
	KeepGC bool // the user has set how often garbage is collected
}

// Job says what is measured.
type Job struct {
	Config config.Config // its network, batch and device
	Archs  int           // random architectures, those of the seeds 1, 2, ...
	// Given are the architectures instead, of the configuration's space; nil for random ones.
	Given []space.Arch
	Reps  int // repetitions of each architecture
	Image int // side of the square images in pixels

	// Of one architecture, retrain and infer.
	Arch    string // the architecture, and with it the space, instead of random ones
	Classes int    // 10 for 0
	Aux     bool   // with the auxiliary head
	Recipe  bool   // a step as a run takes it: with all that the configuration says, and its batch
}

// choose returns the architectures and their space.
func (j Job) choose() (space.Space, []space.Arch, error) {
	if j.Arch != "" {
		s, arch, err := space.ParseAny(j.Arch)
		return s, []space.Arch{arch}, err
	}
	s, err := j.Config.Net.Named.Open()
	if err != nil {
		return nil, nil, err
	}
	return s, j.sample(s), nil
}

// sample draws the architectures, where none are given.
func (j Job) sample(s space.Space) []space.Arch {
	if j.Given != nil {
		return j.Given
	}
	var archs []space.Arch
	for i := range j.Archs {
		archs = append(archs, s.Sample(rng.New(uint64(i)+1, "bench")))
	}
	return archs
}
