# The commands for developers; `make` alone lists them.
PYTHON ?= python3
PORT ?= 8000
ENGINE_PORT ?= 8001
TURNS ?= 6
BIN := .venv/bin
# The servers and callers of `make test-interop`, each in an environment of its own.
OTHERS := $(basename $(notdir $(wildcard tests/interop/*.in)))
PEERS := $(notdir $(patsubst %/,%,$(wildcard benchmarks/peers/*/)))
export PYTHONPATH := src

.PHONY: help run test test-system test-interop lint format lock bench compare

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST)

.venv/run.stamp: requirements.txt requirements-local.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
		echo "$(PYTHON) is not Python 3.11 or newer. Add one that is to the command: PYTHON=python3.12"; \
		exit 1; }
	@echo "Installing the service and the local engine into .venv (once; about 800 MB)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps \
		--require-hashes -r requirements-local.txt
	@touch $@

.venv/test.stamp: .venv/run.stamp requirements-test.txt
	@echo "Installing what the tests need into .venv"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps \
		--require-hashes -r requirements-test.txt
	@touch $@

run: export PARLEY_OPENAI_BASE_URL := http://127.0.0.1:$(ENGINE_PORT)/v1
run: export PARLEY_MODEL_LIST := .venv/MODEL_LIST.MD
run: export PARLEY_KEY_REQUIRED := no
# The engine is on this machine, where no proxy would find it.
run: export no_proxy := 127.0.0.1,$(or $(no_proxy),$(NO_PROXY))
# honcho counts PORT up from process to process.
run: export SERVICE_PORT := $(PORT)
run: export ENGINE_PORT := $(ENGINE_PORT)
run: .venv/run.stamp  ## the service on PORT (8000), with the local engine behind it
	@[ $(PORT) != $(ENGINE_PORT) ] || { echo "PORT and ENGINE_PORT must be two ports."; exit 1; }
	@for port in $(PORT) $(ENGINE_PORT); do \
		$(BIN)/python -c "import socket; socket.create_server(('127.0.0.1', $$port))" 2> /dev/null || \
		{ echo "Port $$port is taken or not allowed. Take others: make run PORT=8010 ENGINE_PORT=8011"; exit 1; }; \
	done
	@$(BIN)/python -m local_engine --model-list > .venv/MODEL_LIST.MD
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/honcho start -f Procfile.local

test: .venv/test.stamp  ## all tests that need only installed Python packages
	@$(BIN)/python tests/run.py test

test-system: .venv/test.stamp  ## the tests that need Debian's or npm's packages, or a package index
	@tests/system-packages && $(BIN)/python tests/run.py test-system

.venv/interop/%/stamp: tests/interop/%.txt
	@echo "Installing $* into $(@D)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

test-interop: .venv/test.stamp  ## for a release: the tests against servers and callers of others
	@-$(MAKE) --no-print-directory --keep-going $(OTHERS:%=.venv/interop/%/stamp)
	@for folder in tests/interop tests/interop/callers; do \
		(cd $$folder && npm ci --ignore-scripts --no-fund --no-audit --silent); done; true
	@echo "What could not be installed is skipped below, by its name."
	@$(BIN)/python -m pytest -m interop -p no:cacheprovider

lint: .venv/test.stamp  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: .venv/test.stamp  ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.venv/peers/%/stamp: benchmarks/peers/%/requirements.txt
	@echo "Installing a peer to measure against into $(@D)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

.venv/plot/stamp: benchmarks/plot/requirements.txt
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

bench: .venv/test.stamp .venv/plot/stamp  ## measure the service; fail where a goal is missed
	@missed=0; for script in growth steady fairness; do \
		timeout 600 $(BIN)/python benchmarks/$$script.py || missed=1; done; exit $$missed

compare: .venv/test.stamp .venv/plot/stamp $(PEERS:%=.venv/peers/%/stamp)  ## measure ours beside its alternatives, TURNS (6) times
	@timeout 3600 $(BIN)/python benchmarks/compare.py $(TURNS)

lock: export UV_CUSTOM_COMPILE_COMMAND := make lock
lock: COMPILE := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes \
	--no-python-downloads --python-version 3.11 --python-platform linux setup.cfg
lock:  ## compile the pins anew from setup.cfg
	@$(PYTHON) -m venv .venv && $(BIN)/pip install --quiet uv
	@$(COMPILE) -o requirements.txt
	@$(COMPILE) --extra local -c requirements.txt -o requirements-local.txt
	@$(COMPILE) --extra test -c requirements.txt -c requirements-local.txt \
		-o requirements-test.txt
	@for peer in $(PEERS:%=benchmarks/peers/%/requirements) benchmarks/plot/requirements \
		$(OTHERS:%=tests/interop/%); do \
		$(BIN)/uv pip compile --quiet --upgrade $$peer.in -o $$peer.txt; done
