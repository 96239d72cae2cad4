package folder_test

import (
	"fmt"
	"os"
	"path/filepath"

	"oneshot/data/source/folder"
)

// A folder of two classes, opened without keeping a list of its records.
func ExampleOpen() {
	root, err := os.MkdirTemp("", "photographs-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)
	for _, name := range []string{"dog/rex.jpg", "cat/tom.jpg"} {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			fmt.Println(err)
			return
		}
		if err := os.WriteFile(p, []byte("the bytes of "+name), 0o644); err != nil {
			fmt.Println(err)
			return
		}
	}
	s, err := folder.Open(root, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	in := s.Info()
	fmt.Println(in.About, in.Classes)
	for i, label := range in.Splits[0].Labels {
		b, err := s.Read(0, i, nil)
		fmt.Printf("%s: %s %v\n", in.Classes[label], b, err)
	}
	// Output:
	// folder of 2 class folders [cat dog]
	// cat: the bytes of cat/tom.jpg <nil>
	// dog: the bytes of dog/rex.jpg <nil>
}
