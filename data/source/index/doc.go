// Package index lists the records of a source, and keeps such lists in a cache folder.
//
// A [Listing] says of each record in which file it lies, its label and its size, in about
// 50 bytes a record. Listing a folder of a million images takes the file system a
// minute when it is cold, so [Open] keeps what a scan found in a file of the cache
// folder, never among the data, and takes it from there as long as it is still true.
//
// What is true is decided by stamps: the path, size and modification time of every
// folder and archive that was scanned. Adding, removing or renaming a file changes its
// folder's time. Rewriting an image in place does not; whoever reads a record compares
// its size with the listed one and answers with a [ChangedError]. A stored list whose
// stamps differ, that is damaged, or of another version, is scanned and written again
// without a word: nothing depends on it but time.
//
// # File format, version 1
//
//	magic    8 bytes   "1shotidx"
//	version  1 byte
//	sum      32 bytes  SHA-256 of all that follows
//	payload            format, path, stamps, info, files, records
//
// Numbers of the payload are unsigned varints, strings a length and bytes. The records of
// a split stand as columns: labels, sizes, files, offsets, lengths of names, names.
package index
