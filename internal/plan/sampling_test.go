package plan

import (
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/fault"
)

// TestSamplerOfASpace: a sampler that the space has not what it takes for is a mistake of usage that names the setting.
func TestSamplerOfASpace(t *testing.T) {
	for sampler, ok := range map[string]bool{"uniform": true, "fair": false, "sandwich": false} {
		c, err := config.FromPreset("micro")
		if err != nil {
			t.Fatal(err)
		}
		c.Train.Sampler = sampler
		p, err := New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Data.Close()
		err = p.Check()
		if (err == nil) != ok {
			t.Errorf("%s: %v", sampler, err)
		}
		if ok || err == nil {
			continue
		}
		f := fault.Classify(err)
		if f.Code != fault.ExitUsage || !strings.Contains(err.Error(), "train.sampler = "+sampler) || !strings.Contains(f.Hint, "uniform") {
			t.Errorf("%s: exit code %d, %v, hint %q", sampler, f.Code, err, f.Hint)
		}
	}
}
