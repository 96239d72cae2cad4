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

// kernels has every kernel of kernelTable by its name.
var kernels = map[string]*kernelSpec{}

func init() {
	for _, k := range kernelTable {
		kernels[k.name] = newSpec(k.name, k.typed, reflect.TypeOf(k.args), strings.Fields(k.writes))
	}
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
