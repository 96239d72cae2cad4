package audit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"oneshot/data"
	"oneshot/data/audit"
)

// A file that is no image is found before a training meets it.
func Example() {
	dir, err := os.MkdirTemp("", "photographs")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	// The smallest GIF there is: a pixel.
	pixel := []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	for name, content := range map[string][]byte{"cat/1.gif": pixel, "dog/1.gif": pixel, "dog/2.gif": []byte("<html>not found</html>")} {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o777)
		if err := os.WriteFile(path, content, 0o666); err != nil {
			panic(err)
		}
	}
	f, err := data.OpenFiles(data.Config{Name: data.Auto, Dir: dir})
	if err != nil {
		panic(err)
	}
	defer f.Close()
	r, err := audit.Verify(context.Background(), f, audit.Options{})
	if err != nil {
		panic(err)
	}
	for _, bad := range r.Bad {
		fmt.Println(filepath.Base(bad.File), bad.Reason)
	}
	for _, w := range r.Warnings {
		fmt.Println(w.Kind, w.Count)
	}
	// Output:
	// 2.gif is no image but HTML, perhaps the page of a failed download
	// duplicates-with-different-classes 1
	// duplicates-within-split 1
}
