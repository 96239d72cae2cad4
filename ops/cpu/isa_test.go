package cpu

import (
	"slices"
	"strings"
	"testing"
)

func TestChooseISA(t *testing.T) {
	for _, c := range []struct{ request, best, want, err string }{
		{"", "avx512", "avx512", ""},
		{"", "avx2", "avx2", ""},
		{"", "noasm", "noasm", ""},
		{"avx512", "avx512", "avx512", ""},
		{"avx2", "avx512", "avx2", ""},
		{"avx2", "avx2", "avx2", ""},
		{"avx512", "avx2", "avx2", "does not have it"},
		{"avx2", "noasm", "noasm", "does not have it"},
		{"noasm", "avx512", "noasm", ""},
		{"noasm", "noasm", "noasm", ""},
		{"AVX2", "avx2", "avx2", "unknown"},
		{"sse", "noasm", "noasm", "unknown"},
	} {
		got, err := chooseISA(c.request, c.best)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("chooseISA(%q, %q) = %q, %v, want %q, error %q", c.request, c.best, got, err, c.want, c.err)
		}
	}
	if name, _ := ISA(); !slices.Contains(isas, name) {
		t.Errorf("ISA() = %q", name)
	}
}
