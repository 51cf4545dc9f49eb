# What can be done here; `make` lists it. Each target sets up what it needs.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo demo-down test lint chart crds build bench cel-record cel-differential cel-fuzz

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## show what Portreeve does, on a cluster of its own, which is left running (DEMO=once: stopped)
	@demo/run up $(DEMO)

demo-down: ## stop what `make demo` left running
	@demo/run down

test: ## all tests, those against a real API server included
	@tests/requirements
	@[[ $${PORTREEVE_TEST_CLUSTER:-} == current ]] || { tests/cluster/build && tests/cluster/build cert-manager; } >/dev/null
	cargo test

lint: ## formatting, and clippy without a warning
	cargo fmt --check
	cargo clippy --all-targets -- --deny warnings

chart: ## check the Helm chart
	charts/check

crds: ## write the definitions of the kinds into the chart
	cargo run --quiet -- crds --output charts/portreeve/crds

SECONDS_OF_FUZZING ?= 60
cel-fuzz: ## give the compiler of expressions any text, for SECONDS_OF_FUZZING; needs nightly Rust and C++
	fuzz/run cel "$(SECONDS_OF_FUZZING)"

cel-record: ## ask a real API server the cases of tests/cel anew (of CEL_THEME), and record its answers
	@tests/requirements
	@tests/cluster/build >/dev/null
	cargo test --test cel-record

cel-differential: ## ask a real API server and Portreeve CEL_PAIRS (100000) random expressions, of CEL_SEED
	@tests/requirements
	@tests/cluster/build >/dev/null
	cargo test --test cel-differential

build: ## the release build: target/release/portreeve
	cargo build --release

bench: ## measure the webhook beside a no-op server, and rules beside the cel crate: tables, and target/bench/results.json
	@rm -f target/bench/results.json
	cargo bench --bench '*'
