# Every target works from a fresh clone: the first one builds the virtual environment from the hashed lock.
PYTHON ?= python3
VENV   ?= .venv
RUN    := PYTHONPATH=src $(VENV)/bin/python

PORTFOLIO ?=
RUN_DATE  ?= 2026-11-01
OUT       ?= out
ACCOUNTS  ?= 360
SEED      ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup run test test-unit test-sql test-stack check format package-lambdas lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  e.g. make run PORTFOLIO=folder RUN_DATE=2026-11-01 OUT=out/mine"

setup: $(VENV)/.installed ## Create the virtual environment (every other target does it when needed)

$(VENV)/.installed: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements-dev.lock)"
	@$(VENV)/bin/python -m uv pip install --quiet --python $(VENV)/bin/python --require-hashes -r requirements-dev.lock
	@touch $@

run: setup ## Run a month end: PORTFOLIO= RUN_DATE= OUT=, or a demo of ACCOUNTS= SEED=
	@$(RUN) -m local.run $(if $(PORTFOLIO),--portfolio "$(PORTFOLIO)") --run-date $(RUN_DATE) --out "$(OUT)" --accounts $(ACCOUNTS) --seed $(SEED)

# A process per core: each has its PostgreSQL server, so not more than four.
PYTEST := $(RUN) -m pytest -n logical --maxprocesses 4
SLOW   := artifacts pipeline sql stack terraform

test: setup check ## Check style and types, then run every test (ARGS= goes to pytest, of the levels below too)
	@$(PYTEST) $(ARGS)

test-unit: setup ## Only the tests that need neither the local stack nor Terraform, and are not of the SQL
	@$(PYTEST) $(addprefix --ignore=tests/,$(SLOW)) $(ARGS)

test-sql: setup ## Only the tests of the SQL, on a real PostgreSQL
	@$(PYTEST) tests/sql $(ARGS)

test-stack: setup ## Only the tests of the local stack and of whole months on it
	@$(PYTEST) tests/stack tests/pipeline $(ARGS)

check: setup ## Lint, formatting and types
	@$(RUN) -m ruff check src tests
	@$(RUN) -m ruff format --check src tests
	@$(RUN) -m mypy

format: setup ## Put the sources into the house's form
	@$(RUN) -m ruff check --fix src tests
	@$(RUN) -m ruff format src tests

package-lambdas: setup ## Build the functions' zips for the target runtime into build/lambdas
	@$(RUN) -m artifacts.zips --target lambda

COMPILE := pip compile pyproject.toml --universal --generate-hashes --no-annotate --quiet --custom-compile-command "make lock"

lock: setup ## Pin the dependencies anew (no index's name gets into the files)
	@$(RUN) -m uv $(COMPILE) --all-extras --group dev -o requirements-dev.lock
	@$(RUN) -m uv $(COMPILE) --constraint requirements-dev.lock --extra base -o requirements/lambda-base.lock
	@$(RUN) -m uv $(COMPILE) --constraint requirements-dev.lock --extra base --extra database -o requirements/lambda-base-database.lock
	@$(RUN) -m uv $(COMPILE) --constraint requirements-dev.lock --extra base --extra database --extra numeric -o requirements/lambda-base-database-numeric.lock

clean: ## Remove everything that was built, but not OUT
	@rm -rf build $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

include terraform/terraform.mk
