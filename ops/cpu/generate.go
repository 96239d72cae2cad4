package cpu

//go:generate go -C _asm run . -kernel gemm -pkg cpu -out ../gemm_amd64.s -stubs ../gemm_stub_amd64.go
//go:generate go -C _asm run . -kernel gemmat -pkg cpu -out ../gemmat_amd64.s -stubs ../gemmat_stub_amd64.go
//go:generate go -C _asm run . -kernel dw -pkg cpu -out ../dw_amd64.s -stubs ../dw_stub_amd64.go
//go:generate go -C _asm run . -kernel dwgrad -pkg cpu -out ../dwgrad_amd64.s -stubs ../dwgrad_stub_amd64.go
//go:generate go -C _asm run . -kernel elementwise -pkg cpu -out ../elementwise_amd64.s -stubs ../elementwise_stub_amd64.go
//go:generate go -C _asm run . -kernel bn -pkg cpu -out ../bn_amd64.s -stubs ../bn_stub_amd64.go
//go:generate go -C _asm run . -kernel maxrow -pkg cpu -out ../maxrow_amd64.s -stubs ../maxrow_stub_amd64.go
