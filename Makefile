# `make run` and `make test` need nothing but Python 3.11 and the Python registry. Everything goes into .venv.
.DEFAULT_GOAL := help
.PHONY: help setup run test laws check lint types contracts lock lock-current definitions ui truth intervals bench-reconcile bench-gate attack chaos deploy-test postgres-run spark clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --extra dev --python-version 3.11 \
           --custom-compile-command "make lock" pyproject.toml
WITH_SPARK := --extra spark --constraint

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info[:2] >= (3, 11) else "found Python %d.%d, needed 3.11: install it, or name it with make PYTHON=..." % sys.version_info[:2])'
	@echo "Setting up .venv from requirements.lock (about a minute the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@awk '/^uv==/{on=1} on{print} on&&!/\\$$/{exit}' requirements.lock > .venv/uv.txt
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --no-deps --require-hashes -r .venv/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY) ## make .venv, exactly as requirements.lock says

run: setup ## build the example company if it is not there, and run the main job on it
	@$(BIN)/precede run

# in the order of the folders: xdist would put files of one long test last, when nothing is left to run beside them; and by three
# processes for two cores, since many tests wait for processes of their own; what these
# import is compiled once, also where the shell says that nothing is to be kept
test: setup ## every test
	@env -u PYTHONDONTWRITEBYTECODE PRECEDE_TEST_COMMAND="make test" $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

laws: setup ## the laws that the product promises, on EFFORT=10 times as many examples as `make test`
	@PRECEDE_EFFORT=$(or $(EFFORT),10) $(BIN)/python -m pytest --numprocesses 2 -m law --timeout 3600 $(LAWS)

check: lint types contracts lock-current definitions ## what CI checks beside the tests

lint: setup
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: setup
	@$(BIN)/mypy

contracts: setup
	@$(BIN)/lint-imports

lock-current: setup ## fail when requirements.lock does not follow from pyproject.toml
	@cp requirements.lock .venv/lock.txt
	@cp requirements-spark.lock .venv/lock-spark.txt
	@$(COMPILE) --output-file .venv/lock.txt > /dev/null
	@$(COMPILE) $(WITH_SPARK) requirements.lock --output-file .venv/lock-spark.txt > /dev/null
	@diff -u requirements.lock .venv/lock.txt && diff -u requirements-spark.lock .venv/lock-spark.txt \
		|| { echo "a lock is not current: run 'make lock' and commit both"; exit 1; }

lock: setup ## resolve the dependencies anew
	@$(COMPILE) --output-file requirements.lock > /dev/null
	@$(COMPILE) $(WITH_SPARK) requirements.lock --output-file requirements-spark.lock > /dev/null

definitions: setup
	@$(BIN)/precede dagster check

ui: setup ## the Dagster UI on loopback, with the three code locations, schedules and sensors on
	@$(BIN)/precede ui

truth: setup ## every labelled set against its truth, beside plain Splink; SIZES=6000,100000 of the example company
	@$(BIN)/python -m tests.truth $(if $(SIZES),--sizes $(SIZES)) $(if $(SETS),--sets $(SETS)) $(TRUTH)

intervals: setup ## of 100 samples of 300 judgements, how many intervals of `precede tune` hold the truth; INTERVALS=...
	@$(BIN)/python -m tests.truth.coverage $(INTERVALS)

bench-approvals: setup ## how approvals survive four hours of changes, and how long it takes to find those that do not; BENCH=--json
	@$(BIN)/python -m bench.approvals $(BENCH)

bench-reconcile: setup ## time and memory of reconciling RECORDS=1000000 records, beside plain Splink; BENCH=--json
	@$(BIN)/python -m bench $(if $(RECORDS),--records $(RECORDS)) $(BENCH)

deploy-test: setup ## as root: every unit of deploy/ under its own user and database role, and a hostile agent among them
	@$(BIN)/python -m pytest -rs -s tests/integration/deploy

postgres-run: setup ## `precede run` twice with store and Dagster on Postgres, beside the same on SQLite; RECORDS=6000
	@$(BIN)/python -m bench.stores $(if $(RECORDS),--records $(RECORDS))

attack: setup ## every attack on a real home, store and tools, with what was expected and seen; ONLY='ledger/*' ATTACK=--json
	@$(BIN)/python -m attack $(foreach one,$(ONLY),--only '$(one)') $(ATTACK)

chaos: setup ## kill what acts at KILLS=500 random points on SQLite and Postgres, fill the disk, lock the store; CHAOS=--json
	@$(BIN)/python -m chaos $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) $(CHAOS)

bench-gate: setup ## decisions, effects, trace and verify at 100,000 entities and ACTIONS=100000 actions; BENCH=--json
	@$(BIN)/python -m bench.gate $(if $(ACTIONS),--actions $(ACTIONS)) $(BENCH)

spark: setup ## the linkage on Spark against the linkage on DuckDB, in .venv-spark; needs Java 17
	@test -x .venv-spark/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-spark
	@$(BIN)/uv pip sync --quiet --python .venv-spark/bin/python --require-hashes requirements-spark.lock
	@$(BIN)/uv pip install --quiet --python .venv-spark/bin/python --no-deps --no-build-isolation --editable .
	@PRECEDE_SPARK_RECORDS=100000 .venv-spark/bin/python -m pytest tests/integration/linkage/test_spark.py

clean: ## remove .venv and what was built; the data in .precede stays
	@rm -rf .venv .venv-spark .mypy_cache .ruff_cache .import_linter_cache
