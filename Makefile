# make alone lists the targets. Tools are pinned here and run through the module proxy, so nothing
# has to be installed beyond Go and make. What needs more says so and is skipped without it.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
NFPM        := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
PYTHON      ?= /usr/bin/python3
FUZZTIME    ?= 10s
ARGS        ?=
TESTFLAGS   ?=

.DEFAULT_GOAL := help

# Times in the list are of two cores with nothing else to do.
help:
	@awk -F ':.*## ' '/^##@ / { printf "\n%s\n", substr($$0, 5) } /^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

##@ Every day
run: build ## the whole job on the built-in images: train, search, retrain, export (ARGS=...); 1.5 min
	bin/oneshot run --preset tiny $(ARGS)

build: ## bin/oneshot; half a minute, later seconds
	go build -trimpath -o bin/oneshot ./cmd/oneshot

# The package that takes longest goes first, beside the others instead of after them.
test: ## every test (TESTFLAGS=...); 5 min
	go test -timeout 20m $(TESTFLAGS) ./supernet ./...

packages: ## dist/: .deb and .rpm for amd64 and arm64; 2 min
	scripts/packages.sh dist $(NFPM) amd64 arm64

check: test check-rest ## everything that must pass before a commit is published: test and all of the next group; half an hour

generate: ## write the generated Go and assembly again; seconds
	go generate ./...

bench-compare: bin/bench ## is it slower or larger than the commit of bench/record.json? (BASE=commit ROUNDS=5); 3 min
	bin/bench compare$(if $(BASE), -base '$(BASE)')$(bench_flags)

##@ Parts of check
check-rest: lint race noasm isas arm64 check-generate check-ptx check-deps check-golden check-bytes test-orders ## check without test

