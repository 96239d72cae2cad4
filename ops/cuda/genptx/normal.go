package main

import (
	"bytes"
	"fmt"
	"regexp"
)

// numbered are the names that NVRTC numbers within a function: registers, each kind
// from 1, and labels, which also hold the function's number.
var numbered = regexp.MustCompile(`%(p|f|fd|r|rs|rd)\d+\b|\$L(__BB\d+_)?\d+\b`)

// normal is the same PTX in a form in which a function's text depends on that
// function alone. NVRTC numbers registers differently when another function
// changes, or from one time to the next; here they are numbered, like the labels,
// in the order in which the text names them. Comments below the head, blank lines
// and indentation are gone, which the driver does not read. A text in this form
// stays as it is.
//
// Declarations stay: ".reg .f32 %f<90>" makes %f0 to %f89, and no more than the 89
// that NVRTC names get a number.
func normal(ptx []byte) []byte {
	var out bytes.Buffer
	names, count := map[string][]byte{}, map[string]int{}
	rename := func(old []byte) []byte {
		name, ok := names[string(old)]
		if !ok {
			kind := kindOf(old)
			count[kind]++
			name = fmt.Appendf(nil, "%s%d", kind, count[kind])
			names[string(old)] = name
		}
		return name
	}
	head := true
	for line := range bytes.Lines(ptx) {
		line = bytes.Join(bytes.Fields(line), []byte(" "))
		switch {
		case bytes.HasPrefix(line, []byte(".version")):
			head = false
		case bytes.Contains(line, []byte(".entry ")) || bytes.Contains(line, []byte(".func ")):
			clear(names)
			clear(count)
		case !head && (len(line) == 0 || bytes.HasPrefix(line, []byte("//"))):
			continue
		}
		out.Write(numbered.ReplaceAllFunc(line, rename))
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// kindOf is the name of a register or label without its numbers.
func kindOf(name []byte) string {
	if name[0] == '$' {
		return "$L"
	}
	return string(bytes.TrimRight(name, "0123456789"))
}
