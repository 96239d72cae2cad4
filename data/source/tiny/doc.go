// Package tiny reads Tiny ImageNet as it is handed out (format "tiny-imagenet"): 200 classes
// of 500 training and 50 validation images of 64x64 (http://cs231n.stanford.edu/tiny-imagenet-200.zip).
//
//	train/<wnid>/images/<wnid>_0.JPEG   and <wnid>_boxes.txt, which is not needed
//	val/images/val_0.JPEG
//	val/val_annotations.txt             a line for each image: name, wnid, four numbers of a box; tabs between
//	test/images                         without labels: left out
//	wnids.txt, words.txt                the classes, a line each; what they are called in words
//
// Classes are the names of wnids.txt in byte order, as torchvision numbers the folders.
// Training images stand by class and name, validation images in the order of the
// annotations. A validation image that no line names, and a line whose image is
// missing or whose class is none of wnids.txt, is a fault.
//
// A line of val_annotations.txt that lacks a name or a class is an error with its number:
// the file would be of another layout.
package tiny
