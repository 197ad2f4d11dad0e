# fundtrail: the verbs. `make` alone lists them.
#
#   make demo     set everything up and run the demo
#   make test     set everything up and check everything: style, types, imports, tests, doctests (what CI runs)
#   make check    the same without the slow tests, while you work
#   make components  fetch the real servers that tests start: an EVM node, a Bitcoin-like node, Neo4j
#   make lint     style, types and imports only
#   make bench    run the benchmarks and print their ratios
#   make docs     write docs/cli.md anew from the commands
#   make lock     resolve requirements/*.txt anew from pyproject.toml
#   make clean    remove what these made

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOCKER := uv==0.13.9

# Those that exist: a benchmark folder without a file is an error to mypy.
BENCHMARKS := $(wildcard benchmarks/*.py)
CODE := tracer connectors graphs cases cli tests $(if $(BENCHMARKS),benchmarks)
PYTEST := $(BIN)/python -m pytest

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled files are kept even where the environment forbids it: else each worker and each program that a test starts
# compiles everything anew. `make clean` removes them.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check components lint bench docs lock clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.installed
	$(BIN)/fundtrail demo

test: lint
	$(PYTEST) -n 2 --dist loadgroup

check: lint
	$(PYTEST) -n 2 --dist loadgroup -m "not slow" --hypothesis-profile=quick -o tmp_path_retention_count=1

components:
	.ci/components

lint: $(VENV)/.ready
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.ready
	@set -e; for file in $(sort $(wildcard benchmarks/bench_*.py)); do echo "== $$file"; $(BIN)/python $$file; done

docs: $(VENV)/.ready
	FUNDTRAIL_WRITE_DOCS=1 $(PYTEST) -q tests/project/test_cli_reference.py tests/project/test_support_matrix.py

# Old pip (23, as Python 3.11 brings it) is enough, and after the locked tools are there nothing else is downloaded:
# the project itself is built by the locked setuptools. `.installed` is what a user needs, `.ready` what we need too.
INSTALL := $(BIN)/python -m pip install --quiet
OURSELVES := $(INSTALL) --no-deps --no-build-isolation -e .

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "fundtrail needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>/dev/null || echo missing)."; \
	  echo "Name another one: make PYTHON=python3.12 test"; exit 1; } >&2
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(OURSELVES)
	@touch $@

$(VENV)/.ready: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements/dev.txt
	$(OURSELVES)
	@touch $(VENV)/.installed $@

# A folder of local wheels named in the environment must not leave its hashes in the lock. Fewest forks: one version of
# each library on every Python, so that all of us run the same thing. `make lock UPGRADE=--upgrade` moves to the newest.
RESOLVE := env -u PIP_FIND_LINKS -u UV_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet $(LOCKER)
	$(RESOLVE) $(UPGRADE) pyproject.toml --output-file requirements/runtime.txt
	$(RESOLVE) $(UPGRADE) pyproject.toml --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt
	echo "setuptools>=80,<85" | $(RESOLVE) - --constraint requirements/dev.txt --output-file requirements/build.txt

clean:
	rm -rf $(VENV) build dist *.egg-info demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find $(wildcard tracer connectors graphs cases cli tests benchmarks) -name __pycache__ -type d -prune -exec rm -rf {} +
