// Package curves writes the curves of a run for other programs: event files that TensorBoard reads (and Aim,
// Trackio and W&B import), and a table with commas.
//
// A file is a function of its arguments: the same curves give the same bytes.
package curves

// Point is a value at a step.
type Point struct {
	Tag   string // such as train/loss
	Step  int64
	Value float64
}
