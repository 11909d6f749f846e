# The verbs of the house. Each one sets up what it needs, on Debian with Python 3.11 and make;
# what is already there is left alone and not talked about.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CONFORMANCE := tests/conformance
HOUSE_TESTS := tests/test_architecture.py tests/test_docs.py tests/test_must_do.py tests/test_requirements.py tests/packaging/test_build.py

export PYTHON

.PHONY: help demo test test-full check bench lock build clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: .venv/.test ## an MCP server, mcpr before it, a client that calls; Ctrl-C ends it
	@$(BIN)/python scripts/demo.py

test: .venv/.test .venv/.bench .venv/.system $(CONFORMANCE)/node_modules/.make ## every test, small size
	@$(BIN)/pytest --timeout=300

test-full: .venv/.test .venv/.bench .venv/.system $(CONFORMANCE)/node_modules/.make ## the same tests, full size, with a report
	@$(BIN)/python scripts/full_report.py

check: .venv/.test ## format, lint, types, architecture, docs
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pytest --quiet --no-header --durations=0 $(HOUSE_TESTS)

bench: .venv/.test .venv/.bench ## compares mcpr with nginx; writes a report
	@$(BIN)/python -m benches.run

lock: ## writes the Python lock files anew
	@scripts/lock

build: .venv/.base ## wheel and sdist into dist/
	@rm -rf dist
	@$(BIN)/python -m hatchling build

clean: ## removes everything that make put here
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .scratch
	@rm -rf benches/.build benches/.rust $(CONFORMANCE)/node_modules $(CONFORMANCE)/apps/node_modules $(CONFORMANCE)/.venv
	@find . -name __pycache__ -prune -exec rm -rf {} +

# Set-up, once for each state of its inputs. A stamp inside .venv goes when .venv goes.

.venv/.base: requirements/base.lock requirements/build.lock pyproject.toml
	@echo "setting up .venv"
	@scripts/venv
	@$(PIP) --require-hashes -r requirements/base.lock
	@$(PIP) --require-hashes -r requirements/build.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.test: .venv/.base requirements/test.lock
	@echo "setting up what the tests need"
	@$(PIP) --require-hashes -r requirements/test.lock
	@touch $@

.venv/.bench: .venv/.base
	@scripts/setup bench
	@touch $@

.venv/.system: .venv/.base
	@scripts/setup system browser
	@touch $@

$(CONFORMANCE)/node_modules/.make: $(CONFORMANCE)/package.json $(CONFORMANCE)/package-lock.json $(CONFORMANCE)/.npmrc $(CONFORMANCE)/apps/package-lock.json requirements/fastmcp.lock .venv/.test
	@echo "setting up the conformance suite"
	@scripts/setup node
	@$(BIN)/python -m tests.conformance.install
	@touch $@
