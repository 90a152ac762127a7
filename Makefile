# `make help` lists the targets. Every target that needs the environment makes it first. While
# requirements.lock and pyproject.toml do not change, nothing is installed again.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# The first of these that can make a virtual environment is used; Debian's own is tried first.
PYTHON ?= /usr/bin/python3.11 python3.11
UV_VERSION := 0.13.8# resolves `make lock`; never part of .venv
AXE_VERSION := 4.14.1# looks at our tables in `make bi-test`, as a browser's script
BOUNCER_VERSION := 4.3.0# checks `make bouncer`; never part of .venv, because it needs duckdb

VENV := .venv
BIN := $(VENV)/bin
INPUTS := requirements.lock pyproject.toml
STAMP := $(VENV)/.installed-$(shell cat $(INPUTS) | sha256sum | cut -c1-16)
# Superset pins other versions of what we use, so it has an environment of its own.
BI_VENV := .venv-bi
BI_STAMP := $(BI_VENV)/.installed-$(shell sha256sum bi/requirements.lock | cut -c1-16)
# What the image has: what we use, and Celery and users in Airflow's database on top.
SERVICES_VENV := .venv-services
SERVICES_STAMP := $(SERVICES_VENV)/.installed-$(shell cat $(INPUTS) docker/requirements.lock | sha256sum | cut -c1-16)

# What `make bench` measures beside us.
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/.installed-$(shell sha256sum bench/requirements.lock | cut -c1-16)

export PATH := $(CURDIR)/$(BIN):$(PATH)
export LC_ALL := C.UTF-8
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME

PYTEST := $(BIN)/python -m pytest
BOTH_CORES := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: help
help: ## this list
	@echo "chotso: make TARGET"
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '|'

.PHONY: demo
demo: $(STAMP) ## a province's year end: four nights and the freeze, on real PostgreSQL and Airflow
	@$(BIN)/python -m chotso.demo.play

.PHONY: up
up: $(STAMP) ## start the embedded PostgreSQL and the local Airflow, and leave them running
	@$(BIN)/python -m chotso.local.airflow up

.PHONY: down
down: $(STAMP) ## stop them, and Superset
	@$(BIN)/python -m chotso.local.superset down
	@$(BIN)/python -m chotso.local.airflow down

.PHONY: bi
bi: $(STAMP) $(BI_STAMP) ## after `make demo` or `make up`: Superset with our dashboards; again: what changed
	@$(BIN)/python -m chotso.local.superset up

.PHONY: bi-down
bi-down: $(STAMP) ## stop Superset
	@$(BIN)/python -m chotso.local.superset down

.PHONY: bi-test
bi-test: $(STAMP) $(BI_STAMP) ## Superset's dashboards in Chromium, on a province of its own: minutes
	@if [ ! -d .cache/axe/node_modules/axe-core ]; then \
		npm install --silent --no-audit --no-fund --prefix .cache/axe "axe-core@$(AXE_VERSION)" \
		    || echo "axe-core could not be installed: its test is skipped." >&2; \
	fi
	@$(PYTEST) tests/bi -m "slow or quick"

