# Waybill. `make` alone lists the targets. Needs Python >= 3.11 and make; the rest is installed
# from hashed locks into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
WORKERS ?= 3
PIP_QUIET := PIP_DISABLE_PIP_VERSION_CHECK=1
RUN := $(VENV)/.ready-to-run
DEV := $(VENV)/.ready-to-test
LOCKS := requirements-build requirements requirements-embedded requirements-dev
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate $(if $(UPGRADE),--upgrade)

.PHONY: help
help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- install -------------------------------------------------------------------------------------

.PHONY: install install-dev
install: $(RUN) ## Install what `up` and `demo` need into .venv (nothing to do: at once)
install-dev: $(DEV) ## Install what `test`, `check` and `bench` need besides

$(BIN)/uv: requirements-build.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Waybill needs Python 3.11 or newer; name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "==> Making $(VENV) with $$($(PYTHON) --version)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP_QUIET) $(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@

$(RUN): requirements-embedded.lock pyproject.toml | $(BIN)/uv
	@echo "==> Installing what runs Waybill on this machine ($<, with hashes)"
	@$(call install_locked,$<)
	@touch $@

$(DEV): requirements-dev.lock pyproject.toml | $(BIN)/uv
	@echo "==> Installing what runs and tests Waybill ($<, with hashes)"
	@$(call install_locked,$<)
	@touch $(RUN) $@

define install_locked
$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1); \
$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
endef

# --- run -----------------------------------------------------------------------------------------

.PHONY: up demo audit
up: $(RUN) ## Start everything on this machine, with a seeded shop and sample orders, until Ctrl-C
	@$(BIN)/waybill up

demo: $(RUN) ## Take sample orders (and FILES="a.json b.json") to their end, audit, exit 0 or 1
	@$(BIN)/waybill demo $(FILES)

audit: $(RUN) ## Check the promises of INVARIANTS on the installation in .data
	@$(BIN)/waybill audit

# --- prove ---------------------------------------------------------------------------------------

.PHONY: test lint check bench chaos fuzz simulate record-histories
test: $(DEV) ## Install and run every test (histories replayed, architecture checked)
	@echo "==> Tests, $(WORKERS) at a time"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not serial" $(ARGS)
	@echo "==> Tests that need the machine to themselves"
	@$(BIN)/python -m pytest -m serial $(ARGS) || [ $$? -eq 5 ]

lint: $(DEV) ## Check style and types (ruff, mypy --strict)
	@echo "==> ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "==> mypy --strict"
	@$(BIN)/mypy

check: lint test ## Everything that must hold before a change lands

fuzz: $(DEV) ## Knock at the API: REQUESTS=100000, BODIES=100000 of webhooks, SEED=1
	@echo "==> Requests and webhooks that nobody should send (about half an hour)" >&2
	@$(BIN)/python -m tests.door --requests $(or $(REQUESTS),100000) \
	  --bodies $(or $(BODIES),100000) --seed $(or $(SEED),1)

simulate: $(DEV) ## Drive ORDERS=3000 simulated orders from SEED=1; ONLY=, MUTANTS=1: docs/simulator.md
	@$(BIN)/python -m tests.simulation --orders $(or $(ORDERS),3000) --seed $(or $(SEED),1) \
	  $(if $(ONLY),--only $(ONLY)) $(if $(ORDER),--order $(ORDER)) $(if $(MUTANTS),--mutants)

bench: $(DEV) ## Measure against a bare Temporal workflow; writes bench/latest.json
	@echo "==> Benchmarks"
	@$(BIN)/python -m bench $(ARGS)

chaos: $(DEV) ## Kill real processes under load for MINUTES=10, then audit (SEED=n repeats the plan)
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED)) $(ARGS)

record-histories: $(DEV) ## Once per release: store what its open orders look like (tests/replay/histories)
	@echo "==> Recording histories of the workflow tests"
	@$(BIN)/python -m tests.replay.record $(if $(AGAIN),--again)

# --- keep ----------------------------------------------------------------------------------------

.PHONY: lock clean reset
lock: $(BIN)/uv ## Resolve the *.in files into the *.lock files (UPGRADE=1 moves the pins)
	@echo "==> Locking"
	@$(COMPILE) -o requirements-build.lock requirements-build.in
	@$(COMPILE) -o requirements.lock requirements.in
	@$(COMPILE) -c requirements.lock -o requirements-embedded.lock requirements-embedded.in
	@$(COMPILE) -c requirements-embedded.lock -c requirements-build.lock \
	  -o requirements-dev.lock requirements-dev.in
	@! grep -nE '://|index-url|find-links' $(LOCKS:=.lock) || \
	  { echo "a lock names a host" >&2; exit 1; }

clean: ## Remove .venv, caches and build output; the data folder stays
	@echo "==> Removing $(VENV), caches and build output (the data folder stays)"
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

reset: ## Remove what Waybill wrote to the data folder (.data): orders, keys, secrets, logs
	@folder="$${WAYBILL_DATA:-.data}"; \
	  test -f "$$folder/secrets/encryption_keys" || \
	    { echo "$$folder is no data folder of Waybill; nothing was removed" >&2; exit 1; }; \
	  echo "==> Removing orders, keys, secrets and logs in $$folder"; \
	  rm -f "$$folder"/{waybill,testbed,temporal}.sqlite{,-wal,-shm} \
	    "$$folder"/{running,samples}.json "$$folder"/lock; \
	  rm -rf "$$folder/secrets" "$$folder/logs"; \
	  rmdir "$$folder" 2>/dev/null || echo "==> Other files in $$folder were left alone"
