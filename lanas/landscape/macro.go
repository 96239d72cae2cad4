package landscape

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The space of NAS-Bench-Macro (arXiv 2103.11922): 8 layers of 3 blocks.
const (
	macroLayers = 8
	macroBlocks = 3
)

// isMacroKey tells a file of NAS-Bench-Macro by its first key.
func isMacroKey(key string) bool {
	return key != "" && strings.Trim(key, "0123456789") == ""
}

func readMacro(fields []Member, name string) (*Table, error) {
	c, err := NewChoices(slices.Repeat([]int{macroBlocks}, macroLayers))
	if err != nil {
		return nil, err
	}
	rows := make(map[string]Row, len(fields))
	for _, f := range fields {
		if !isMacroKey(f.Key) || len(f.Key) != macroLayers {
			return nil, fmt.Errorf("key %s, want %d digits 0..%d", quote(f.Key), macroLayers, macroBlocks-1)
		}
		code, err := c.Parse(strings.Join(strings.Split(f.Key, ""), "."))
		if err != nil {
			return nil, fmt.Errorf("key %s, want %d digits 0..%d", quote(f.Key), macroLayers, macroBlocks-1)
		}
		var v struct {
			Mean   *float64 `json:"mean_acc"`
			Params *float64 `json:"params"`
			Flops  *float64 `json:"flops"`
		}
		if err := json.Unmarshal(f.Value, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", quote(f.Key), err)
		}
		if v.Mean == nil || v.Params == nil || v.Flops == nil {
			return nil, fmt.Errorf("%s: want mean_acc, params and flops", quote(f.Key))
		}
		if err := checkScore(*v.Mean); err != nil {
			return nil, fmt.Errorf("%s: mean_acc: %w", quote(f.Key), err)
		}
		if !(*v.Params >= 0 && *v.Flops >= 0) || math.IsInf(*v.Params+*v.Flops, 0) {
			return nil, fmt.Errorf("%s: params %g and flops %g, want 0 or more", quote(f.Key), *v.Params, *v.Flops)
		}
		rows[string(code)] = Row{Score: *v.Mean, True: *v.Mean, Params: *v.Params, Madds: *v.Flops}
	}
	return newTable(name, c, rows, true)
}