# The shortest of three loops: it lints only SQL that differs from the last commit.
.PHONY: quick
quick: $(STAMP) ## while you write: lint and types, the SQL that you changed, all tests that start nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(call lint-changed,dbt_project/models/*.sql dbt_project/tests/*.sql)
	@$(call lint-changed,chotso/*.sql expectations/*.sql,--templater placeholder)
	@$(BIN)/mypy
	@$(PYTEST) --quiet $(BOTH_CORES) -m quick

.PHONY: test
test: lint types ## before you push: lint, types, docs, all tests but the long ones; CI runs it
	@$(PYTEST) $(BOTH_CORES) -m "not slow and not proof and not long"

.PHONY: slices
slices: $(STAMP) ## the long tests and a seeded slice of every proof; CI runs it after the tests
	@$(PYTEST) $(BOTH_CORES) -m "(proof or long) and not slow"

.PHONY: lint
lint: $(STAMP) ## ruff and vulture on Python, sqlfluff on SQL
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/vulture
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 dbt_project/models dbt_project/tests
	@$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 --templater placeholder chotso expectations

.PHONY: types
types: $(STAMP) ## mypy --strict
	@$(BIN)/mypy

.PHONY: bouncer
bouncer: $(STAMP) ## conventions of the dbt project, by dbt-bouncer in an environment of its own
	@$(call find-python); tool=.cache/bouncer-$(BOUNCER_VERSION); \
	if [ ! -x "$$tool/bin/dbt-bouncer" ]; then \
		"$$python" -m venv "$$tool"; \
		"$$tool/bin/pip" install --quiet "dbt-bouncer==$(BOUNCER_VERSION)"; \
	fi; \
	$(BIN)/python -m tests.worlds.dbt_manifest >/dev/null; \
	"$$tool/bin/dbt-bouncer" run --config-file dbt-bouncer.yml

.PHONY: docs
docs: $(STAMP) ## links, commands and names in the documentation hold
	@$(PYTEST) --quiet tests/repository/test_repository.py

.PHONY: proofs
proofs: $(STAMP) $(SERVICES_STAMP) ## before a release: the long proofs at full size, with their results in docs/proofs.md
	@CHOTSO_PROOFS=full $(PYTEST) -m "slow or faults or pipeline or proof" --timeout 5400
	@$(BIN)/python -m tests.proofs

.PHONY: celery-proof
celery-proof: $(STAMP) $(SERVICES_STAMP) ## Compose's services with Celery, whose workers are killed: minutes (needs root, redis-server)
	@$(PYTEST) -m slow tests/pipeline/test_celery.py

.PHONY: faults-live
faults-live: $(STAMP) ## before a release: fifteen faults through a real Airflow, told and mended, into docs/watch.md
	@CHOTSO_FAULTS_LIVE=write $(PYTEST) tests/live -m slow

.PHONY: mutants
mutants: $(STAMP) ## before a release: plant each known fault in a copy, its tests must notice (IDS="…": some)
	@$(BIN)/python -m tests.mutants $(IDS)

.PHONY: bench
bench: $(STAMP) $(BENCH_STAMP) ## bulk ingest and rules of 2 M lines, beside COPY, plain SQL, dlt, ADBC, pandas, GX, pandera: half an hour
	@$(BIN)/python -m bench.ingest
	@$(BIN)/python -m bench.rules

.PHONY: bench-province
bench-province: $(STAMP) ## routine nights of a whole province (1.15 M persons), beside whole builds: ten minutes
	@$(BIN)/python -m bench.province

.PHONY: growth
growth: $(STAMP) ## before a release: four hundred nights, what grows with them and what does not (an hour and more)
	@$(BIN)/python -m bench.growth

.PHONY: pictures
pictures: $(STAMP) ## the pictures of README and docs; one of what `make demo` left running (needs chromium, fonts-jetbrains-mono)
	@$(BIN)/python docs/images/papers.py
	@$(BIN)/python docs/images/verifier.py
	@$(BIN)/python docs/images/airflow.py
	@$(BIN)/python docs/images/take.py

.PHONY: lock
lock: ## resolve all requirements.in into requirements.lock (UPGRADE=1: to the newest that fit)
	@$(call find-python); \
	tool=$$(mktemp -d); trap 'rm -rf "$$tool"' EXIT; \
	"$$python" -m venv "$$tool"; \
	"$$tool/bin/pip" install --quiet "uv==$(UV_VERSION)"; \
	for folder in . bi docker bench; do \
	    env -u UV_INDEX -u UV_DEFAULT_INDEX -u UV_INDEX_URL -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS \
	        "$$tool/bin/uv" pip compile --quiet --no-config --system-certs --generate-hashes --no-annotate \
	        --python "$$python" --python-version 3.11 --python-platform linux \
	        --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
	        $$(test "$$folder" != docker || echo --constraints requirements.lock) \
	        --output-file "$$folder/requirements.lock" "$$folder/requirements.in"; \
	    echo "$$folder/requirements.lock: $$(grep -c '==' "$$folder/requirements.lock") packages"; \
	done

.PHONY: clean
clean: ## remove caches and build results; .venv and the embedded default's state (.chotso) stay
	@rm -rf .cache .mypy_cache .ruff_cache .pytest_cache build dbt_project/target dbt_project/logs *.egg-info
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# Lints SQL files that are changed or new and match git's patterns (1), with options (2).
define lint-changed
{ git diff --name-only -z --diff-filter=d HEAD -- $(patsubst %,'%',$(1)); \
    git ls-files -z --others --exclude-standard -- $(patsubst %,'%',$(1)); \
} | xargs --null --no-run-if-empty $(BIN)/sqlfluff lint --disable-progress-bar $(2)
endef

# Sets $$python to the first interpreter of $(PYTHON) that is 3.11 and has venv and ensurepip.
define find-python
python=; for candidate in $(PYTHON); do \
	if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' \
	    2>/dev/null; then python=$$candidate; break; fi; \
done; \
if [ -z "$$python" ]; then \
	echo "chotso needs Python 3.11 with venv; none of these has it: $(PYTHON)." >&2; \
	echo "Next: apt-get install python3.11 python3.11-venv, or make PYTHON=/path/to/python3.11." >&2; \
	exit 1; \
fi
endef

$(STAMP):
	@$(call find-python); \
	mkdir -p .cache; exec 9>.cache/bootstrap.lock; flock 9; \
	if [ -e $@ ]; then exit 0; fi; \
	if [ ! -x $(BIN)/pip ]; then "$$python" -m venv $(VENV); fi; \
	echo "Installing what requirements.lock pins into $(VENV): one to three minutes, once."; \
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements.lock; \
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .; \
	extra=$$(comm -13 \
	    <(sed -nE 's/^([a-z0-9-]+)==.*/\1/p' requirements.lock | sort) \
	    <($(BIN)/pip list --format=freeze | sed 's/==.*//' | tr 'A-Z_.' 'a-z--' \
	        | grep -vxE 'pip|chotso' | sort)); \
	if [ -n "$$extra" ]; then $(BIN)/pip uninstall --quiet --yes $$extra; fi; \
	$(BIN)/pip check; \
	rm -f $(VENV)/.installed-*; touch $@

