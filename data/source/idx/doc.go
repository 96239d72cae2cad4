// Package idx reads MNIST and the sets that copy its files: Fashion-MNIST, KMNIST, EMNIST.
// An IDX file (http://yann.lecun.com/exdb/mnist/) is a header of big-endian numbers,
// the type and the lengths of an array, and the array row by row.
//
// Files may be gzipped, as they are published. A plain file stays open and a record is
// read when it is asked for. A gzipped one is unpacked into memory when it is opened:
// 47 MB for MNIST.
package idx
