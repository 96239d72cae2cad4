// Package tars reads labelled images from tar files without unpacking them (format
// "webdataset"). It is given a folder of tar files, one tar file, or a pattern such as
// imagenet-train-{000000..000146}.tar.
//
// # WebDataset
//
// Members that stand next to each other and have one name up to the first dot of its last
// part are a sample (https://github.com/webdataset/webdataset): 0001.jpg and 0001.cls. The
// image is the member called .jpg, .jpeg, .png, .webp, .gif, .bmp, .img or .image. The
// label is a number in .cls, or in .json under label, cls, class or fine_label: a number,
// or the name of a class. Samples stand in the order of the files' names and, within a
// file, as they are. A sample without an image or a label is a fault.
//
// classes.txt or classnames.txt beside the tar files names the classes, a line each.
// Without it, names in .json are sorted, and numbers are the names of numbers.
//
// Tar files lie in folders called as splits are, or their names say it before the number:
// train-000000.tar, imagenet-val-000003.tar. Where no name says so there is one split.
//
// # A tar of class folders
//
// Where no image has a label beside it and there is one tar file, or one for each split,
// the members are read as package folder reads a folder. Records stand in the order
// of their paths then, not of the file.
//
// # What is read
//
// ustar, pax and GNU tar files with long names and large sizes. A compressed file is
// refused with the command that unpacks it, and so are sparse members. Nothing is ever
// written, so that a member's name is only a name; links are faults. What a
// header claims is checked against the file's size.
package tars