$(BI_STAMP):
	@$(call find-python); \
	mkdir -p .cache; exec 9>.cache/bootstrap-bi.lock; flock 9; \
	if [ -e $@ ]; then exit 0; fi; \
	if [ ! -x $(BI_VENV)/bin/pip ]; then "$$python" -m venv $(BI_VENV); fi; \
	echo "Installing Superset into $(BI_VENV): one to three minutes, once."; \
	$(BI_VENV)/bin/pip install --quiet --require-hashes --no-deps -r bi/requirements.lock; \
	$(BI_VENV)/bin/pip check; \
	rm -f $(BI_VENV)/.installed-*; touch $@

$(SERVICES_STAMP):
	@$(call find-python); \
	mkdir -p .cache; exec 9>.cache/bootstrap-services.lock; flock 9; \
	if [ -e $@ ]; then exit 0; fi; \
	if [ ! -x $(SERVICES_VENV)/bin/pip ]; then "$$python" -m venv $(SERVICES_VENV); fi; \
	echo "Installing what the image has into $(SERVICES_VENV): one to three minutes, once."; \
	for lock in requirements.lock docker/requirements.lock; do \
	    $(SERVICES_VENV)/bin/pip install --quiet --require-hashes --no-deps -r "$$lock"; \
	done; \
	$(SERVICES_VENV)/bin/pip install --quiet --no-deps --no-build-isolation --editable .; \
	$(SERVICES_VENV)/bin/pip check; \
	rm -f $(SERVICES_VENV)/.installed-*; touch $@

$(BENCH_STAMP):
	@$(call find-python); \
	mkdir -p .cache; exec 9>.cache/bootstrap-bench.lock; flock 9; \
	if [ -e $@ ]; then exit 0; fi; \
	if [ ! -x $(BENCH_VENV)/bin/pip ]; then "$$python" -m venv $(BENCH_VENV); fi; \
	echo "Installing what is measured beside us into $(BENCH_VENV): one to three minutes, once."; \
	$(BENCH_VENV)/bin/pip install --quiet --require-hashes --no-deps -r bench/requirements.lock; \
	$(BENCH_VENV)/bin/pip check; \
	rm -f $(BENCH_VENV)/.installed-*; touch $@
