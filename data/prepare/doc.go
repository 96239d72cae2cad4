// Package prepare writes a smaller copy of a collection, which is faster to read.
//
// Photographs of a few megapixels take ten times as long to decode as the few hundred pixels
// that a network sees of them. [Write] makes every image's shorter side a given size and packs
// the images into tar files, which no file system minds however many there are:
//
//	DIR/train-000000.tar  00000000.jpg 00000000.cls 00000001.jpg ...
//	DIR/val-000000.tar    likewise; one name for each split
//	DIR/classes.txt       names of the classes, a line each: label 0 is the first
//	DIR/train-index.json  the tar files of a split and how many images each has, for wids
//	DIR/prepare.json      what it was made of, and how
//
// That is the layout of WebDataset (https://github.com/webdataset/webdataset): .cls is the
// label in decimal, and a key is the number of a record in its split, in the order of the
// source. Class folders are in the order of classes, so whoever reads shards one after the
// other has to shuffle them well.
//
// Images are scaled by package pixels' antialiased bilinear filter and written by image/jpeg.
// A JPEG that is upright and small enough is copied byte for byte. The bytes are the same at
// any number of workers. Files get their names when all of them are whole and on the disk,
// prepare.json last.
package prepare
