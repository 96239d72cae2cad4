package pipeline

import (
	"fmt"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// refuse refuses changes of the stored configuration among the keys for which which holds.
// Those that the images settle are compared when these are open.
func (o *opening) refuse(d rundir.Folder, which func(key string) bool) error {
	if o.old == nil {
		return nil
	}
	var refused []config.Change
	for _, c := range config.Drift(*o.old, o.config) {
		if which(c.Key) && !o.isFree(d, c) {
			refused = append(refused, c)
		}
	}
	if len(refused) == 0 {
		return nil
	}
	changes, stuck := "", error(nil)
	for _, c := range refused {
		changes += "\n  " + c.String()
		if stage := o.usedBy(d, c.Key); stage != "" && stuck == nil {
			stuck = fmt.Errorf("%s in %s has begun with %s = %v, and cannot go on with %v", stage, d, c.Key, c.From, c.To)
		}
	}
	has, err := results(d)
	if err != nil {
		return err
	}
	if has != "" {
		stuck = fmt.Errorf("%s has %s, which would be of other settings than the folder:%s", d, has, changes)
	}
	hint := "repeat the stored values, or use another --out"
	switch {
	case stuck != nil && o.Override:
		return fault.Usage(hint, "%w", stuck)
	case !o.Override:
		if stuck == nil {
			hint = "repeat the stored values, use another --out, or force it with --override"
		}
		return fault.Usage(hint, "the configuration differs from that of %s:%s", d, changes)
	}
	for _, c := range refused {
		o.UI.Warnf("changed in mid-run (--override): %v", c)
		o.overridden = append(o.overridden, c.Key)
	}
	return nil
}

// usedBy names a stage that has begun with what a key has decided: its outputs would be of
// two values. "" is none; a stage's own training goes on with another value, where it can.
func (o *opening) usedBy(d rundir.Folder, key string) string {
	searched := stageOf("search").begun(d)
	switch {
	case searched && (stageOf("train").decides(key) || strings.HasPrefix(key, "score.")):
		return "search"
	case stageOf("retrain").begun(d) && (searched && stageOf("search").decides(key) || o.old.Retrain.Init == config.Inherited && stageOf("train").decides(key)):
		return "retrain"
	}
	return ""
}

// results names what in a folder says how good a network is on the test images: "" where
// nothing does yet.
func results(d rundir.Folder) (string, error) {
	if d.Has("result.json") {
		return "a result", nil
	}
	s, err := readSeeds(d)
	if len(s.Runs) > 0 {
		return fmt.Sprintf("%d tested networks", len(s.Runs)), err
	}
	return "", err
}
