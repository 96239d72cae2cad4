package portable

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"oneshot/weights"
)

// A line of layers() in a module, and an argument of its call.
var (
	pythonLayer    = regexp.MustCompile(`(?m)^        \(("(?:[^"\\]|\\.)*"), (\w+)\((.*)\), \[[^\]]*\]\),  # \d+$`)
	pythonArgument = regexp.MustCompile(`(?:(\w+)=)?(\([^)]*\)|"(?:[^"\\]|\\.)*"|[^,()"= ]+)`)
)

// CheckPython reads what Python has written, and compares names and shapes of the tensors that PyTorch would want for it
// with those of a file. What its operations compute it cannot tell: that takes PyTorch.
func CheckPython(text []byte, tensors []weights.Tensor) error {
	want := map[string][]int{}
	for _, l := range pythonLayer.FindAllSubmatch(text, -1) {
		name, err := strconv.Unquote(string(l[1]))
		if err == nil {
			err = pythonTensors(want, name, string(l[2]), string(l[3]))
		}
		if err != nil {
			return fmt.Errorf("portable: model.py: layer %s: %w", l[1], err)
		}
	}
	have := map[string][]int{}
	for _, t := range tensors {
		have[t.Name] = t.Shape
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if shape, ok := have[name]; !ok {
			return fmt.Errorf("portable: model.py wants a tensor %s, which the file has not", name)
		} else if !slices.Equal(shape, want[name]) {
			return fmt.Errorf("portable: model.py wants %s in shape %v, and the file has %v", name, want[name], shape)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[name]; !ok {
			return fmt.Errorf("portable: model.py has no place for the tensor %s of the file", name)
		}
	}
	return nil
}

// pythonTensors adds the tensors of a layer, as its class in layers.py makes them.
func pythonTensors(to map[string][]int, name, class, arguments string) error {
	var n []int // those without a name; what is no number is 0
	named := map[string]string{}
	for _, a := range pythonArgument.FindAllStringSubmatch(arguments, -1) {
		if a[1] != "" {
			named[a[1]] = a[2]
			continue
		}
		v, _ := strconv.Atoi(a[2])
		n = append(n, v)
	}
	if least := map[string]int{"Stem": 2, "ConvBN": 2, "FactorizedReduce": 2, "Separable": 2, "Depthwise": 2, "Activation": 1, "Pool": 2, "Classifier": 2}[class]; len(n) < least {
		return fmt.Errorf("%s has %d sizes, want %d", class, len(n), least)
	}
	norm := func(part string, c int) {
		if named["norm"] == "False" {
			return
		}
		if named["affine"] != "False" {
			to[name+part+".weight"], to[name+part+".bias"] = []int{c}, []int{c}
		}
		to[name+part+".running_mean"], to[name+part+".running_var"], to[name+part+".num_batches_tracked"] = []int{c}, []int{c}, []int{}
	}
	conv := func(part string, shape ...int) { to[name+part+".weight"] = shape }
	switch class {
	case "Stem":
		conv(".conv", n[1], n[0], 3, 3)
		norm(".bn", n[1])
	case "ConvBN":
		kernel := [2]int{1, 1}
		if text, ok := named["kernel"]; ok {
			if _, err := fmt.Sscanf(text, "(%d, %d)", &kernel[0], &kernel[1]); err != nil {
				return fmt.Errorf("kernel %s: %w", text, err)
			}
		}
		suffix := strings.Trim(named["suffix"], `"`)
		conv(".conv"+suffix, n[1], n[0], kernel[0], kernel[1])
		norm(".bn"+suffix, n[1])
	case "FactorizedReduce":
		conv(".conv1", n[1]/2, n[0], 1, 1)
		conv(".conv2", n[1]/2, n[0], 1, 1)
		norm(".bn", n[1])
	case "Separable":
		stages := 2
		if text, ok := named["stages"]; ok {
			stages, _ = strconv.Atoi(text)
		}
		for s := 1; s <= stages; s++ {
			conv(fmt.Sprintf(".dw%d", s), n[0], 1, n[1], n[1])
			conv(fmt.Sprintf(".pw%d", s), n[0], n[0], 1, 1)
			norm(fmt.Sprintf(".bn%d", s), n[0])
		}
	case "Depthwise":
		suffix := strings.Trim(named["suffix"], `"`)
		conv(".conv"+suffix, n[0], 1, n[1], n[1])
		norm(".bn"+suffix, n[0])
	case "Activation":
		norm(".bn"+strings.Trim(named["suffix"], `"`), n[0])
	case "Pool":
		norm(".bn", n[0])
	case "Classifier":
		conv("", n[1], n[0])
		to[name+".bias"] = []int{n[1]}
	case "AvgPool", "Sum", "GlobalAvgPool":
	default:
		return fmt.Errorf("%s is no class of layers.py", class)
	}
	return nil
}
