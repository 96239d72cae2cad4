package plan

import (
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/fault"
)

// TestHintNamesSettingsOfTheSpace: where no architecture is below a ceiling, the hint names what makes a network of this
// space smaller.
func TestHintNamesSettingsOfTheSpace(t *testing.T) {
	for space, layers := range map[string]int{"cell": 4, "nasbench-201": 6, "nasbench-macro": 8} {
		c, err := config.FromPreset("micro")
		if err != nil {
			t.Fatal(err)
		}
		c.Net, c.Retrain.Geometry = config.Default().Net, config.Default().Retrain.Geometry // micro's are of cells
		c.Net.Space, c.Search.MaxMAdds = space, 1
		c.Net.Layers, c.Retrain.Layers = layers, layers
		p, err := New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Data.Close()
		_, err = p.SearchSpace()
		f := fault.Classify(err)
		if f == nil || f.Code != fault.ExitUsage || !strings.Contains(f.Hint, "retrain.channels") || strings.Contains(f.Hint, "retrain.layers") != (space != "nasbench-macro") {
			t.Errorf("%s: %v, hint %q", space, err, f)
		}
	}
}
