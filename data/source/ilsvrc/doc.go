// Package ilsvrc reads ImageNet from the archives that it is handed out in, without
// unpacking them (format "imagenet"). They lie in one folder:
//
//	ILSVRC2012_img_train.tar       a tar file of a tar file for each class, n01440764.tar
//	ILSVRC2012_img_val.tar         ILSVRC2012_val_00000001.JPEG and on
//	ILSVRC2012_devkit_t12.tar.gz   which class a validation image shows; may be unpacked
//
// Classes are WordNet's names for synsets (n01440764) in byte order, as torchvision
// numbers them. They are those that have images; without the training archive, all classes
// of the devkit. Training images stand by class and then by name, as in an unpacked
// folder; validation images by their number.
//
// The devkit gives the class of validation image i in line i of
// data/ILSVRC2012_validation_ground_truth.txt, as an ILSVRC2012_ID; data/meta.mat, a MATLAB
// file, has the synset of each ID (readme.txt of the devkit, section 2).
//
// Any number of classes and images is read, so that a miniature of the same layout is too.
// An unpacked train folder is package folder's format.
package ilsvrc
