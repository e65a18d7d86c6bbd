# One command for each thing. `make help` reads the comments behind the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help build run test smoke wire fuzz check nightly bench images format clean

CONFIGURATION := Release
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
export DOTNET_SKIP_FIRST_TIME_EXPERIENCE := 1

FILTER ?=
FILES ?=
ARGS ?=
SEED ?= 1
INPUTS ?= 100000

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## compiles everything and leaves bin/aerie-node and bin/aerie
	@build/install-deps.sh build
	@build/build.sh $(CONFIGURATION)

run: build ## starts a node on port 3000 with the built-in configuration; ARGS="--config-file F" for your own
	@exec bin/aerie-node $(ARGS)

test: ## the default test set; FILTER=Name runs the test classes, methods or folders of that name alone
	@build/install-deps.sh test
	@build/build.sh $(CONFIGURATION)
	@build/test.sh test "$(FILTER)"

smoke: build ## the official client does one of everything against a fresh node
	@build/install-deps.sh test
	@build/test.sh smoke

wire: build ## the official client's own test files against a fresh node; FILES=put,get chooses
	@build/install-deps.sh test
	@build/test.sh wire "$(FILES)"

fuzz: build ## mutated input for the parsers: TARGET=all|config|…, INPUTS=100000, SEED=1
	@artifacts/bin/Aerie.Fuzz/release/Aerie.Fuzz $(or $(TARGET),all) --inputs $(INPUTS) --seed $(SEED)

check: ## everything a change must pass before it is merged: the default set, all wire tests, longer fuzzing, formatting
	@build/install-deps.sh test
	@build/build.sh $(CONFIGURATION)
	@build/test.sh check

nightly: ## what takes long: everything of check, ten or twenty million fuzz inputs per parser, a million sequences per model, 600 kills
	@build/install-deps.sh test
	@build/build.sh $(CONFIGURATION)
	@build/test.sh nightly

bench: build ## measures the node against a minimal C server, and computing against plain requests; writes artifacts/bench.json
	@build/install-deps.sh bench
	@build/bench.sh $(ARGS)

images: build ## builds the container image aerie-node from this machine's files with buildah
	@build/install-deps.sh images
	@build/images.sh

format: ## rewrites the sources as .editorconfig wants them
	@dotnet format Aerie.slnx

clean: ## removes everything that was built
	@rm -rf artifacts bin tests/Wire.Tests/node_modules
