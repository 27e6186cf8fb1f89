# brainarch: `make` sets everything up and runs the embedded default; `make test` sets up and tests.
SHELL := /bin/bash
.DEFAULT_GOAL := all

PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.ready
CORES ?= all
# TORCH=cpu or TORCH=cuda chooses PyTorch's build; without it envs/torch_build.sh does
TORCH ?=
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONNOUSERSITE := 1
# A run starts a hundred processes; without stored bytecode each compiles all libraries again.
unexport PYTHONDONTWRITEBYTECODE

TORCH_PIN := $(shell grep '^torch==' requirements.lock)

.PHONY: all full setup test test-slow test-faults test-cluster test-gpu test-browser test-s3 page check format bench bench-train bench-factors bench-volume clean help

all: setup  ## set up, run the embedded default, say where the report is
	snakemake --cores $(CORES)

full: setup  ## the embedded volume with everything that the default leaves out for time: an hour or more
	snakemake --cores $(CORES) --configfile config/full.yaml

setup: $(STAMP)  ## create .venv with the locked versions

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] < (3, 14) else f"brainarch needs Python 3.11 to 3.13, but {sys.executable} is {v[0]}.{v[1]}; say make PYTHON=python3.11")'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade "pip>=25"
	options="$$(sh envs/torch_build.sh "$(TORCH)" $(VENV)/bin/python)" && \
	{ [ -z "$$options" ] || $(VENV)/bin/python -m pip install --quiet $$options "$(TORCH_PIN)"; }
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

test: setup check  ## set up, then checks, fast tests and the chain on a tiny phantom
	pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-slow: setup  ## tests that take minutes; some need BRAINARCH_REAL_DATA
	pytest -m "slow and not gpu and not faults"

test-faults: setup  ## kills, changed bytes, full disks, too little memory; runs compared: half an hour, and a table
	pytest -m faults tests/faults $(FAULTS)

# Debian's packages are installed where there are none and root asks; elsewhere, and where the machine
# has a SLURM of its own, the tests say why they are skipped.
test-cluster: setup  ## the workflow through a real SLURM on this machine, killed on the way: half an hour
	pip install --quiet --constraint requirements.lock --no-build-isolation --editable ".[cluster,slurm]" "snakemake-executor-plugin-cluster-generic>=1.0.9"
	command -v slurmctld >/dev/null || { test $$(id -u) = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge; } || true
	pytest -m cluster -rs -p no:xdist tests/cluster $(CLUSTER)

test-gpu: setup  ## tests that need a GPU
	pytest -m gpu

test-browser: setup  ## the page to explore slices in, in the system's Chromium
	pip install --quiet --constraint requirements.lock "playwright>=1.50"
	pytest -m browser -rs tests/explorer

test-s3: setup  ## volumes and results in a bucket: a server that speaks S3 on this machine, with faults
	pip install --quiet --constraint requirements.lock --no-build-isolation --editable ".[s3,s3-test]"
	pytest -m "slow or not slow" -rs tests/remote

PAGE := src/brainarch/explorer/page
page: $(PAGE)/node_modules/.package-lock.json  ## check and build that page's script; needs npm
	cd $(PAGE) && npm run --silent check && npm run --silent build

$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package.json
	cd $(PAGE) && npm install --no-package-lock --no-audit --no-fund
	touch $@

check: setup  ## ruff, mypy strict, snakefmt, snakemake --lint, documents in step
	ruff check
	ruff format --check
	mypy
	snakefmt --check Snakefile workflow
	snakemake --lint
	brainarch config-docs --check
	codespell

format: setup  ## put code and generated documents in order
	ruff check --fix
	ruff format
	snakefmt Snakefile workflow
	brainarch config-docs

bench: setup  ## dense extraction against the patch loop and MONAI, on this machine
	pip install --quiet --no-build-isolation --constraint requirements.lock --editable ".[bench]"
	python bench/dense.py $(BENCH)

bench-train: setup  ## training on crops against the patch loop, on this machine
	python bench/train.py $(BENCH)

bench-factors: setup  ## factorisation against scikit-learn, on this machine
	python bench/factors.py $(BENCH)

# The other tools need versions that contradict brainarch's and each other's.
bench-volume: setup .venv-bench/stack-to-chunk/.ready .venv-bench/ome-zarr/.ready  ## conversion against copy, stack-to-chunk, ome-zarr
	python bench/volume.py $(BENCH)

.venv-bench/%/.ready: pyproject.toml
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(@D)/bin/python -m pip install --quiet --group bench-$*
	touch $@

clean:  ## remove results and caches, keep .venv
	rm -rf results/*/ .snakemake .mypy_cache .ruff_cache .pytest_cache

help:  ## this page
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 14
	@echo
	@echo "Targets of snakemake (in an environment where brainarch is installed, or .venv/bin on PATH):"
	@echo "  snakemake --cores all                  everything"
	@echo "  snakemake --cores all variability      paper V: evaluation, classifiers, Gram, cortex"
	@echo "  snakemake --cores all microarchitecture  paper M: factors and components"
	@echo "  snakemake --cores all figures          every figure; one alone: V1 ... V7, M1 ... M4"
	@echo "  snakemake --cores all report           the summary page and the numbers"
	@echo "  add --configfile config/NAME.yaml for another volume; see config/README.md"
