# Two commands matter: `make run` and `make test`. Each does its own set-up in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint bench chromium clean

run: .venv/.run
	@exec $(BIN)/python app.py

test: .venv/.dev chromium
	@$(BIN)/pytest

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.dev
	@$(BIN)/python bench/fanout.py

# Debian's package, because the browser tests drive a system browser and download none.
chromium:
	@command -v chromium >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium) >/dev/null || true; \
	  fi; \
	  command -v chromium >/dev/null 2>&1 || echo "Chromium is missing, the browser tests cannot run. Install it with: sudo apt-get install -y chromium"; }

.venv/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: .venv/.venv requirements.txt
	@echo "Installing requirements.txt into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	@echo "Installing requirements-dev.txt into .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv state .pytest_cache .mypy_cache .ruff_cache .hypothesis
