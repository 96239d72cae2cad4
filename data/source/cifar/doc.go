// Package cifar reads CIFAR-10 and CIFAR-100 as Krizhevsky publishes them
// (https://www.cs.toronto.edu/~kriz/cifar.html): the binary version, files of equally
// long records, and the "python version", one pickle per file. The same images give the
// same labels, bytes and order in both.
//
// A pickle is a program for a small machine, and an ordinary reader would run whatever
// it names. The reader here knows only the operations that make strings, numbers,
// lists, dicts and an array of bytes. It refuses every other one and runs nothing.
//
// A record is 32x32 bytes each of red, green and blue. The files stay open and a record
// is read when it is asked for, so memory grows by a label per image. A pickle file is
// held whole while it is opened. Its pixels stay in memory only if they are not plain
// in the file: in the text protocols, and where the array is stored by columns.
package cifar
