package supernet

import "oneshot/supernet/space"

// FileBytes is about how large a checkpoint of a training is on disk, and the exported network, which has
// neither what the optimizer keeps nor averages. With arch nil it is of the supernet. Nothing of their size
// is allocated.
func FileBytes(cfg NetConfig, arch space.Arch, c TrainConfig) (checkpoint, export int64, err error) {
	n, err := plan(cfg, arch)
	if err != nil {
		return 0, 0, err
	}
	params, stats := 4*int64(n.layout.ParamsLen), 4*int64(n.layout.StateLen)
	for _, p := range n.layout.Params {
		params += entryBytes + int64(len(p.Name))
	}
	for _, b := range n.layout.Norms {
		stats += 8 + 3*(entryBytes+int64(len(b.Name))) // batchesTracked is a whole number
	}
	export = params + stats
	checkpoint = export + int64(len(c.Rule().Slots()))*params
	if c.EMA > 0 {
		checkpoint += export
	}
	return checkpoint, export, nil
}

// entryBytes is what the header of a file says of a tensor beside its name: measured as 66 to 85.
const entryBytes = 75
