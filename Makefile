# `make serve` runs the product, `make test` its tests; both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Where it is set, as in many containers, every process would compile all of the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve test lint bench screenshots lock

serve: $(VENV)/.runtime
	@exec $(BIN)/python manage.py up

# What starts the product or a browser comes last, a file at a time on each of two processes; the
# longest files first, as tests/conftest.py has them, not those of the most tests.
STARTING := tests/product tests/console/browser tests/openid/test_browser.py
test: $(VENV)/.development
	$(BIN)/python -m tests.weights
	$(BIN)/pytest --numprocesses auto $(STARTING:%=--ignore=%)
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(STARTING)

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/djlint templates --check --lint --quiet
	$(BIN)/lint-imports

bench: $(VENV)/.development
	$(BIN)/python -m bench

screenshots: $(VENV)/.development
	$(BIN)/python -m tests.weights
	$(BIN)/python -m tests.screenshots

# The lock files hold every version and hash; these two stamps say which of them are installed.
$(VENV)/.runtime: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.development: requirements-dev.txt $(VENV)/.runtime
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# Renew the lock files after a change of pyproject.toml. Needs uv.
COMPILE := uv pip compile --quiet --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--python-version 3.11 pyproject.toml --extra postgres --extra redis
lock:
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --group dev --group bench --constraints requirements.txt \
		--output-file requirements-dev.txt
