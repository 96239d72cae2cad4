package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"oneshot/ops/cuda"
)

const before = `//
// Compiler release

.version 7.8
.target sm_80

	// .globl	first
.visible .entry first(
	.param .u64 first_param_0
)
{
	.reg .pred 	%p<3>;
	.reg .b32 	%r<9>;
	.reg .b64 	%rd<2>;
	// demoted variable

	mov.u32 	%r4, %tid.x;
	ld.param.u64 	%rd1, [first_param_0];
	setp.eq.s32 	%p2, %r4, %r7;
	@%p2 bra 	$L__BB0_2;

	// begin inline asm
	{
	.reg .b32 %temp;
	mov.b32 %temp, %r4;
	mov.b32 %r8, %temp;
	}
	// end inline asm
$L__BB0_2:
	st.global.u32 	[%rd1+4], %r8;
	@%p1 bra 	$L__BB0_1;
	bra.uni 	$L__BB0_2;
$L__BB0_1:
	ret;
}
	// .globl	second
.visible .entry second(
)
{
	.reg .b32 	%r<5>;
	mov.u32 	%r4, %r1;
	bra.uni 	$L__BB1_1;
$L__BB1_1:
	ret;
}
`

const after = `//
// Compiler release

.version 7.8
.target sm_80
.visible .entry first(
.param .u64 first_param_0
)
{
.reg .pred %p<3>;
.reg .b32 %r<9>;
.reg .b64 %rd<2>;
mov.u32 %r1, %tid.x;
ld.param.u64 %rd1, [first_param_0];
setp.eq.s32 %p1, %r1, %r2;
@%p1 bra $L1;
{
.reg .b32 %temp;
mov.b32 %temp, %r1;
mov.b32 %r3, %temp;
}
$L1:
st.global.u32 [%rd1+4], %r3;
@%p2 bra $L2;
bra.uni $L1;
$L2:
ret;
}
.visible .entry second(
)
{
.reg .b32 %r<5>;
mov.u32 %r1, %r2;
bra.uni $L1;
$L1:
ret;
}
`

// TestNormal: names are numbered in the order of the text, a register and another
// one keep different names, and a block within a function does not start again.
func TestNormal(t *testing.T) {
	if got := normal([]byte(before)); string(got) != after {
		t.Errorf("got\n%s", got)
	}
	if got := normal([]byte(after)); string(got) != after {
		t.Errorf("a text in normal form became\n%s", got)
	}
}

// TestCommittedIsNormal: the committed PTX is in normal form, and every register in
// it was declared.
func TestCommittedIsNormal(t *testing.T) {
	ptx, err := os.ReadFile(filepath.Join("..", cuda.PTXFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(normal(ptx), ptx) {
		t.Errorf("%s is not as genptx writes it: make generate-ptx", cuda.PTXFile)
	}
	declaration := regexp.MustCompile(`^\.reg \.\w+ (%\w+)<(\d+)>;`)
	register := regexp.MustCompile(`(%[a-z]+)(\d+)\b`)
	declared, used := map[string]int{}, 0
	for line := range bytes.Lines(ptx) {
		if bytes.Contains(line, []byte(".entry ")) {
			clear(declared)
		}
		if d := declaration.FindSubmatch(line); d != nil {
			declared[string(d[1])], _ = strconv.Atoi(string(d[2]))
			continue
		}
		for _, r := range register.FindAllSubmatch(line, -1) {
			used++
			if n, _ := strconv.Atoi(string(r[2])); !(n < declared[string(r[1])]) {
				t.Fatalf("%s is not declared: %s", r[0], line)
			}
		}
	}
	if used == 0 {
		t.Error("no register was found")
	}
}
