package weights

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

const (
	modelFile = "model.safetensors"
	stateFile = "state.json"
	doneFile  = "DONE"

	namePrefix  = "ckpt-"
	oldSuffix   = ".old"     // a checkpoint that is being replaced by one of the same step
	tempPrefix  = ".ckpt-"   // with tempSuffix: not a checkpoint, whatever it holds
	tempSuffix  = ".tmp"     // being written
	trashSuffix = ".del.tmp" // being removed

	maxState = 64 << 20 // bytes of state.json; arrays belong into tensors
)

// checkpointFiles are the files DONE vouches for.
var checkpointFiles = []string{modelFile, stateFile}

// Checkpoint is all that a training run needs to go on.
type Checkpoint struct {
	Step    int
	Tensors []Tensor        // in name order when loaded
	State   json.RawMessage // any JSON value; kept byte for byte
}

func (c Checkpoint) check() error {
	if c.Step < 0 {
		return fmt.Errorf("weights: checkpoint of step %d", c.Step)
	}
	if len(c.State) > maxState {
		return fmt.Errorf("weights: checkpoint state of %d bytes is over the limit of %d; keep arrays in tensors", len(c.State), maxState)
	}
	if !json.Valid(c.State) {
		return fmt.Errorf("weights: checkpoint state is empty or not JSON")
	}
	return CheckFinite(c.Tensors)
}

// checkpointName pads to eight digits, so that names sort as steps do up to
// 99,999,999; sorting here is by number anyway.
func checkpointName(step int) string { return fmt.Sprintf("%s%08d", namePrefix, step) }

func tempName(step int) string  { return tempPrefix + fmt.Sprintf("%08d", step) + tempSuffix }
func trashName(step int) string { return tempPrefix + fmt.Sprintf("%08d", step) + trashSuffix }

func isTempName(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// parseName recognises the names of checkpoints, exactly as written here.
func parseName(name string) (step int, old, ok bool) {
	base, old := strings.CutSuffix(name, oldSuffix)
	digits, ok := strings.CutPrefix(base, namePrefix)
	if !ok {
		return 0, false, false
	}
	step, err := strconv.Atoi(digits)
	if err != nil || step < 0 || checkpointName(step) != base {
		return 0, false, false
	}
	return step, old, true
}