lint: ## gofmt -s, go vet, staticcheck, shell syntax; 1 min
	@out=$$(gofmt -s -l .); [ -z "$$out" ] || { echo "not gofmt -s clean:"; echo "$$out"; exit 1; }
	go vet ./...
	go vet -tags man ./cmd/oneshot
	go run $(STATICCHECK) ./...
	@for f in scripts/*.sh bench/*.sh .ci/run; do bash -n $$f || exit 1; done

# Sweeps of faults run the same code very often, which tells this detector nothing more.
race: ## short tests under the race detector, skipped without a C compiler; many minutes
	@if command -v "$$(go env CC)" >/dev/null; then set -x; \
		go test -race -short -skip '^TestFault[A-Z]' -timeout 20m ./...; \
	else echo "race: skipped, the race detector needs a C compiler and there is no $$(go env CC)"; fi

# The emulated GPU computes the same whatever the processor has, so these two leave it to test and race.
noasm: ## the kernels' plain Go path; some minutes
	go vet -tags noasm ./...
	go test -short -skip CUDA -tags noasm ./data/pixels ./ops/... ./supernet/...

isas: ## operations, executor and whole network on AVX2; other processors run plain Go again; some minutes
	ONESHOT_ISA=avx2 go test -count=1 -short -skip CUDA ./ops/... ./supernet/...

arm64: ## a processor without assembly of ours: build and vet; 1 min
	GOARCH=arm64 go build ./...
	GOARCH=arm64 go vet ./...

check-generate: ## the generated files are what their generators write; seconds
	scripts/check-generate.sh

check-ptx: ## NVRTC 11.8 compiles the GPU's kernels, skipped where there is none; 1 min
	cd ops/cuda && go run ./genptx -check

check-deps: ## who imports whom, and that this check can fail; seconds
	scripts/check-deps.sh
	scripts/check-deps.sh --selftest

check-golden: ## recompute the golden files in PyTorch, skipped where there is none; 1 min
	@if $(PYTHON) -c 'import torch' 2>/dev/null; then set -ex; \
		$(PYTHON) supernet/testdata/parity.py verify; \
		$(PYTHON) supernet/testdata/parity.py selftest; \
		$(PYTHON) supernet/testdata/soft.py verify; \
		$(PYTHON) supernet/testdata/sandwich.py verify; \
		$(PYTHON) supernet/testdata/published.py; \
		$(PYTHON) ops/testdata/ops_golden.py verify; \
		$(PYTHON) ops/testdata/optim_golden.py verify; \
		if $(PYTHON) -c 'import torchvision, PIL' 2>/dev/null; then \
			for f in $(image_goldens); do $(PYTHON) $$f verify; done; \
		else echo "check-golden: images skipped, $(PYTHON) has no torchvision (Debian: python3-torchvision)"; fi; \
	else echo "check-golden: skipped, $(PYTHON) has no torch (Debian: python3-torch)"; fi

# What torchvision, Pillow, scipy and NumPy write, beside the scripts that make them write it.
image_goldens := data/testdata/mix_golden.py data/pixels/testdata/augment_golden.py data/pixels/testdata/lanet_golden.py data/pixels/testdata/resize_golden.py internal/rank/testdata/golden.py

check-bytes: ## whole runs compute the bytes they did before, with every instruction set; half a minute
	scripts/check-bytes.sh

test-orders: ## GPU code on the emulator in other orders of threads, with work done as late as it may be; some minutes
	for o in reverse shuffle; do EMU_ORDER=$$o FAKE_CUDA_LAZY=1 go test -count=1 -short -run CUDA ./ops ./supernet || exit 1; done

##@ Beyond check, also run by .ci/run
fuzz: ## every fuzz target (62) for FUZZTIME (10s) each
	scripts/fuzz.sh $(FUZZTIME)

test-export: ## exported networks in onnxruntime (through npm), ONNX's checker and PyTorch; 1 min
	scripts/test-export.sh

test-packages: ## the packages have the same bytes when built again, and what is in them does a whole job; 1 min
	scripts/test-packages.sh $(NFPM)

test-browser: ## examples/browser.html runs an exported network in headless Chromium, skipped without one (or without npm); 1 min
	scripts/test-browser.sh

test-pages: ## report and live page in headless Chromium, skipped without one; pictures of them in bin/pages (ARGS=...); 3 min
	scripts/test-pages.sh bin/pages $(ARGS)

test-faults: ## kills, full disks, damage and the like, each counted: a table with the broken twins that were caught; many minutes
	scripts/faults.sh

mutants: ## every planted error in the assembly is caught; many minutes
	scripts/mutants.sh

test-cuda: ## GPU code: a whole run, faults at every call, undefined behaviour, gorgonia.org/cu, planted errors; many minutes
	ONESHOT_SCRIPTS=all go test -count=1 -run TestScript/cuda ./cmd/oneshot
	ONESHOT_FAULTS=all go test -count=1 -timeout 20m -run CUDALoses ./supernet
	ONESHOT_CUDA_TEST=sanitize go test -count=1 -run CUDA ./ops
	scripts/gorgonia-cu.sh
	scripts/mutants-cuda.sh

##@ Now and then
bench-record: bin/bench ## measure this commit and write bench/record.json; 1.5 min
	bin/bench record$(bench_flags)

bench-peer: build ## against PyTorch, in turn on this machine (ROUNDS=3 JOBS="step eval ops retrain"); many minutes
	bench/compare.sh

bench-recipe: build ## a step with a whole recipe and the ImageNet form against PyTorch, in turn (ROUNDS=3 JOBS="recipe imagenet-step imagenet-eval"); many minutes
	bench/recipe.sh

bench-data: ## images/s against torchvision, in turn on one core (ROUNDS=3 JOBS="photo shards cifar autoaugment"); some minutes
	bench/data.sh

bench-export: build ## exported networks against onnxruntime-node, in turn (ROUNDS=9); some minutes
	bench/export.sh

bench-growth: build ## step time against batch, channels, layers and image size; some minutes
	bench/growth.sh

generate-ptx: ## compile the GPU's kernels (needs NVRTC 11.8: Debian's libnvrtc11.2, component non-free); half a minute
	cd ops/cuda && go run ./genptx

gpu-bundle: ## bin/gpu-bundle.tar.gz: what a machine with a GPU and no Go needs for gpu-check.sh; 1 min
	scripts/gpu-bundle.sh

# A program of its own rather than go run, which does not pass on every signal.
bin/bench:
	go build -o bin/bench ./cmd/bench

bench_flags = $(if $(ROUNDS), -rounds '$(ROUNDS)')$(if $(THREADS), -threads '$(THREADS)')

.PHONY: help run build test packages check generate bench-compare check-rest lint race noasm isas arm64 check-generate check-ptx \
	check-deps check-golden check-bytes test-orders fuzz test-export test-packages test-browser test-pages test-faults mutants test-cuda bench-record bench-peer bench-recipe bench-data bench-export bench-growth \
	generate-ptx gpu-bundle bin/bench
