package cpu

import (
	"strings"
	"testing"
)

func TestChooseISA(t *testing.T) {
	for _, c := range []struct {
		request string
		avx2    bool
		want    string
		err     string
	}{
		{"", true, "avx2", ""},
		{"", false, "noasm", ""},
		{"avx2", true, "avx2", ""},
		{"avx2", false, "noasm", "does not have it"},
		{"noasm", true, "noasm", ""},
		{"noasm", false, "noasm", ""},
		{"AVX2", true, "avx2", "unknown"},
		{"sse", false, "noasm", "unknown"},
	} {
		got, err := chooseISA(c.request, c.avx2)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("chooseISA(%q, %v) = %q, %v, want %q, error %q", c.request, c.avx2, got, err, c.want, c.err)
		}
	}
	if name, _ := ISA(); name != isaAVX2 && name != isaNone {
		t.Errorf("ISA() = %q", name)
	}
}
