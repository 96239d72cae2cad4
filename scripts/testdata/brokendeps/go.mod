// A module that breaks the import rules, one planted fault after another; check-deps.sh --selftest
// must find the lines of want.txt and no others. fake stands for every foreign module.
module oneshot

go 1.26.0

require (
	github.com/ebitengine/purego v0.0.0
	go.yaml.in/yaml/v4 v4.0.0
	golang.org/x/term v0.0.0
	gonum.org/v1/gonum v0.0.0
	gorgonia.org/cu v0.0.0
	gorgonia.org/gorgonia v0.0.0
	gorgonia.org/tensor v0.0.0
)

replace (
	github.com/ebitengine/purego => ./fake/purego
	go.yaml.in/yaml/v4 => ./fake/yaml
	golang.org/x/term => ./fake/term
	gonum.org/v1/gonum => ./fake/gonum
	gorgonia.org/cu => ./fake/cu
	gorgonia.org/gorgonia => ./fake/gorgonia
	gorgonia.org/tensor => ./fake/tensor
)
