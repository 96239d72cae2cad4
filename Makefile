# make alone lists the targets. Tools are pinned here and run through the module proxy, so nothing
# has to be installed beyond Go and make. What needs more says so and is skipped without it.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
PYTHON      ?= /usr/bin/python3
FUZZTIME    ?= 10s
ARGS        ?=

.DEFAULT_GOAL := help

# The times in the list are those of two cores.
help:
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

##@ Every day
run: build ## the whole job on the built-in images: train, search, retrain, export (ARGS=...); 1.5 minutes
	bin/oneshot run --preset tiny $(ARGS)

build: ## bin/oneshot; seconds
	go build -trimpath -o bin/oneshot ./cmd/oneshot

test: ## every test
	go test ./...

check: test check-rest ## everything that must pass before a commit is published

generate: ## write the generated Go and assembly again; seconds
	go generate ./...

bench-compare: bin/bench ## is it slower or larger now? in turn with the commit of bench/record.json
	bin/bench compare$(if $(BASE), -base '$(BASE)')$(bench_flags)

##@ Parts of check: all but test are check-rest
check-rest: lint race noasm isas arm64 check-generate check-ptx check-deps check-golden check-bytes test-orders ## check without test

lint: ## gofmt -s, go vet, staticcheck, shell syntax
	@out=$$(gofmt -s -l .); [ -z "$$out" ] || { echo "not gofmt -s clean:"; echo "$$out"; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	@for f in scripts/*.sh bench/*.sh .ci/run; do bash -n $$f || exit 1; done

race: ## short tests under the race detector (skipped where there is no C compiler)
	@if command -v "$$(go env CC)" >/dev/null; then set -x; \
		go test -race -short -timeout 20m ./...; \
	else echo "race: skipped, the race detector needs a C compiler and there is no $$(go env CC)"; fi

noasm: ## the kernels' plain Go path
	go vet -tags noasm ./...
	go test -short -tags noasm ./ops/... ./supernet/...

isas: ## operations, executor and whole network on AVX2; other processors run plain Go again
	ONESHOT_ISA=avx2 go test -count=1 -short ./ops/... ./supernet/...

arm64: ## a processor without assembly of ours: build and vet
	GOARCH=arm64 go build ./...
	GOARCH=arm64 go vet ./...

check-generate: ## the generated files are what their generators write
	scripts/check-generate.sh

check-ptx: ## NVRTC 11.8 compiles the GPU's kernels (skipped where there is none)
	cd ops/cuda && go run ./genptx -check

check-deps: ## who imports whom, and that this check can fail
	scripts/check-deps.sh
	scripts/check-deps.sh --selftest

check-golden: ## recompute the golden files in PyTorch (skipped where there is none)
	@if $(PYTHON) -c 'import torch' 2>/dev/null; then set -ex; \
		$(PYTHON) supernet/testdata/parity.py verify; \
		$(PYTHON) supernet/testdata/parity.py selftest; \
		$(PYTHON) ops/testdata/ops_golden.py verify; \
		$(PYTHON) ops/testdata/optim_golden.py verify; \
	else echo "check-golden: skipped, $(PYTHON) has no torch (Debian: python3-torch)"; fi

check-bytes: ## whole runs compute the bytes they did before, with every instruction set
	scripts/check-bytes.sh

test-orders: ## GPU code on the emulator in other orders of threads, with work done as late as it may be
	for o in reverse shuffle; do EMU_ORDER=$$o FAKE_CUDA_LAZY=1 go test -count=1 -short -run CUDA ./ops ./supernet || exit 1; done

##@ Beyond check, also run by .ci/run
fuzz: ## every fuzz target for FUZZTIME (10s) each
	scripts/fuzz.sh $(FUZZTIME)

mutants: ## every planted error in the assembly is caught
	scripts/mutants.sh

test-cuda: ## what check leaves out of the GPU code: faults at every call, undefined behaviour, gorgonia.org/cu, planted errors
	ONESHOT_FAULTS=all go test -count=1 -timeout 20m -run CUDALoses ./supernet
	ONESHOT_CUDA_TEST=sanitize go test -count=1 -run CUDA ./ops
	scripts/gorgonia-cu.sh
	scripts/mutants-cuda.sh

##@ Now and then
bench-record: bin/bench ## measure this commit and write bench/record.json, which bench-compare goes by
	bin/bench record$(bench_flags)

bench-peer: build ## against PyTorch, in turn on this machine (ROUNDS=3 JOBS="step eval ops retrain")
	bench/compare.sh

bench-growth: build ## step time against batch, channels, layers and image size
	bench/growth.sh

generate-ptx: ## compile the GPU's kernels (needs NVRTC 11.8: Debian's libnvrtc11.2, component non-free)
	cd ops/cuda && go run ./genptx

gpu-bundle: ## bin/gpu-bundle.tar.gz: what a machine with a GPU and no Go needs for gpu-check.sh
	scripts/gpu-bundle.sh

# A program of its own rather than go run, which does not pass on every signal.
bin/bench:
	go build -o bin/bench ./cmd/bench

bench_flags = $(if $(ROUNDS), -rounds '$(ROUNDS)')$(if $(THREADS), -threads '$(THREADS)')

.PHONY: help run build test check generate bench-compare check-rest lint race noasm isas arm64 check-generate check-ptx \
	check-deps check-golden check-bytes test-orders fuzz mutants test-cuda bench-record bench-peer bench-growth generate-ptx \
	gpu-bundle bin/bench
