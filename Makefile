# The two commands to know: make demo, make test. Both need only python3 (3.11 or newer) and make;
# what else they need is installed into .venv on first use.

PYTHON ?= python3
WORKERS ?= 2
PART ?= core

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NATIVE := $(VENV)/.native
PEERS := .venv-peers
GPU_ENVS ?= .
GPU_NVRTC := $(GPU_ENVS)/.venv-gpu-nvrtc
GPU_ROCM := $(GPU_ENVS)/.venv-gpu-rocm
RUNGS ?= 1 2 3 4 4b 5
FAMILY ?=
PACKAGES := core datasets vision text audio
PROJECTS := pyproject.toml $(PACKAGES:%=%/pyproject.toml)
KERNELS := core/CMakeLists.txt $(shell find core/native -type f)
EDITABLE := $(PACKAGES:%=-e ./%)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench bench-peers docs coverage gpu-envs gpu-test clean

help: ## list these commands
	@echo "make COMMAND, with PYTHON=... to choose the interpreter (now: $(PYTHON))"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(NATIVE) ## run all three packages on real files and write a report
	@$(BIN)/python examples/demo.py

test: $(NATIVE) ## run every test; prints what was skipped and why
	@$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadfile

lint: $(READY) ## check style, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(NATIVE) ## measure speed beside the libraries a user would pick instead
	@$(BIN)/python benchmarks/run.py

bench-peers: $(PEERS)/.ready ## the same beside PyTorch, ONNX Runtime, librosa ... (7 GB in an environment of their own)
	@$(PEERS)/bin/python benchmarks/run.py networks tensors images sound sequences short_numbers \
	    --csv build/benchmarks.csv --plot build/benchmarks.png

docs: $(NATIVE) ## write the reference of all public names to build/reference/index.html
	@$(BIN)/python tools/write_api_reference.py

coverage: $(NATIVE) ## run the tests of one package, PART=core, and print which part of its lines they run
	@$(BIN)/python -m pytest tests/$(PART) tests/conformance -q -n $(WORKERS) --dist loadfile \
	    --cov=$(if $(filter core,$(PART)),triptych,triptych_$(PART)) --cov-report=term:skip-covered

gpu-test: $(NATIVE) gpu-envs ## check the GPU backend without a GPU, see docs/gpu.md; RUNGS="3 4" FAMILY=softmax for a part
	@$(BIN)/python tools/gpu/ladder.py --rungs $(RUNGS) --family "$(FAMILY)" --envs $(GPU_ENVS)

gpu-envs: $(GPU_NVRTC)/.ready $(GPU_ROCM)/.ready ## make the two environments for it (2 GB, once); GPU_ENVS=... says where

clean: ## remove .venv and everything that the tools leave behind
	rm -rf $(VENV) $(PEERS) .venv-gpu-nvrtc .venv-gpu-rocm build core/src/triptych/*.so .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage demo-report.html
	find $(PACKAGES) tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +

# Made again whenever a pyproject.toml changes, as that may ask for other packages.
$(READY): $(PROJECTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "Triptych needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)."; \
	    echo "Name another one, for example: make $(or $(MAKECMDGOALS),test) PYTHON=python3.12"; \
	    exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	    echo "$(PYTHON) lacks venv or ensurepip, which make .venv."; \
	    echo "On Debian and Ubuntu: apt install python3-venv; elsewhere reinstall Python."; \
	    exit 1; }
	@echo "Setting up $(VENV): the five packages and the tools (a minute or two, once) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install $(EDITABLE) --group dev
	@touch $@ $(NATIVE)

# Peers to measure against. torchaudio 2.9 is the last that goes with a torchvision of the same age.
$(PEERS)/.ready: $(PROJECTS) $(KERNELS)
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip --quiet install --upgrade 'pip>=25.1'
	@$(PEERS)/bin/python -m pip --quiet install torch==2.9.1 torchvision==0.24.1
	@$(PEERS)/bin/python -m pip --quiet install torch==2.9.1 'torchaudio==2.9.*'
	@$(PEERS)/bin/python -m pip --quiet install $(EDITABLE) --group peers
	@mkdir -p build && touch $@

# CuPy for NVIDIA's GPUs with the run-time compiler, and CuPy for AMD's, whose runtime we emulate:
# they cannot share an environment.
$(GPU_NVRTC)/.ready $(GPU_ROCM)/.ready: $(PROJECTS)
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip --quiet install --upgrade 'pip>=25.1'
	@$(@D)/bin/python -m pip --quiet install --group $(patsubst .venv-%,%,$(notdir $(@D)))
	@touch $@

# The extension is built again whenever a kernel changes; without a compiler core stays pure. Setting
# up has just built it when its mark is newer than every kernel.
$(NATIVE): $(READY) $(KERNELS)
	@test -e $@ -a -z "$$(find core/CMakeLists.txt core/native -newer $@)" || { \
	    echo "Building the native kernels ..."; \
	    $(PIP) install --no-deps -e ./core; }
	@touch $@
