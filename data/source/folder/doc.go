// Package folder reads photographs in a folder for each class, as torchvision's
// ImageFolder and most people keep them (format "folder"):
//
//	root/train/<class>/**/*   root/val/<class>/**/*   root/test/<class>/**/*
//	root/<class>/**/*
//
// A split folder may also be called training, val, valid, validation, dev, testing or eval, in
// any case. A folder around all of it, as archives unpack to, is passed through. Classes
// are the names of class folders in byte order, over all splits; records stand in byte
// order of their paths, whatever the file system returns.
//
// Every file below a class folder is a record, for what it shows is found out by its
// content: a PNG called .JPEG and a file without extension are read. Left out are hidden
// files, what operating systems leave behind (Thumbs.db, __MACOSX), and files whose
// extension is clearly no image's, such as .txt; the last are counted in a note.
//
// A link is followed where it leads to something inside the folder; the record then lies
// where the link leads. A link that leaves the folder is a fault, and so is a link to a
// folder that holds the link. Reading cannot leave the folder either, for it goes through os.Root.
//
// A file that links put into one split twice is a fault the second time. One that they put
// into two splits is refused: no image may be trained on and tested on.
//
// A class name becomes a line of a text file later. One that is no UTF-8 or holds a
// control character is refused; file names may hold anything.
//
// Before the first read no file is opened: folders are listed and files are asked for
// their size. Package index keeps the result.
package folder
