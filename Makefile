# Every target works in a fresh clone: the first one creates the virtual environment from the lock with hashes.
PYTHON ?= python3
VENV   ?= .venv
RUN    := PYTHONPATH=src $(VENV)/bin/python

PORTFOLIO ?=
RUN_DATE  ?= 2026-11-01
FROM      ?=
TO        ?=
AS_AT     ?=
LAG       ?=
OUT       ?= out
ACCOUNTS  ?= 360
SEED      ?= 1
N         ?= 100000
SCALE     ?= 1000 3000 10000
DAYS      ?= 182
PREVIOUS  ?=
FINANCE   ?=
ACCOUNT   ?=
KILLS     ?= 60

.DEFAULT_GOAL := help
.PHONY: help setup run check-portfolio backtest report explain fuzz rehearsal kills bench test test-unit test-functions test-sql test-stack check format package-lambdas render-machines lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo; echo "  Example: make run PORTFOLIO=folder RUN_DATE=2026-11-01 OUT=out/mine"

setup: $(VENV)/.installed ## Create the virtual environment (the other targets do this when needed)

$(VENV)/.installed: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements-dev.lock)"
	@$(VENV)/bin/python -m uv pip install --quiet --python $(VENV)/bin/python --require-hashes -r requirements-dev.lock
	@touch $@

run: setup ## Run a month end: your PORTFOLIO=, or a demo (ACCOUNTS=, SEED=); RUN_DATE=, FROM=, TO=, AS_AT=, PREVIOUS=, OUT=
	@$(RUN) -m local.run $(if $(PORTFOLIO),--portfolio "$(PORTFOLIO)") --run-date "$(RUN_DATE)" $(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)") $(if $(AS_AT),--as-at "$(AS_AT)") $(if $(PREVIOUS),--previous "$(PREVIOUS)") --out "$(OUT)" --accounts $(ACCOUNTS) --seed $(SEED)

check-portfolio: setup ## Check a portfolio folder without running it: PORTFOLIO=, RUN_DATE=
	@$(if $(PORTFOLIO),,echo "Say which: make check-portfolio PORTFOLIO=folder" >&2; exit 2;) $(RUN) -m local.portfolio.check --portfolio "$(PORTFOLIO)" --run-date "$(RUN_DATE)"

backtest: setup ## Run earlier month ends of PORTFOLIO= from month FROM= to TO= (2013-03) and judge them by later reads; LAG=, OUT=
	@$(if $(and $(PORTFOLIO),$(FROM),$(TO)),,echo "Say which: make backtest PORTFOLIO=folder FROM=2013-03 TO=2013-10" >&2; exit 2;) POWERTOOLS_SERVICE_NAME=backtest POWERTOOLS_TRACE_DISABLED=true POWERTOOLS_METRICS_DISABLED=true $(RUN) -m local.backtest --portfolio "$(PORTFOLIO)" --from "$(FROM)" --to "$(TO)" $(if $(LAG),--lag "$(LAG)") --out "$(OUT)"

report: setup ## Make finance's report again from a run's folder OUT= and that of the run before, PREVIOUS=; FINANCE=parameters
	@$(RUN) -m local.finance --out "$(OUT)" $(if $(PREVIOUS),--previous "$(PREVIOUS)") $(if $(FINANCE),--finance "$(FINANCE)")

explain: setup ## Explain one account of a run's folder, from its last bill to its last cent: ACCOUNT=, OUT=
	@$(if $(ACCOUNT),,echo "Say which: make explain ACCOUNT=200012 OUT=out" >&2; exit 2;) $(RUN) -m local.finance --out "$(OUT)" --account "$(ACCOUNT)"

fuzz: setup ## Damage input files N= times and check that each is accepted or refused cleanly; SEED=
	@PYTHONPATH=src:. $(VENV)/bin/python -m tests.local.portfolio.fuzzing --count $(N) --seed $(SEED)

