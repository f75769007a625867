# Everything lives in .venv, made here with plain `python3 -m venv`; `make` alone lists what there is.
# Another interpreter: make clean test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Stamps: what `delegant` needs to run, that plus the tools to develop it, and what the bench
# measures beside it. A stamp is renewed when the pins or pyproject.toml change. Where the tools
# are installed, the demo uses them.
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
FUZZ := $(VENV)/.fuzz
BENCH := $(VENV)/.bench
MUTATE := $(VENV)/.mutate
DEMO := $(if $(wildcard $(DEV)),$(DEV),$(RUN))

# What a shell may carry that would send the installation elsewhere or bend its versions. Where
# packages come from (index, certificate, proxy) stays the user's choice: the hashes decide.
unexport PYTHONHOME PYTHONPATH PIP_CONSTRAINT PIP_DRY_RUN PIP_PREFIX PIP_ROOT PIP_TARGET
export PIP_USER := 0

.NOTPARALLEL: # two installations must not share one .venv
.DEFAULT_GOAL := help
.PHONY: help setup demo test pythons faults lint types imports check limbo bench bench-ans bench-runtime fuzz mutate clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV) ## make .venv with everything below

demo: $(DEMO) ## one story, from a person's first key to a refused request
	@$(BIN)/delegant demo

test: $(DEV) ## run the tests
	@$(BIN)/python -m pytest -n auto

pythons: $(DEV) ## ask other Pythons too (on PATH, or DELEGANT_PYTHONS=path:path)
	@$(BIN)/python -m pytest -n 0 -m pythons -rsx tests/test_pythons.py

# Of each kind of fault; docs/faults.md says what is injected.
DELEGANT_FAULT_ROUNDS ?= 200
export DELEGANT_FAULT_ROUNDS

faults: $(DEV) ## kill, starve, damage and flood a registry and a ledger, for as long as it takes
	@$(BIN)/python -m pytest -n 0 -m faults -rsx tests/faults tests/governance

lint: $(DEV) ## ruff: rules and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEV) ## mypy (strict) and pyright
	@$(BIN)/mypy
	@$(BIN)/pyright

imports: $(DEV) ## import-linter: imports between the rooms point one way
	@$(BIN)/lint-imports

check: lint types imports ## lint, types, imports

limbo: $(DEV) ## hostile chains and answers as data: rebuilt, compared, put to the verifier
	@cd tests && $(CURDIR)/$(BIN)/python -m limbo.build --check
	@cd tests && $(CURDIR)/$(BIN)/python -m limbo.ansbuild --check
	@cd tests && $(CURDIR)/$(BIN)/python -m limbo.report
	@$(BIN)/delegant limbo run --cases tests/limbo/ans

bench: $(BENCH) ## measure: the ratios we promise, and others beside us
	@$(BIN)/python -m benchmarks.run

bench-ans: $(BENCH) ## measure the naming service beside nginx (wanted: nginx, wrk, unbound)
	@$(BIN)/python -m benchmarks.ans

bench-runtime: $(BENCH) ## measure acting on record: append, permit, trace (a log of 1,000,000 records, 3 GB)
	@$(BIN)/python -m benchmarks.runtime

# Seconds for each target; targets by name, all by default; a seed, 0 for another one each time.
FUZZ_SECONDS ?= 30
FUZZ_TARGETS ?=
FUZZ_SEED ?= 0

fuzz: $(FUZZ) ## fuzz all that reads bytes: make fuzz FUZZ_SECONDS=600
	@PYTHONPATH=tests $(BIN)/python -m fuzz $(FUZZ_TARGETS) --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)

# Files of the core without .py; all that a verifier relies on by default (docs/mutation.md).
FILES ?=

mutate: $(MUTATE) ## change the core in thousands of ways: make mutate FILES='keys jose'
	@PYTHONPATH=tests $(BIN)/python -m mutation $(FILES)

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

$(FUZZ): requirements/fuzz.txt $(DEV)
	@$(PIP) --require-hashes -r requirements/fuzz.txt
	@touch $@

$(MUTATE): requirements/mutate.txt $(DEV)
	@$(PIP) --require-hashes -r requirements/mutate.txt
	@touch $@

# Without them the bench still runs, so a peer that cannot be had is no error.
$(BENCH): requirements/bench.txt $(DEV)
	@echo "Installing what is measured beside delegant ..."
	@$(PIP) --require-hashes -r requirements/bench.txt && touch $@ \
	  || echo "make: the peers cannot be installed here; measuring without them" >&2

$(BIN)/pip:
	@$(PYTHON) -c '' 2>/dev/null || { \
	  echo "make: $(PYTHON) does not run here. Install Python 3.11 or newer: sudo apt install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $$($(PYTHON) --version) is too old. Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: $(PYTHON) cannot make virtual environments. Install them: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear $(VENV)
