// Package cell is the NASNet/DARTS cell space as the LaNAS one-shot code searches it.
//
// A cell has two input states and a number of nodes; each node activates two
// (edge, operation) pairs and adds their results, and the cell's output is the
// concatenation of nodes. A search draws distinct pairs and concatenates all nodes.
// An architecture is a normal and a reduction cell; cells are stacked, and those at one
// and two thirds of the depth are reduction cells (arXiv 1707.07012, DARTS).
//
// The list of choices (space.Arch) has two entries a node, nodes of the normal cell
// first: the numbers of its pairs, edge*operations+operation, ascending. Where a cell's
// output is not all of its nodes, or two pairs of a node are equal, two more follow: of
// each cell the nodes of its output as a mask, bit i for node i.
//
// Published networks are built by other rules than ours (Space.Plain, Space.Standard), and for
// ImageNet in another form (net.Geometry.ImageNet): a stem of three convolutions of stride
// 2, a first cell as after a reduction, an auxiliary head with one normalisation.
//
// space.go and text.go say which architectures there are and how they are written,
// encode.go how a search sees them, candidates.go which operations a cell offers,
// network.go what a network of cells is. published.go has the published cells by name;
// genotype.go and lanet.go read the forms in which papers' code writes them.
//
// Example writes an architecture down cell by cell.
package cell
