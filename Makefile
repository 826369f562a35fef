# `make run` starts the product, `make test` runs the tests. Each installs its requirements into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint bench bench-smoke bench-tools chromium proxies postgresql clean

run: .venv/.run
	@exec $(BIN)/python app.py

# In two processes, which have servers and ports of their own. A plain `.venv/bin/pytest PATH` uses one.
test: .venv/.dev chromium proxies postgresql
	@$(BIN)/pytest -n 2

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.bench bench-tools chromium
	@$(BIN)/python -m bench

# The benchmarks in small, without times: whether all events are delivered, whole and in order.
bench-smoke: .venv/.bench bench-tools chromium
	@$(BIN)/python -m bench --smoke

# Peers and load generators in C. The table of results names those that are missing.
bench-tools:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  dpkg -s nginx libnginx-mod-nchan wrk webdis gcc libc6-dev >/dev/null 2>&1 || { \
	    echo "Installing nginx with nchan, wrk and webdis"; \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx libnginx-mod-nchan wrk webdis gcc libc6-dev) >/dev/null || true; }; \
	fi

# Debian's package: the browser tests drive a browser of the system and download none.
chromium:
	@command -v chromium >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium) >/dev/null || true; \
	  fi; \
	  command -v chromium >/dev/null 2>&1 || echo "Chromium is missing, the browser tests cannot run. Install it with: sudo apt-get install -y chromium"; }

# Debian's packages: the tests run the configurations of docs/operations.md in them.
proxies:
	@PATH="$$PATH:/usr/sbin"; command -v nginx >/dev/null 2>&1 && command -v caddy >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light caddy) >/dev/null || true; \
	  fi; \
	  command -v nginx >/dev/null 2>&1 && command -v caddy >/dev/null 2>&1 || echo "nginx or Caddy is missing, the tests of proxies cannot run. Install them with: sudo apt-get install -y nginx-light caddy"; }

# Debian's package: a database that DATABASE_URL may name. The tests start their own servers and use no other.
postgresql:
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1 || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql) >/dev/null || true; \
	  fi; \
	  ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null 2>&1 || echo "PostgreSQL is missing, its tests cannot run. Install it with: sudo apt-get install -y postgresql"; }

.venv/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: .venv/.venv requirements.txt
	@echo "Installing requirements.txt into .venv"
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	@echo "Installing requirements-dev.txt into .venv"
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.venv/.bench: .venv/.dev requirements-bench.txt
	@echo "Installing requirements-bench.txt into .venv"
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

clean:
	rm -rf .venv state .pytest_cache .mypy_cache .ruff_cache .hypothesis
