package portable

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"oneshot/ops"
	"oneshot/supernet/net"
)

//go:embed layers.py
var layersPy string

//go:embed network.py
var networkPy string

// Python writes the network as a module of PyTorch, whose state_dict has the names and shapes of the
// safetensors file. It needs torch alone (1.13 and later), and trains as well as it classifies. The same model
// gives the same text.
func Python(m *Model) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	weights := ""
	if m.Weights != "" {
		weights = "\n\nThe weights beside it are " + m.Weights + "."
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `"""The network %s.

    import model
    network = model.load("model.safetensors")
    logits = network(model.normalise(pixels))  # pixels (N,3,%d,%d), 0 to 255, red first

Written by oneshot export; it needs torch and nothing else. Each line of layers() is an operation, and
what it reads by line number; its name is that of its tensors in the file.%s
"""
import json
import os
import struct
import sys

import torch
from torch import nn
from torch.nn import functional

ARCH = %s
SIDE = %d
MEAN = (%s)
STD = (%s)
CLASSES = [%s]
IMAGES = None


`, m.Arch, m.Net.Image, m.Net.Image, weights, quote(m.Arch), m.Net.Image, floats(m.Mean[:]), floats(m.Std[:]), quoteAll(m.Classes))
	b.WriteString(layersPy)
	b.WriteString("\n\ndef layers():\n    return [\n")
	for i, l := range m.Net.Layers {
		call, err := construct(l)
		if err != nil {
			return nil, fmt.Errorf("portable: layer %s: %w", l.Name, err)
		}
		fmt.Fprintf(&b, "        (%s, %s, [%s]),  # %d\n", quote(l.Name), call, inputs(l), i)
	}
	b.WriteString("    ]\n\n\n")
	b.WriteString(networkPy)
	if m.Net.Logits != len(m.Net.Layers)-1 {
		return nil, fmt.Errorf("portable: the last layer is not the one that classifies")
	}
	return b.Bytes(), nil
}

// inputs lists what a layer reads.
func inputs(l net.Layer) string {
	var texts []string
	for _, k := range l.In {
		if k == net.Images {
			texts = append(texts, "IMAGES")
		} else {
			texts = append(texts, strconv.Itoa(k))
		}
	}
	return strings.Join(texts, ", ")
}

// construct is the expression that makes the layer's module, of a class of layers.py.
func construct(l net.Layer) (string, error) {
	switch o := l.Op.(type) {
	case ops.Stem:
		return call("Stem", o.Cin, o.Cout, named("affine", o.Affine, true)), nil
	case ops.ConvBN:
		kernel, ci := [2]int{1, 1}, o.Cin
		if f := o.Flatten; f > 0 {
			kernel, ci = [2]int{f, f}, o.Cin/(f*f)
		}
		relu, err := isReLU(o.Act)
		return call("ConvBN", ci, o.Cout, pair("kernel", kernel, [2]int{1, 1}), named("relu", relu, true), named("norm", !o.NoNorm, true),
			named("affine", o.Affine || o.NoNorm, true), named("standard", o.Standard, false), suffix(o.Suffix), named("cover", o.Flatten > 0, false)), err
	case ops.Conv2D:
		relu, err := isReLU(o.Act)
		return call("ConvBN", o.Cin, o.Cout, pair("kernel", [2]int{o.R, o.S}, [2]int{1, 1}), pair("stride", [2]int{o.StrideH, o.StrideW}, [2]int{1, 1}),
			named("relu", relu, true), named("norm", !o.NoNorm, true), named("affine", o.Affine || o.NoNorm, true), suffix(o.Suffix)), err
	case ops.Depthwise:
		relu, err := isReLU(o.Act)
		return call("Depthwise", o.C, o.K, number("stride", o.Stride, 1), named("relu", relu, true), named("affine", o.Affine, true), suffix(o.Suffix)), err
	case ops.ActBN:
		relu, err := isReLU(o.Act)
		return call("Activation", o.C, named("relu", relu, true), named("norm", !o.NoNorm, true), named("affine", o.Affine || o.NoNorm, true), suffix(o.Suffix)), err
	case ops.AvgPool:
		relu, err := isReLU(o.Act)
		return call("AvgPool", o.K, o.Stride, named("relu", relu, false)), err
	case ops.FactorizedReduce:
		return call("FactorizedReduce", o.Cin, o.Cout, named("affine", o.Affine, true)), nil
	case ops.Separable:
		return call("Separable", o.C, o.K, number("stride", o.Stride, 1), number("dilation", o.Dil, 1), number("stages", o.Stages, 2),
			named("affine", o.Affine, true), named("standard", o.Standard, false)), nil
	case ops.PoolBN:
		kind := `"avg"`
		if o.Max {
			kind = `"max"`
		}
		return call("Pool", o.C, kind, number("stride", o.Stride, 1), named("norm", !o.NoNorm, true), named("affine", o.Affine || o.NoNorm, true)), nil
	case ops.NodeSum:
		return call("Sum"), nil
	case ops.GlobalAvgPool:
		return call("GlobalAvgPool"), nil
	case ops.Linear:
		relu, err := isReLU(o.Act)
		return call("Classifier", o.In, o.Out, named("relu", relu, false)), err
	}
	return "", fmt.Errorf("operation %T is not known in PyTorch", l.Op)
}

// isReLU says whether an activation is ReLU rather than none.
func isReLU(f ops.Activation) (bool, error) {
	if f != ops.Identity && f != ops.ReLU {
		return false, fmt.Errorf("activation %v is not known in PyTorch", f)
	}
	return f == ops.ReLU, nil
}

// call is a call with those arguments that are not "".
func call(class string, args ...any) string {
	var texts []string
	for _, a := range args {
		if t := fmt.Sprint(a); t != "" {
			texts = append(texts, t)
		}
	}
	return class + "(" + strings.Join(texts, ", ") + ")"
}

// named is an argument by its name, unless it is the default.
func named(name string, v, usual bool) string {
	if v == usual {
		return ""
	}
	if v {
		return name + "=True"
	}
	return name + "=False"
}

func number(name string, v, usual int) string {
	if v == usual {
		return ""
	}
	return fmt.Sprintf("%s=%d", name, v)
}

func pair(name string, v, usual [2]int) string {
	if v == usual {
		return ""
	}
	return fmt.Sprintf("%s=(%d, %d)", name, v[0], v[1])
}

func suffix(s string) string {
	if s == "" {
		return ""
	}
	return "suffix=" + quote(s)
}

// quote writes a text as Python reads it: the escapes of Go (\n, \x, \u, \U) are those of Python.
func quote(s string) string { return strconv.QuoteToASCII(s) }

func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = quote(t)
	}
	return strings.Join(quoted, ", ")
}
