// Package diagram draws a network from its description (package net), so that every space has it: as SVG, as
// Graphviz's DOT, and as text.
//
// A network is shown as its blocks, each of which is what has a name in common: a cell, the stem, the
// classifier. Blocks with the same operations inside are drawn once. A layer named pre0, pre1 and so on only
// prepares an input, and is shown as that.
package diagram
