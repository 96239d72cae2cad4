package device

import (
	"fmt"
	"time"

	"oneshot/internal/device/selftest"
	"oneshot/internal/fault"
	"oneshot/ops/cuda"
)

// GPU is what Probe finds of the GPU.
type GPU struct {
	Device     string  `json:"device"` // empty where there is none
	FreeMiB    int     `json:"free_mib,omitempty"`
	LoadMS     float64 `json:"load_ms,omitempty"` // kernels translated by the driver and loaded; little when it had them cached
	SelfTestMS float64 `json:"self_test_ms,omitempty"`
	Problem    string  `json:"problem,omitempty"`
}

func (g GPU) String() string {
	switch {
	case g.Device == "":
		return g.Problem
	case g.Problem != "":
		return g.Device + "; " + g.Problem
	}
	return fmt.Sprintf("%s; %d MiB free; kernels loaded in %.0f ms; self-test passed in %.0f ms", g.Device, g.FreeMiB, g.LoadMS, g.SelfTestMS)
}

// Probe opens the GPU and has it compute a little; now is the clock.
func Probe(f Files, now func() time.Time) (g GPU, err error) {
	defer func() {
		if err != nil {
			g.Problem = err.Error()
		}
	}()
	milliseconds := func(f func() error) (float64, error) {
		start := now()
		err := f()
		return 1e3 * now().Sub(start).Seconds(), err
	}
	var e *cuda.Engine
	load, err := milliseconds(func() (err error) { e, err = OpenGPU(f); return err })
	if err != nil {
		return g, err
	}
	defer e.Close()
	g.Device, g.LoadMS = Describe(e.Info()), load
	free, err := e.FreeMemory()
	if err != nil {
		return g, err
	}
	g.FreeMiB = free >> 20
	g.SelfTestMS, err = milliseconds(func() error { return selftest.Run(e) })
	return g, fault.WithCode(err, fault.ExitDevice, "the device computes something else than the processor: a driver or hardware fault, or a bug worth reporting")
}
