// Package ui is what a person sees of a running program: lines on stderr, a bar
// on a terminal, results on stdout, and how figures are written.
//
// Contract: nothing is printed but through a [UI], to the writers that it was given;
// it reads no clock but its own. Whether there is a terminal its maker says.
package ui
