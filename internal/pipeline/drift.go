package pipeline

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
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
	if !o.Override {
		changes := ""
		for _, c := range refused {
			changes += "\n  " + c.String()
		}
		return fault.Usage("repeat the stored values, use another --out, or let --override go on with them or do anew what they decide; --dry-run says which",
			"the configuration differs from that of %s:%s", d, changes)
	}
	for _, c := range refused {
		o.UI.Warnf("changed (--override): %v", c)
		o.overridden = append(o.overridden, c.Key)
	}
	return nil
}

// ownImages is what to do where a run is given other images than it began with.
func ownImages(d rundir.Folder) string {
	return "point --data-dir at the data the run began with, as it was; `oneshot run --resume --out " + d.Arg() +
		" --override` does all of it anew with these, and keeps what there is until that is complete"
}

// configBack is what to do about a config.yaml that is not what the run wrote.
const configBack = "put back what the run wrote, or accept a corrected file with --override of run, train, search, retrain or export"

// wanted says whether the request changes a key: on the command line or, perhaps, in a config.yaml that
// somebody has edited, of which nothing tells what it had.
func (o *opening) wanted(key string) bool {
	inConfig := key == "seed" || strings.Contains(key, ".") && key != "retrain.seed"
	return slices.Contains(o.overridden, key) || o.edited && inConfig
}

// adopt takes over the stored configuration of a folder and refuses to change
// what results may depend on already.
func (o *opening) adopt(d rundir.Folder) error {
	path := d.File("config.yaml")
	old, err := config.Load(path, config.FromPreset)
	if err == nil {
		if err = old.Check(); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		return fault.Wrap(fault.ExitInvalid, err, "the stored configuration was damaged or comes from another version; "+configBack)
	}
	if err := configAsWritten(d); err != nil {
		if o.edited = true; !o.Override {
			return err
		}
	}
	if o.config, err = o.Config.Resolve(&old, o.Preset); err != nil {
		return err
	}
	o.old = &old
	if err := o.derive(d); err != nil {
		return err
	}
	return o.refuse(d, func(key string) bool { return !o.settles(key) })
}

// hasStages says that d holds some of a run, even if what describes it is gone.
func hasStages(d rundir.Folder) bool { return d.Has("supernet") || d.Has("search") || d.Has("retrain") }

// restore takes the configuration that was asked for in the place of a config.yaml that is gone: it
// must be the one that the manifest names.
func (o *opening) restore(d rundir.Folder) error {
	m, err := d.ReadManifest()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b, err := o.config.YAML()
	if err != nil {
		return err
	}
	if m.ConfigSHA256 == "" || m.ConfigSHA256 != fmt.Sprintf("%x", sha256.Sum256(b)) {
		return fault.New(fault.ExitInvalid, "put config.yaml back, repeat the command that began the run with --resume, or choose another folder with --out",
			"%s holds stages of a run but no config.yaml to continue them with, and what was asked for is another configuration", d)
	}
	gone := "%s was gone: what was asked for is the configuration of the run, and is written again"
	if o.peeks {
		gone = "%s is gone: what was asked for is the configuration of the run, and would be written again"
	}
	o.UI.Warnf(gone, d.File("config.yaml"))
	old := o.config
	o.old, o.stored = &old, true
	return nil
}