rehearsal: setup ## Measure the database half of a month at SCALE="1000 3000 10000" synthetic accounts, DAYS= of reads; into docs/performance.md
	@POWERTOOLS_SERVICE_NAME=rehearsal POWERTOOLS_TRACE_DISABLED=true $(RUN) -m local.performance.rehearsal --scale $(SCALE) --days $(DAYS) $(ARGS)

kills: setup ## Kill up to KILLS=60 workers during a run of a demo (ACCOUNTS=360) and see that it ends by itself, soon, with the same bytes
	@$(RUN) -m local.performance.kills --kills $(KILLS) --accounts $(ACCOUNTS)

bench: setup ## Compare the hot paths with the best ways known (numpy, COPY, DuckDB, one statement); sizes in ARGS=; into docs/performance.md
	@POWERTOOLS_SERVICE_NAME=bench POWERTOOLS_TRACE_DISABLED=true POWERTOOLS_METRICS_DISABLED=true $(RUN) -m local.performance.bench $(ARGS)

# A process per core, at most four: each starts a PostgreSQL server of its own.
PYTEST := $(RUN) -m pytest -n logical --maxprocesses 4
FUNCTIONS := lambdas shared/steps shared/work shared/database local/aws local/performance local/backtest
SLOW   := artifacts pipeline sql stack terraform

test: setup check ## Check style and types, then run every test; ARGS= is passed to pytest (also below)
	@$(PYTEST) $(ARGS)

test-unit: setup ## Run only the tests that need no database, no local stack and no Terraform
	@$(PYTEST) $(addprefix --ignore=tests/,$(SLOW) $(FUNCTIONS)) $(ARGS)

test-functions: setup ## Run only the tests of the functions and their tools, on moto and a real PostgreSQL
	@$(PYTEST) $(addprefix tests/,$(FUNCTIONS)) $(ARGS)

test-sql: setup ## Run only the tests of the SQL, on a real PostgreSQL
	@$(PYTEST) tests/sql $(ARGS)

test-stack: setup ## Run only the tests of the local stack and of whole months on it
	@$(PYTEST) tests/stack tests/pipeline $(ARGS)

check: setup ## Check style, formatting and types
	@$(RUN) -m ruff check src tests
	@$(RUN) -m ruff format --check src tests
	@$(RUN) -m mypy

format: setup ## Format the sources
	@$(RUN) -m ruff check --fix src tests
	@$(RUN) -m ruff format src tests

package-lambdas: setup ## Build the zips that are deployed, in build/lambdas
	@$(RUN) -m artifacts.zips --target lambda

render-machines: setup ## Write the state machines as JSON, with example values, to build/statemachines
	@$(RUN) -m artifacts.machines --out build/statemachines

COMPILE := pip compile pyproject.toml --universal --generate-hashes --no-annotate --quiet --custom-compile-command "make lock"

lock: setup ## Update the pinned dependencies
	@$(RUN) -m uv $(COMPILE) --all-extras --group dev -o requirements-dev.lock
	@$(RUN) -m uv $(COMPILE) --constraint requirements-dev.lock --extra base -o requirements/lambda-base.lock
	@$(RUN) -m uv $(COMPILE) --constraint requirements-dev.lock --extra base --extra database -o requirements/lambda-base-database.lock
	@$(RUN) -m uv $(COMPILE) --constraint requirements-dev.lock --extra base --extra database --extra numeric -o requirements/lambda-base-database-numeric.lock
	@$(RUN) -m uv $(COMPILE) --constraint requirements-dev.lock --extra base --extra database --extra parquet -o requirements/lambda-base-database-parquet.lock
	@$(RUN) -m uv $(COMPILE) --constraint requirements-dev.lock --extra base --extra parquet --extra report -o requirements/lambda-base-parquet-report.lock

clean: ## Remove everything that was built, except OUT
	@rm -rf build $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

include terraform/terraform.mk
