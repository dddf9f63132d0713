# Every way to run this project: `make` on its own lists them. Needs Python 3.11 or newer, and make.
# Everything is installed from the locks in requirements/, into this folder.

export UV_PYTHON_DOWNLOADS := never
export UV_BUILD_CONSTRAINT := $(CURDIR)/requirements/build.txt

# The path of an interpreter, if it really runs: pyenv's shims may be on PATH and not do so.
find_python = $(shell for python in python$(1) \
	"$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/$(1).*/bin/python$(1); do \
	"$$python" -c "import sys; print(sys._base_executable)" 2>/dev/null && break; done)

ifeq ($(origin PYTHON),undefined)
PYTHON := $(or $(call find_python,3.11),$(call find_python,3.12),$(call find_python,3.13),python3)
endif
UV := .venv-tools/uv/bin/uv
BIN := .venv/bin
# Programs that each have their own environment, apart from the tap's.
TOOLS := dbt docs meltano postgres singer-tools target-csv target-jsonl target-postgres
# What only `make test-compatibility` needs.
COMPATIBILITY := dbt-oldest dialects metricflow

.DEFAULT_GOAL := help
.PHONY: help demo demo-realtime report prune disk test setup lint types audit tests unit canary test-orchestrate test-compatibility test-page test-simulation test-alarms test-webhooks test-log-based test-upgrade test-image test-year image format bench bench-reading bench-scale bench-models bench-webhooks docs sandbox airflow generate lock clean demo-bridge test-kills test-adversary
.DELETE_ON_ERROR:

help: ## List the ways to run this project
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Run

demo: .venv/.ready .meltano/.demo-ready ## Load a made-up organization into DuckDB and show it, from scratch
	@$(BIN)/python demo/demo.py

demo-realtime: .venv/.ready .venv-tools/dbt/.ready ## Change a user, and see the row change by way of a webhook, with the time it took
	@$(BIN)/python demo/realtime.py

demo-bridge: .venv/.ready .meltano/.bridge-ready ## Bring a certificate from a made-up Pluvo into a made-up Thought Industries
	@$(BIN)/python demo/bridge.py

sandbox: .venv/.ready ## Serve a made-up Pluvo on this machine until Ctrl-C
	@$(BIN)/pluvo-sandbox serve

report: ENVIRONMENT ?= sandbox
report: .venv/.ready ## Make a page of charts and to-do lists from the demo's data (ENVIRONMENT=prod: from yours)
	@PLUVO_DUCKDB_PATH=output/$(ENVIRONMENT)/pluvo.duckdb \
		$(BIN)/python dbt/report/render.py --output output/$(ENVIRONMENT)/report.html $(OPTIONS)

prune: ENVIRONMENT ?= sandbox
prune: KEEP_DAYS ?= 30
prune: .venv/.ready ## Remove merged files that are older than KEEP_DAYS=30 now; builds do so, too (ENVIRONMENT=prod: yours)
	@PLUVO_JSONL_DIR=output/$(ENVIRONMENT)/jsonl PLUVO_DUCKDB_PATH=output/$(ENVIRONMENT)/pluvo.duckdb \
		$(BIN)/python dbt/prune.py --keep-days $(KEEP_DAYS)

disk: ENVIRONMENT ?= sandbox
disk: .venv/.ready ## Say what takes room in the demo's folder, and what may go (ENVIRONMENT=prod: in yours)
	@$(BIN)/python scripts/disk.py output/$(ENVIRONMENT)

## Check

test: lint types audit tests unit ## Set up and run every check, as .ci/run does

lint: .venv/.ready ## Check style, formatting and import layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo --no-cache

# Each folder of tests separately, since they share module names, such as conftest.
types: .venv/.ready ## Check types
	$(BIN)/mypy
	set -e; for folder in tests/* orchestrate/tests compatibility; do $(BIN)/mypy $$folder; done # each has a conftest

audit: .venv/.ready .venv-tools/audit/.ready ## Check the locked packages for known vulnerabilities
	$(BIN)/python scripts/audit.py

tests: setup ## Run all tests, with real targets, dbt, Meltano and PostgreSQL
	$(BIN)/pytest -n auto

unit: unit-3.12 unit-3.13 ## Run the unit tests on other installed versions of Python

unit-3.%: $(UV)
	@if [ -z "$(call find_python,3.$*)" ]; then \
		echo "Python 3.$*: not found on this machine, skipping its unit tests"; \
	else \
		$(MAKE) --no-print-directory .venv-3.$*/.ready PYTHON="$(call find_python,3.$*)" && \
		echo "Python 3.$*:" && .venv-3.$*/bin/pytest -n auto tests/unit; \
	fi

format: .venv/.ready ## Fix style and formatting automatically where possible
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Ignores the locks, and the upper bound on the SDK in pyproject.toml.
canary: $(UV) ## Run unit tests and the SDK's standard suite with the newest dependencies
	$(UV) venv --quiet --clear --python "$(PYTHON)" .venv-canary
	UV_BUILD_CONSTRAINT= $(UV) pip install --upgrade --python .venv-canary \
		--editable '.[sandbox,targets]' --group dev
	$(UV) pip install --upgrade --python .venv-canary 'singer-sdk[msgspec]'
	.venv-canary/bin/pytest -n auto --ignore tests/unit/test_locks.py \
		tests/unit tests/e2e/test_standard_suite.py

test-orchestrate: setup airflow ## Run the Airflow DAG against two sandboxes (installs Airflow; not part of `test`)
	$(BIN)/pytest orchestrate/tests

test-compatibility: .venv/.ready $(patsubst %,.venv-tools/%/.ready,dbt $(COMPATIBILITY)) ## Run the models on the oldest dbt, as SQL of other warehouses, and with MetricFlow (installs them; not part of `test`)
	$(BIN)/pytest -n auto compatibility

test-page: .venv-tools/dbt/.ready .venv-tools/docs/.ready .venv-browser/.ready ## Test the report page and the documentation in Chromium (found on PATH; not part of `test`)
	.venv-browser/bin/pytest tests/dbt/in_browser.py
	.venv-browser/bin/pytest tests/docs/site_in_browser.py

.venv-browser/.ready: requirements/dev.txt tests/dbt/requirements.txt | $(UV)
	$(call venv,$^)
	@touch $@

test-simulation: setup ## Let an organization live for thirty days, with tap, targets and dbt (minutes; not part of `test`)
	$(BIN)/pytest -n 2 tests/dbt/thirty_days.py

test-log-based: .venv/.ready ## Let organizations change at random while they are read by webhooks, some of them lost (minutes; not part of `test`)
	$(BIN)/pytest -n auto tests/e2e/long_log_based.py

test-upgrade: .venv/.ready ## Move a clone of the first version, with data and choices, to this one (installs both; not part of `test`)
	$(BIN)/pytest tests/e2e/upgrade.py

test-image: .venv/.ready ## Take the steps of the Dockerfile in an empty folder, and run the job there (not part of `test`)
	$(BIN)/pytest tests/e2e/image.py

test-alarms: ## Check the rules for Prometheus with promtool (found on PATH; not part of `test`)
	promtool check rules orchestrate/prometheus/pluvo.rules.yml
	promtool test rules orchestrate/prometheus/pluvo.rules.test.yml

test-webhooks: .venv/.ready .venv-tools/postgres/.ready ## Kill receivers during 20,000 webhooks, and run one behind nginx (found on PATH; not part of `test`)
	$(BIN)/pytest tests/webhooks/long_chaos.py tests/webhooks/behind_nginx.py

test-kills: .venv/.ready .venv-tools/postgres/.ready ## Kill both targets at random moments, 50 times and 150 times (minutes; not part of `test`)
	$(BIN)/python tests/e2e/kill_target.py $(or $(KILLS),50) $(or $(SEED),1)
	$(BIN)/pytest -n 2 tests/e2e/fifty_kills.py

test-adversary: .venv/.ready ## Read 20,000 lists of each kind that an adversary changes (SEEDS=20000; minutes; not part of `test`)
	SEEDS=$(or $(SEEDS),20000) $(BIN)/pytest -n auto tests/unit/test_ordinary_nights.py

test-year: setup ## Build the models every day for a year, and compare the disk's use (an hour; not part of `test`)
	$(BIN)/pytest tests/dbt/a_year.py

bench: setup ## Compare the speed of tap and pipelines with others' (half an hour) and update docs/performance.md and docs/real-time.md
	$(BIN)/python tests/e2e/private_postgres.py $(BIN)/python benchmarks/run.py performance
	$(BIN)/python benchmarks/webhooks.py
	$(BIN)/python benchmarks/log_based.py

bench-reading: .venv/.ready ## Count the requests for lists that change while they are read (three minutes), and update docs/performance.md
	$(BIN)/python benchmarks/reading.py

bench-scale: setup ## Measure targets and several organizations at once, and update docs/scale.md
	$(BIN)/python tests/e2e/private_postgres.py $(BIN)/python benchmarks/run.py scale

bench-models: .venv/.ready .venv-tools/dbt/.ready ## Build the models of a large organization for a month (RESULTS=5000000), and update docs/scale.md
	$(BIN)/python benchmarks/models.py $(if $(RESULTS),--results $(RESULTS))

bench-webhooks: .venv/.ready ## Measure the receiver of webhooks and reading by them, and update docs/real-time.md
	$(BIN)/python benchmarks/webhooks.py
	$(BIN)/python benchmarks/log_based.py

docs: generate .venv-tools/docs/.ready ## Build the documentation into site/, without a network
	NO_MKDOCS_2_WARNING=1 .venv-tools/docs/bin/mkdocs build --strict --quiet
	@echo "Open site/index.html"

## Set up

setup: .venv/.ready $(TOOLS:%=.venv-tools/%/.ready) .meltano/.ready ## Install everything that the checks need

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3")'
	@echo "Installing uv"
	@$(PYTHON) -m venv --clear .venv-tools/uv
	@.venv-tools/uv/bin/pip install -qq --disable-pip-version-check --require-hashes -r $<
	@touch $@

# A virtual environment with exactly what a lock names: $(call venv,lock)
define venv
@echo "Installing $(@D)"
@$(UV) venv --quiet --clear --python "$(PYTHON)" $(@D)
@$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $(@D) $(1)
endef

.venv/.ready .venv-3.12/.ready .venv-3.13/.ready: requirements/dev.txt pyproject.toml | $(UV)
	$(call venv,$<)
	@$(UV) pip install --quiet --python $(@D) --no-deps --editable .
	@$(@D)/bin/python -m compileall -q pluvo_client pluvo_sandbox pluvo_singer pluvo_webhooks tap_pluvo target_pluvo target_thought_industries
	@touch $@

airflow: .venv-airflow/.ready ## Install Airflow into .venv-airflow, for orchestrate/

.venv-airflow/.ready: orchestrate/requirements.txt | $(UV)
	$(call venv,$<)
	@touch $@

.venv-tools/%/.ready: requirements/%.txt | $(UV)
	$(call venv,$<)
	@touch $@

MELTANO := .venv-tools/meltano/bin/meltano --log-level=warning
.meltano/.demo-ready: PLUGINS := tap-pluvo-batch target-batch-files dbt-duckdb
.meltano/.bridge-ready: PLUGINS := tap-pluvo-certificates target-thought-industries
.meltano/.ready .meltano/.demo-ready .meltano/.bridge-ready: meltano.yml pyproject.toml $(wildcard requirements/*.txt) \
		.venv-tools/meltano/.ready
	@echo "Installing Meltano's plugins"
	@$(MELTANO) install $(PLUGINS)
	@touch $@

# The lock of the tap's packages is dev.txt, of which this takes the versions, and only what the tap needs.
image: .venv-tools/meltano/.ready ## Install what a container needs, as the Dockerfile does
	UV_CONSTRAINT=$(CURDIR)/requirements/dev.txt $(MELTANO) install tap-pluvo target-batch-files
	$(MELTANO) install target-csv target-postgres dbt-duckdb dbt-postgres

## Maintain

generate: .venv/.ready ## Regenerate files: Meltano's settings, dbt's staging, reference pages
	$(BIN)/python scripts/meltano_settings.py
	$(BIN)/python dbt/generate_staging.py
	$(BIN)/python scripts/docs/generate.py

lock: $(UV) ## Update the locks (UPGRADE=1: to the newest releases)
	$(COMPILE) --extra sandbox --extra targets --extra webhooks --group dev pyproject.toml -o requirements/dev.txt
	set -e; for lock in $(LOCKS); do $(COMPILE) $$lock.in -o $$lock.txt; done

LOCKS := $(patsubst %,requirements/%,uv build audit release $(TOOLS) $(COMPATIBILITY)) \
	benchmarks/requirements orchestrate/requirements tests/dbt/requirements
COMPILE = UV_BUILD_CONSTRAINT= $(UV) pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

clean: ## Remove everything installed or generated here, except data of real organizations
	rm -rf .venv .venv-* .meltano .mypy_cache .pytest_cache .ruff_cache .hypothesis output/sandbox dist site
