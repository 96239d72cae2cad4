// Package space is the NASNet/DARTS cell space as the LaNAS one-shot code
// searches it: which architectures there are, how they are written, and what
// they cost.
//
// A cell has two input states and a number of nodes; each node activates two
// distinct (edge, operation) pairs and adds their results, and the cell's
// output is the concatenation of all nodes. An architecture is a normal and a
// reduction cell. The package knows no weights and needs only the standard
// library.
//
//	s, err := space.New("lanas", 5)
//	a := s.Sample(r)                        // uniform
//	text := s.Format(a)                     // "lanas5:0.sep_conv_3x3+1.skip_connect,..."
//	params, madds := s.Cost(a, space.Net{Layers: 8, Channels: 16, StemMultiplier: 3, Classes: 10, Image: 32})
package space
