package pipeline

import (
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
	if !o.Override {
		changes := ""
		for _, c := range refused {
			changes += "\n  " + c.String()
		}
		return fault.Usage("repeat the stored values, use another --out, or let --override do anew what they decide; --dry-run says what that is",
			"the configuration differs from that of %s:%s", d, changes)
	}
	for _, c := range refused {
		o.UI.Warnf("changed (--override): %v", c)
		o.overridden = append(o.overridden, c.Key)
	}
	return nil
}
