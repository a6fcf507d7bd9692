# SPDX-License-Identifier: MIT
#
# Every command of the house; `make help` lists them. Two are enough on a fresh machine: make demo, make test.

SWIFT ?= swift
PYTHON ?= python3
SOURCES := $(wildcard Sources Models Tests Tutorials Package.swift)
DEMO := demo
SERSIC := .build/release/sersic
DOCUMENTATION := .build/documentation
DOCUMENTED := SwiftSersic GalaxyFitting GalaxyModels Rendering Plotting Inference PPL Distributions \
  Tensors Numerics JSON FITS ASDF ReferenceModels

.DEFAULT_GOAL := help
.PHONY: help deps build demo test lint format docs bench bench-peers check clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## Install the system packages that are missing (Debian, Ubuntu, macOS with Homebrew).
	@SWIFT="$(SWIFT)" bash Scripts/install-dependencies.sh

build: deps ## Build everything in release mode; warnings are errors.
	$(SWIFT) build -c release

demo: deps ## Simulate a galaxy, fit it, and write table, pictures and files into demo/.
	$(SWIFT) build -c release --product sersic
	@mkdir -p $(DEMO)
	$(SERSIC) simulate --profile sersic \
	  --param xc=58.3 --param yc=51.6 --param flux=1500 --param r_eff=8 --param n=2.5 \
	  --param ellip=0.35 --param theta=0.6 --size 121x101 --psf moffat:fwhm=3,beta=3 \
	  --sky flat:0.1 --noise gaussian:0.05 --seed 1 --output $(DEMO)
	$(SERSIC) fit $(DEMO)/image.fits --rms $(DEMO)/rms.fits --psf $(DEMO)/psf.fits \
	  --profile sersic --sky flat --method laplace --output $(DEMO)/fit
	@printf '\n%s\n' 'Written:'
	@printf '  %-24s %s\n' \
	  '$(DEMO)/image.fits' 'the simulated galaxy, with rms.fits and psf.fits beside it' \
	  '$(DEMO)/truth.json' 'the parameters it was made with' \
	  '$(DEMO)/fit/' 'the fit:'
	@ls $(DEMO)/fit | sed 's/^/    /'
	@printf '%s\n' 'Try next:' \
	  '  $(SERSIC) fit --help' \
	  '  $(SERSIC) fit $(DEMO)/image.fits --rms $(DEMO)/rms.fits --psf $(DEMO)/psf.fits --profile exp' \
	  '  $(SERSIC) check YOUR.fits --rms RMS.fits --psf PSF.fits' \
	  '  $(SERSIC) fit YOUR.fits --rms RMS.fits --psf PSF.fits --output my-fit'

test: deps ## Build and run all tests, in release mode.
	$(SWIFT) build -c release --build-tests
	$(SWIFT) test -c release --skip-build --disable-xctest

lint: ## Check format and documentation comments; any finding is an error.
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

format: ## Format all Swift files in place.
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

docs: deps ## Build the documentation of all modules, with articles; it needs swift-docc-plugin, which is fetched.
	SERSIC_DOCS=1 $(SWIFT) package -c release --allow-writing-to-directory $(DOCUMENTATION) \
	  generate-documentation --enable-experimental-combined-documentation \
	  $(addprefix --target ,$(DOCUMENTED)) --output-path $(DOCUMENTATION)
	@printf '%s\n' 'Read it by a web server:' \
	  '  $(PYTHON) -m http.server --directory $(DOCUMENTATION)' \
	  'and in the browser its page /documentation/swiftsersic'

bench: deps ## Measure speed and memory; ARGS="--json" or ARGS="FILTER" narrows it.
	$(SWIFT) build -c release --product sersic
	$(SWIFT) run -c release Benchmarks $(ARGS)

bench-peers: deps ## Compare with NumPyro and pysersic where PYTHON finds them; ARGS="--rounds 1 --only counties".
	$(SWIFT) build -c release --product sersic
	$(SWIFT) build -c release --product Benchmarks
	$(PYTHON) Scripts/peers/bench_peers.py $(ARGS)

check: lint build test ## All that must pass before a commit.

clean: ## Remove what was built and the demo.
	$(SWIFT) package clean
	rm -rf $(DEMO)
