package cpu

//go:generate go -C _asm run . -kernel gemm -pkg cpu -out ../gemm_amd64.s -stubs ../gemm_stub_amd64.go
//go:generate go -C _asm run . -kernel gemmat -pkg cpu -out ../gemmat_amd64.s -stubs ../gemmat_stub_amd64.go
//go:generate go -C _asm run . -kernel dw -pkg cpu -out ../dw_amd64.s -stubs ../dw_stub_amd64.go
//go:generate go -C _asm run . -kernel dwgrad -pkg cpu -out ../dwgrad_amd64.s -stubs ../dwgrad_stub_amd64.go
//go:generate go -C _asm run . -kernel add -pkg cpu -out ../add_amd64.s -stubs ../add_stub_amd64.go
//go:generate go -C _asm run . -kernel maxrow -pkg cpu -out ../maxrow_amd64.s -stubs ../maxrow_stub_amd64.go
//go:generate go -C _asm run . -kernel dwrows -pkg cpu -out ../windowdwrows_amd64.s -stubs ../windowdwrows_stub_amd64.go
//go:generate go -C _asm run . -kernel dwgradrows -pkg cpu -out ../windowdwgradrows_amd64.s -stubs ../windowdwgradrows_stub_amd64.go
//go:generate go -C _asm run . -kernel maxpoolrow -pkg cpu -out ../windowmaxpoolrow_amd64.s -stubs ../windowmaxpoolrow_stub_amd64.go
//go:generate go -C _asm run . -kernel maxpoolgrad -pkg cpu -out ../windowmaxpoolgrad_amd64.s -stubs ../windowmaxpoolgrad_stub_amd64.go
//go:generate go -C _asm run . -kernel gemm512 -pkg cpu -out ../gemm512_amd64.s -stubs ../gemm512_stub_amd64.go
//go:generate go -C _asm run . -kernel gemmat512 -pkg cpu -out ../gemmat512_amd64.s -stubs ../gemmat512_stub_amd64.go
//go:generate go -C _asm run . -kernel strip -pkg cpu -out ../strip_amd64.s -stubs ../strip_stub_amd64.go
//go:generate go -C _asm run . -kernel strip512 -pkg cpu -out ../strip512_amd64.s -stubs ../strip512_stub_amd64.go
//go:generate go -C _asm run . -kernel peak -pkg cpu -out ../peak_amd64.s -stubs ../peak_stub_amd64.go
