# What a developer types; `make` alone lists it.
PYTHON ?= python3
PORT ?= 8000
ENGINE_PORT ?= 8001
BIN := .venv/bin
export PYTHONPATH := src

.PHONY: help run test test-system lint format lock bench

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST)

.venv/run.stamp: requirements.txt requirements-local.txt
	@echo "Installing the service and the local engine into .venv (once; about 700 MB)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-local.txt
	@touch $@

.venv/test.stamp: .venv/run.stamp requirements-test.txt
	@echo "Installing what the tests need into .venv"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-test.txt
	@touch $@

run: export PARLEY_OPENAI_BASE_URL := http://127.0.0.1:$(ENGINE_PORT)/v1
run: export PARLEY_MODEL_LIST := .venv/MODEL_LIST.MD
run: export PARLEY_KEY_REQUIRED := no
# honcho counts PORT up from process to process.
run: export SERVICE_PORT := $(PORT)
run: export ENGINE_PORT := $(ENGINE_PORT)
run: .venv/run.stamp  ## the service on PORT (8000), with the local engine behind it
	@for port in $(PORT) $(ENGINE_PORT); do \
		$(BIN)/python -c "import socket; socket.create_server(('127.0.0.1', $$port))" 2> /dev/null || \
		{ echo "Port $$port is taken. Take others: make run PORT=8010 ENGINE_PORT=8011"; exit 1; }; \
	done
	@$(BIN)/python -m local_engine --model-list > .venv/MODEL_LIST.MD
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/honcho start -f Procfile.local

test: .venv/test.stamp  ## all tests that Python packages are enough for
	@$(BIN)/python -m pytest --cov -m "not system"

test-system: .venv/test.stamp  ## the tests that need Debian's or npm's packages
	@tests/system-packages && $(BIN)/python -m pytest -m system

lint: .venv/test.stamp  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: .venv/test.stamp  ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/test.stamp  ## measure memory, latency and losses (four minutes at most)
	@for script in idle overhead crowd uploads sigterm; do \
		timeout 60 $(BIN)/python benchmarks/$$script.py || exit; done

lock:  ## compile the pins anew from setup.cfg
	@$(PYTHON) -m venv .venv && $(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --upgrade setup.cfg -o requirements.txt
	@$(BIN)/uv pip compile --quiet --upgrade setup.cfg --extra local -c requirements.txt \
		-o requirements-local.txt
	@$(BIN)/uv pip compile --quiet --upgrade setup.cfg --extra test -c requirements.txt \
		-c requirements-local.txt -o requirements-test.txt
