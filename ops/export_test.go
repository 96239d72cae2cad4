package ops

// Registered is a value of every type of op that has kernels.
func Registered() []Op {
	var all []Op
	for _, k := range registry {
		all = append(all, k.op)
	}
	return all
}
