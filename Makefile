# Everything lives in .venv, made here with plain `python3 -m venv`; `make` alone lists what there is.
# Another interpreter: make clean test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Two stamps: what `delegant` needs to run, and that plus the tools to develop it. A stamp is
# renewed when the pins or pyproject.toml change. Where the tools are installed, the demo uses them.
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
DEMO := $(if $(wildcard $(DEV)),$(DEV),$(RUN))

# What a shell may carry that would send the installation elsewhere or bend its versions. Where
# packages come from (index, certificate, proxy) stays the user's choice: the hashes decide.
unexport PYTHONHOME PYTHONPATH PIP_CONSTRAINT PIP_DRY_RUN PIP_PREFIX PIP_ROOT PIP_TARGET
export PIP_USER := 0

.NOTPARALLEL: # two installations must not share one .venv
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types imports check limbo bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV) ## make .venv with everything below

demo: $(DEMO) ## one story, from a person's first key to a refused request
	@$(BIN)/delegant demo

test: $(DEV) ## run the tests
	@$(BIN)/python -m pytest -n auto

lint: $(DEV) ## ruff: rules and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEV) ## mypy (strict) and pyright
	@$(BIN)/mypy
	@$(BIN)/pyright

imports: $(DEV) ## import-linter: imports between the rooms point one way
	@$(BIN)/lint-imports

check: lint types imports ## lint, types, imports

limbo: $(DEV) ## hostile chains as data: rebuilt, compared, put to the verifier
	@cd tests && $(CURDIR)/$(BIN)/python -m limbo.build --check
	@cd tests && $(CURDIR)/$(BIN)/python -m limbo.report

bench: $(DEV) ## measure: the ratios we promise
	@$(BIN)/python benchmarks/run.py

clean: ## remove .venv, builds and caches
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov
	find . '(' -name __pycache__ -o -name .ruff_cache ')' -type d -prune -exec rm -rf {} +

$(RUN): requirements/build.txt requirements/server.txt pyproject.toml | $(BIN)/pip
	@echo "Installing what delegant needs into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/server.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml | $(BIN)/pip
	@echo "Installing delegant and its tools into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c '' 2>/dev/null || { \
	  echo "make: $(PYTHON) does not run here. Install Python 3.11 or newer: sudo apt install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $$($(PYTHON) --version) is too old. Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: $(PYTHON) cannot make virtual environments. Install them: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear $(VENV)
