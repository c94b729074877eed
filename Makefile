# Two commands are enough: `make run` starts the server, `make test` checks everything.
# What each needs is installed first, once: stamps in .venv remember it, so that a second
# run starts at once and asks no network. `make help` lists the rest.

PYTHON ?= python3
ARGS ?=
SECONDS ?= 60
SEED ?=
CLUSTER ?=
JOBS ?= 3

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
RUNTIME := $(VENV)/stamp-runtime
DEV := $(VENV)/stamp-dev
NODE := $(VENV)/stamp-node
NODE_DO := $(BIN)/python -m tests.node
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: run test style types imports tests coverage fuzz torture figures bench bench-quick docs format lock system \
	clean help

run: $(RUNTIME) ## start the server; flags go into ARGS: make run ARGS="--addr :4000"
	@exec $(BIN)/hubbub serve $(ARGS)

test: system style types imports tests ## install what tests need, then check everything

style: $(DEV) ## ruff: rules and layout
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(DEV) $(NODE) ## strict types: mypy on sources and tests, TypeScript on the page
	$(BIN)/mypy
	$(NODE_DO) node tests/page/node_modules/typescript/bin/tsc --project tests/page

imports: $(DEV) ## the direction of imports
	$(BIN)/lint-imports --no-cache

tests: $(DEV) ## the tests alone; a part of them: make tests ARGS=tests/cli
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

coverage: $(DEV) ## the tests with the coverage of branches, which has to be 95 % or more
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

fuzz: $(DEV) ## what random bytes do to the framing, tokens to the door and frames to all, for long
	$(BIN)/python -m pytest --hypothesis-profile=fuzz --timeout=0 $(or $(ARGS),tests/websocket tests/access/test_token_fuzz.py)
	$(BIN)/python -m tests.fuzz

figures: $(DEV) ## measure the store and the limits: some minutes, on a quiet machine
	$(BIN)/python -m bench.store $(ARGS)
	$(BIN)/python -m bench.limits

bench: $(DEV) ## measure Hubbub beside its peers, within an hour; a part: make bench ARGS=fanout
	$(BIN)/python -m bench.run $(ARGS)

bench-quick: $(DEV) ## one load beside two peers, within a minute
	@$(BIN)/python -m bench.run quick

torture: $(DEV) ## kill servers and Redis under load: make torture SECONDS=600 SEED=123 CLUSTER=1
	$(BIN)/python -m tests.torture "$(SECONDS)" "$(SEED)" "$(CLUSTER)"

docs: $(DEV) ## write the pages that are made from the code
	$(BIN)/python -m hubbub.cli.docs > docs/settings.md.new
	mv docs/settings.md.new docs/settings.md
	$(BIN)/python -m hubbub.protocol.schema docs/protocol.md

format: $(DEV) ## lay the sources out, and mend what ruff can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: $(DEV) ## choose today's versions of all dependencies anew
	$(COMPILE) --upgrade --group build --output-file requirements/build.txt
	$(COMPILE) --upgrade pyproject.toml --output-file requirements/runtime.txt
	$(COMPILE) --upgrade pyproject.toml --group dev --all-extras \
		--constraints requirements/build.txt --constraints requirements/runtime.txt \
		--output-file requirements/dev.txt

clean: ## remove what was made, the environment included
	rm -rf bench/.cache bench/peers/*/node_modules
	rm -rf $(VENV) dist build htmlcov .coverage .coverage.* .pytest_cache .mypy_cache \
		.ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

system:
	@PYTHON="$(PYTHON)" scripts/system-packages

# A prerequisite, not order-only: an environment made anew, because its Python has gone, has
# to be filled again.
$(BIN)/python:
	@PYTHON="$(PYTHON)" scripts/make-venv $(VENV)

# The locks are whole, so pip has nothing to resolve; left to, it looks for newer versions of what
# one package asks of another with an extra, and stumbles over those that the lock does not have.
$(RUNTIME): $(BIN)/python requirements/build.txt requirements/runtime.txt pyproject.toml \
		hatch_build.py src/hubbub/native/native.c
	$(PIP) install --require-hashes --no-deps -r requirements/build.txt -r requirements/runtime.txt
	$(PIP) install --no-build-isolation --no-deps --no-index --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	$(PIP) install --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

$(NODE): $(DEV) tests/page/package-lock.json
	$(NODE_DO) npm ci --prefix tests/page --no-audit --no-fund --silent
	@touch $@
