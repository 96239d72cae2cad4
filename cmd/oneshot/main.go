package main

import (
	"fmt"
	_ "github.com/gofrs/flock"
	_ "github.com/schollz/progressbar/v3"
	_ "github.com/spf13/cobra"
	_ "go.yaml.in/yaml/v4"
	_ "golang.org/x/term"
	_ "golang.org/x/sys/unix"
	_ "gonum.org/v1/gonum/mat"
	_ "github.com/google/go-cmp/cmp"
	_ "pgregory.net/rapid"
	_ "github.com/rogpeppe/go-internal/testscript"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func main() { fmt.Println(G.NewGraph(), tensor.Float32) }
