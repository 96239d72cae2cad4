package cpu

//go:generate go -C _asm run . -kernel gemm_avx2 -pkg cpu -out ../gemm_avx2_amd64.s -stubs ../gemm_avx2_stub_amd64.go
//go:generate go -C _asm run . -kernel gemm_at_avx2 -pkg cpu -out ../gemm_at_avx2_amd64.s -stubs ../gemm_at_avx2_stub_amd64.go
//go:generate go -C _asm run . -kernel depthwise_avx2 -pkg cpu -out ../depthwise_avx2_amd64.s -stubs ../depthwise_avx2_stub_amd64.go
//go:generate go -C _asm run . -kernel depthwise_grad_avx2 -pkg cpu -out ../depthwise_grad_avx2_amd64.s -stubs ../depthwise_grad_avx2_stub_amd64.go
//go:generate go -C _asm run . -kernel add_avx2 -pkg cpu -out ../add_avx2_amd64.s -stubs ../add_avx2_stub_amd64.go
//go:generate go -C _asm run . -kernel maxpool_avx2 -pkg cpu -out ../maxpool_avx2_amd64.s -stubs ../maxpool_avx2_stub_amd64.go
//go:generate go -C _asm run . -kernel depthwise_avx512 -pkg cpu -out ../depthwise_avx512_amd64.s -stubs ../depthwise_avx512_stub_amd64.go
//go:generate go -C _asm run . -kernel depthwise_grad_avx512 -pkg cpu -out ../depthwise_grad_avx512_amd64.s -stubs ../depthwise_grad_avx512_stub_amd64.go
//go:generate go -C _asm run . -kernel maxpool_avx512 -pkg cpu -out ../maxpool_avx512_amd64.s -stubs ../maxpool_avx512_stub_amd64.go
//go:generate go -C _asm run . -kernel maxpool_values_avx512 -pkg cpu -out ../maxpool_values_avx512_amd64.s -stubs ../maxpool_values_avx512_stub_amd64.go
//go:generate go -C _asm run . -kernel maxpool_grad -pkg cpu -out ../maxpool_grad_amd64.s -stubs ../maxpool_grad_stub_amd64.go
//go:generate go -C _asm run . -kernel gemm_avx512 -pkg cpu -out ../gemm_avx512_amd64.s -stubs ../gemm_avx512_stub_amd64.go
//go:generate go -C _asm run . -kernel gemm_at_avx512 -pkg cpu -out ../gemm_at_avx512_amd64.s -stubs ../gemm_at_avx512_stub_amd64.go
//go:generate go -C _asm run . -kernel norm_relu_avx2 -pkg cpu -out ../norm_relu_avx2_amd64.s -stubs ../norm_relu_avx2_stub_amd64.go
//go:generate go -C _asm run . -kernel norm_relu_avx512 -pkg cpu -out ../norm_relu_avx512_amd64.s -stubs ../norm_relu_avx512_stub_amd64.go
