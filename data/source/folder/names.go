package folder

import (
	"path"
	"strings"
)

// noImages are extensions of files that stand beside images.
var noImages = extensions(`txt csv tsv json jsonl xml yaml yml md rst html htm pdf
	db py pyc ipynb ini cfg log sh mat npy npz pkl pt pth h5 parquet zip gz tar tgz mp4 avi mov wav mp3 aux url`)

// archives are extensions of files that could hold a split of their own.
var archives = extensions("tar tgz gz zip parquet")

// images are extensions of files that are images, or call themselves so.
var images = extensions("jpg jpeg jpe jfif png webp gif bmp ppm pgm tif tiff")

func extensions(list string) map[string]bool {
	m := map[string]bool{}
	for _, e := range strings.Fields(list) {
		m["."+e] = true
	}
	return m
}

func extension(name string) string { return strings.ToLower(path.Ext(name)) }

// IsImageName says that a file's name is that of an image.
func IsImageName(name string) bool { return images[extension(name)] }

// isLitter says that a name is hidden, or one that operating systems leave behind.
func isLitter(name string) bool {
	switch strings.ToLower(name) {
	case "thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx", "@eadir", "__pycache__",
		"lost+found", "$recycle.bin", "system volume information":
		return true
	}
	return strings.HasPrefix(name, ".")
}

// isText says that a file among images is none by its name: by its extension, or because
// it is called as texts are that have none.
func isText(name string) bool {
	return noImages[extension(name)] || path.Ext(name) == "" && isSide(name)
}

// isSide says that a file at the top, beside folders, is a text about the collection.
func isSide(name string) bool {
	if noImages[extension(name)] {
		return true
	}
	switch stem, _, _ := strings.Cut(strings.ToLower(name), "."); stem {
	case "readme", "license", "licence", "copying", "notice", "authors", "citation", "changelog", "makefile", "md5sums", "sha256sums":
		return true
	}
	return false
}
