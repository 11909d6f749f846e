# The verbs of the house. Each sets up what it needs; nothing has to be installed by hand
# beyond Debian, Python 3.11 and make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test test-full check bench lock build clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.venv/.base: requirements/base.lock pyproject.toml
	scripts/setup python
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/.test: .venv/.base requirements/test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/test.lock
	touch $@

lock: .venv/.base ## write the lock files anew
	$(BIN)/python -m pip install --quiet pip-tools
	scripts/lock

clean: ## remove everything that make put here
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
