# The commands of this repository. `make help` lists them; each sets up what it needs.

SHELL := /bin/sh
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,\
	$(if $(shell command -v $(name)),$(shell $(name) -c 'import sys; print(sys.executable if sys.version_info >= (3, 11) else "")' 2>/dev/null))))
VENV := .venv
BIN := $(VENV)/bin
REQUIREMENTS := requirements.txt requirements-stack.txt requirements-dev.txt requirements-openapi.txt
# Named after the requirement files' contents: another content, another set-up.
STAMP := $(VENV)/.installed-$(shell cat $(REQUIREMENTS) | cksum | tr ' ' '-')
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
PORT_BASE ?=
PORTS := $(if $(PORT_BASE),--port-base $(PORT_BASE))
# Extra arguments: make test ARGS="-k refund", make up ARGS="--state stripe.db".
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo up check-books test mutation sweep simulate lint format types imports check lock bench-emulator clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## virtual environment with the pinned packages, checked by hash

$(STAMP): $(REQUIREMENTS)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and not on the PATH; \
	name one: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@echo "setting up $(VENV) …" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements.txt -r requirements-stack.txt -r requirements-dev.txt
	@$(PIP) --no-deps -r requirements-openapi.txt
	@rm -f $(VENV)/.installed-*
	@touch $@

demo: setup ## the whole life of a marketplace, played against the local stack
	@$(BIN)/python -m emulator demo $(PORTS) $(ARGS)

up: setup ## the local stack in the foreground, until Ctrl-C (PORT_BASE=N moves its ports)
	@$(BIN)/python -m emulator up $(PORTS) $(ARGS)

check-books: setup ## judge the books of a stack that runs (PORT_BASE=N: where)
	@$(BIN)/python -m emulator books $(PORTS) $(ARGS)

# Each worker starts a stack of its own; the tests of one file stay together.
WORKERS ?= 2
test: setup ## every test (ARGS="-k word" for some)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

mutation: setup ## mutants of what counts money and moves statuses (ARGS="refunds" for some)
	@$(BIN)/python -m tests.mutation --workers $(WORKERS) $(ARGS)

sweep: setup ## every action through the loss of each of its calls, by every fault
	@SWEEP=full $(BIN)/python -m pytest tests/sweep --timeout 900 $(ARGS)

SEEDS ?= 1..10
simulate: setup ## seeded trouble over HTTP, healed and judged (SEEDS=1..20)
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(ARGS)

lint: setup ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: setup ## ruff: rewrite what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: setup ## mypy, strict
	@$(BIN)/mypy common functions emulator main.py

imports: setup ## who may import whom (import-linter)
	@$(BIN)/lint-imports

check: lint types imports ## lint, types and imports

lock: setup ## pin the requirement files anew from their .in files
	@sh .ci/lock $(BIN)

bench-emulator: setup ## requests a second of the Stripe emulator
	@$(BIN)/python -m emulator.stripe.bench $(ARGS)

clean: ## remove the virtual environment and every cache
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
