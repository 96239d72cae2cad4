// Package blocks is the space of networks that are a row of blocks, each of which is one of
// some candidates: NAS-Bench-Macro, and spaces that one defines oneself in YAML.
//
//	name: my-space
//	stem: {channels: 32, kernel: 3, stride: 1}
//	choices:
//	  - {op: identity}
//	  - {op: mbconv, expand: 3, kernel: 3}
//	  - {op: mbconv, expand: 6, kernel: 5}
//	stages:
//	  - {channels: 64, layers: 2, stride: 2}
//	  - {channels: 128, layers: 3, stride: 2}
//	head: {channels: 1280}
//
// The stem is a convolution, batch normalisation and ReLU. The first block of a stage has its
// stride and changes to its channels, the others keep both. The head is a 1x1 convolution,
// batch normalisation and ReLU; behind it stand the average over all pixels and a linear layer.
//
// An architecture has an entry a block, the number of its candidate, and its text a digit:
// nasbench-macro:22212220. The text of a space of one's own begins with its name and a checksum
// of its definition, my-space@72e235ba:01210.
//
// Blocks that do nothing may stand anywhere in a row of blocks of one shape: the network is the
// same function. Of such twins the one with all of these at the end is canonical. So of the
// 6,561 texts of NAS-Bench-Macro 3,969 are (Su et al., arXiv 2103.11922).
//
// A network is built to net.Size as follows: Layers is the number of blocks, Channels the width
// of the stem. With another width than that of the definition all others change in proportion.
package blocks
