package cuda

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// kernelSpec says what a kernel's arguments are and which of them it writes; all
// other addresses it reads. Private ones, partial sums and tickets, order
// nothing.
type kernelSpec struct {
	name    string // without the type of the activations
	typed   bool   // exists as name_f32 and name_bf16
	args    reflect.Type
	size    int
	writes  map[string]bool
	fields  []field
	parts   bool // has Parts
	partsDX bool // writes Part.DX
	blocks  uintptr
}

// field is an address among the arguments.
type field struct {
	off    uintptr
	writes bool
	ticket bool
}

// kernels lists every kernel with the fields it writes. A struct's name stands for
// all of its fields.
var kernels = map[string]*kernelSpec{}

func init() {
	norm := "Norm.Scale Norm.Shift Norm.Mean Norm.Inv Norm.RunMean Norm.RunVar Norm.Partial"
	for _, k := range []struct {
		name   string
		typed  bool
		args   any
		writes string
	}{
		{"im2col", true, Im2colArgs{}, "Out"},
		{"conv_fwd16", true, ConvArgs{}, "Z " + norm},
		{"conv_fwd32", true, ConvArgs{}, "Z " + norm},
		{"conv_fwd64", true, ConvArgs{}, "Z " + norm},
		{"conv_dx16", true, ConvArgs{}, "Parts.DX"},
		{"conv_dx32", true, ConvArgs{}, "Parts.DX"},
		{"conv_dx64", true, ConvArgs{}, "Parts.DX"},
		{"conv_dw16", true, ConvArgs{}, "Partial"},
		{"conv_dw32", true, ConvArgs{}, "Partial"},
		{"conv_dw64", true, ConvArgs{}, "Partial"},
		{"dw_fwd", true, DwArgs{}, "T"},
		{"sep_fwd16", false, SepArgs{}, "DW.T Conv.Z " + within("Conv.", norm)},
		{"sep_fwd32", false, SepArgs{}, "DW.T Conv.Z " + within("Conv.", norm)},
		{"sep_fwd64", false, SepArgs{}, "DW.T Conv.Z " + within("Conv.", norm)},
		{"dw_dx", true, DwArgs{}, "DX"},
		{"dw_dw", true, DwArgs{}, "Partial"},
		{"pool_fwd", true, PoolArgs{}, "Z Tap " + norm},
		{"pool_bwd", true, PoolArgs{}, "DX"},
		{"norm_bwd", true, NormGradArgs{}, "DGamma DBeta A B D Partial"},
		{"norm_eval", false, NormEvalArgs{}, "Norm.Scale Norm.Shift Norm.Mean Norm.Inv"},
		{"node_fwd", true, NodeArgs{}, "Y"},
		{"mask_images", true, NodeArgs{}, "Y"},
		{"relu_pool_fwd", true, ReLUPoolArgs{}, "Y"},
		{"relu_pool_bwd", true, ReLUPoolArgs{}, "Parts.DX"},
		{"mean_fwd", true, MeanArgs{}, "Y"},
		{"mean_bwd", true, MeanArgs{}, "Parts.DX"},
		{"linear_fwd", true, LinearArgs{}, "Y"},
		{"linear_dx", true, LinearArgs{}, "DX"},
		{"linear_dw", true, LinearArgs{}, "DW DBias"},
		{"xent_fwd", false, XentArgs{}, "Loss DLogits"},
		{"xent_bwd", false, XentArgs{}, "DX"},
		{"tally", false, TallyArgs{}, ""},
		{"add_scaled_fwd", false, ScalarArgs{}, "Y"},
		{"add_scaled_bwd", false, ScalarArgs{}, "DA DB"},
		{"sum", true, SumArgs{}, "Dst"},
		{"fill", true, FillArgs{}, "Dst"},
		{"reduce", false, ReduceArgs{}, "Out"},
		{"squares", false, SquaresArgs{}, "Partial"},
		{"end", false, EndArgs{}, "Stats"},
		{"sgd", false, SGDArgs{}, "W V"},
		{"axpby", false, AxpbyArgs{}, "Y"},
		{"gather", false, GatherArgs{}, "X Y"},
	} {
		kernels[k.name] = newSpec(k.name, k.typed, reflect.TypeOf(k.args), strings.Fields(k.writes))
	}
}

// within puts a prefix before each of some fields.
func within(prefix, fields string) string {
	return prefix + strings.ReplaceAll(fields, " ", " "+prefix)
}

func newSpec(name string, typed bool, t reflect.Type, writes []string) *kernelSpec {
	s := &kernelSpec{name: name, typed: typed, args: t, size: int(t.Size()), writes: map[string]bool{}}
	for _, w := range writes {
		s.writes[w] = true
	}
	s.partsDX = s.writes["Parts.DX"]
	delete(s.writes, "Parts.DX")
	found := 0
	var walk func(t reflect.Type, prefix string, off uintptr)
	walk = func(t reflect.Type, prefix string, off uintptr) {
		for i := range t.NumField() {
			f := t.Field(i)
			path := prefix + f.Name
			switch {
			case path == "Parts":
				s.parts = true
				s.fields = append(s.fields, field{off: off + f.Offset})
			case path == "Blocks":
				s.blocks = off + f.Offset
			case f.Type == reflect.TypeFor[Addr]():
				if s.writes[path] {
					found++
				}
				s.fields = append(s.fields, field{off + f.Offset, s.writes[path], f.Name == "Ticket"})
			case f.Type.Kind() == reflect.Struct:
				walk(f.Type, path+".", off+f.Offset)
			case f.Type.Kind() == reflect.Array && f.Type.Elem() == reflect.TypeFor[Addr]():
				for k := range f.Type.Len() {
					s.fields = append(s.fields, field{off: off + f.Offset + uintptr(k)*8})
				}
			}
		}
	}
	walk(t, "", 0)
	if found != len(s.writes) {
		panic(fmt.Sprintf("cuda: kernel %s: unknown field among %v", name, writes))
	}
	return s
}

// Symbols are the names of all kernels in the module.
func Symbols() []string {
	var out []string
	for _, k := range kernels {
		if k.typed {
			out = append(out, k.name+"_f32", k.name+"_bf16")
		} else {
			out = append(out, k.name)
		}
	}
	slices.Sort(out)
	return out
}

// addrAt is the address at an offset of a struct of arguments.
func addrAt(args unsafe.Pointer, off uintptr) *Addr { return (*Addr)(unsafe.Add(args, off)) }
