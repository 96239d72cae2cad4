# make alone lists the targets. Tools are pinned here and run through the module proxy, so nothing
# has to be installed beyond Go, make and (for the race detector) a C compiler.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
PYTHON      ?= /usr/bin/python3
FUZZTIME    ?= 10s
BENCH       ?= .
ARGS        ?=

.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

run: build ## the whole job on the built-in images: train, search, retrain, export (ARGS=...)
	bin/oneshot run --preset tiny $(ARGS)

build: ## bin/oneshot
	go build -trimpath -o bin/oneshot ./cmd/oneshot

test: ## every test
	go test ./...

check: test check-rest ## everything that must pass before a commit is published

check-rest: lint race noasm isas arm64 check-generate check-ptx check-deps check-golden check-bytes test-orders ## check without test

lint: ## gofmt -s, go vet, staticcheck, shell syntax
	@out=$$(gofmt -s -l .); [ -z "$$out" ] || { echo "not gofmt -s clean:"; echo "$$out"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	@for f in scripts/*.sh bench/*.sh .ci/run; do bash -n $$f || exit 1; done

race: ## short tests under the race detector
	go test -race -short -timeout 20m ./...

noasm: ## the kernels' plain Go path
	go vet -tags noasm ./...
	go test -short -tags noasm ./ops/... ./supernet/...

isas: ## operations, executor and whole network on AVX2; other processors run plain Go again
	ONESHOT_ISA=avx2 go test -count=1 -short ./ops/... ./supernet/...

arm64: ## a processor without assembly of ours
	GOARCH=arm64 go build ./...
	GOARCH=arm64 go vet ./...

test-cuda: test-orders test-cuda-rest ## everything about the GPU that needs none: emulator, fake driver, injected faults, planted errors
	go test ./ops/cuda/...
	go test -count=1 -run 'TestScript/cuda' ./cmd/oneshot

test-cuda-rest: ## what of test-cuda is in no other target: faults at every call, undefined behaviour, gorgonia.org/cu, planted errors
	ONESHOT_FAULTS=all go test -count=1 -timeout 20m -run CUDALoses ./supernet
	ONESHOT_CUDA_TEST=sanitize go test -count=1 -run CUDA ./ops
	scripts/gorgonia-cu.sh
	scripts/mutants-cuda.sh

test-orders: ## GPU code on the emulator in other orders of threads, with work done as late as it may be
	for o in reverse shuffle; do EMU_ORDER=$$o FAKE_CUDA_LAZY=1 go test -count=1 -short -run CUDA ./ops ./supernet || exit 1; done

generate-ptx: ## compile the GPU's kernels (needs NVRTC 11.8: Debian's libnvrtc11.2, component non-free)
	cd ops/cuda && go run ./genptx

check-ptx: ## NVRTC 11.8 compiles the GPU's kernels (skipped where there is none)
	cd ops/cuda && go run ./genptx -check

gpu-bundle: ## bin/gpu-bundle.tar.gz: what a machine with a GPU and no Go needs for gpu-check.sh
	scripts/gpu-bundle.sh

bench: ## benchmarks (BENCH=regexp); compare two outputs with benchstat
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

bench-peer: build ## against PyTorch, in turn on this machine (ROUNDS=3 JOBS="step eval ops retrain")
	bench/compare.sh

bench-growth: build ## step time against batch, channels, layers and image size
	bench/growth.sh

fuzz: ## every fuzz target for FUZZTIME (10s)
	scripts/fuzz.sh $(FUZZTIME)

generate: ## write the generated files again
	go generate ./...

check-generate: ## the generated files are what their generators write
	scripts/check-generate.sh

check-deps: ## who imports whom, and that this check can fail
	scripts/check-deps.sh
	scripts/check-deps.sh --selftest

mutants: ## every planted error in the assembly is caught
	scripts/mutants.sh

check-bytes: ## whole runs compute the bytes they did before, with every instruction set (half a minute)
	scripts/check-bytes.sh

check-golden: ## recompute the golden files in PyTorch (skipped where there is none)
	@if $(PYTHON) -c 'import torch' 2>/dev/null; then set -ex; \
		$(PYTHON) supernet/testdata/parity.py verify; \
		$(PYTHON) supernet/testdata/parity.py selftest; \
		$(PYTHON) ops/testdata/ops_golden.py verify; \
		$(PYTHON) ops/testdata/optim_golden.py verify; \
	else echo "check-golden: skipped, $(PYTHON) has no torch (Debian: python3-torch)"; fi

.PHONY: help run build test check check-rest lint race noasm isas arm64 bench bench-peer bench-growth fuzz generate \
	check-generate check-ptx check-deps check-golden check-bytes mutants test-cuda test-cuda-rest test-orders generate-ptx gpu-bundle
