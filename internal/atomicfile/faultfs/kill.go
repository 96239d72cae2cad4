package faultfs

import "fmt"

// Kill is what the death of the process in the middle of any of some calls in a row leaves.
type Kill struct {
	First, Last int // these calls of ops, counted from 1
	tree        *node
}

// Write makes the new directory dst of what is left.
func (k Kill) Write(dst string) error { return k.tree.write(dst) }

// Kills returns what is left of the directory root where the process is killed in the middle of any of
// the operations ops; of a write, half of the bytes are there. before is a copy of root from before the
// first. What was changed before is all there, synced or not.
func Kills(before, root string, ops []Op) ([]Kill, error) {
	tree, err := read(before)
	if err != nil {
		return nil, err
	}
	all := Loss{Names: [3]bool{true, true, true}, Data: true}
	var ks []Kill
	same := false // as what the last of ks leaves
	for i, op := range ops {
		if op.Kind == Write { // it leaves something of its own
			half := op
			half.Data = op.Data[:len(op.Data)/2]
			if err := tree.apply(root, half); err != nil {
				return nil, fmt.Errorf("faultfs: replay %v: %w", op, err)
			}
			ks, same = append(ks, Kill{i + 1, i + 1, tree.remains(0, all)}), false
			op.Data = op.Data[len(half.Data):]
		} else if same {
			ks[len(ks)-1].Last = i + 1
		} else {
			ks, same = append(ks, Kill{i + 1, i + 1, tree.remains(0, all)}), true
		}
		if err := tree.apply(root, op); err != nil {
			return nil, fmt.Errorf("faultfs: replay %v: %w", op, err)
		}
		if op.Kind != Write && op.Kind != Sync && op.Kind != Close && op.Kind != SyncDir {
			same = false
		}
	}
	return ks, nil
}
