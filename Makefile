# `make run` builds the radar and serves it; `make test` runs every test. Both set up whatever is missing.
PYTHON ?= python3
PORT ?= 8000
SERVE ?= yes
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check

.PHONY: run test check format bench wheel clean help
.DEFAULT_GOAL := help

help:
	@echo "make run            set up, build the radar, show what it can do, serve on http://127.0.0.1:$(PORT)/"
	@echo "make run SERVE=no   the same without serving"
	@echo "make test           set up what is missing and run every test"
	@echo "make check          formatting, lint, types, import order"
	@echo "make bench          benchmarks against bare baselines (long)"
	@echo "make format         put the code into shape"
	@echo "make wheel          build the wheel into dist/"
	@echo "make clean          remove $(VENV) and all that was built, but not the data in dhu-data"
	@echo
	@echo "PYTHON=python3.12, PORT=8080: another Python, another port."

# Made anew only when the dependencies change.
$(VENV)/.installed: pyproject.toml tools/torch_cpu.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; for example: make run PYTHON=python3.12"; exit 1; }
	@test -x $(PY) || { echo "Making $(VENV) …"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing into $(VENV): some 2 GB with torch, a few minutes the first time …"
	@$(PIP) --upgrade pip
	@$(PY) tools/torch_cpu.py
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing what the tests need …"
	@$(PIP) --editable '.[dev]'
	@touch $@

# One process for all four commands: loading the model is what takes the time.
run: $(VENV)/.installed
	@$(PY) tools/run.py --port $(PORT) $(if $(filter no,$(SERVE)),--no-serve)

test: $(VENV)/.installed-dev
	$(PY) -m pytest

check: $(VENV)/.installed-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.installed-dev
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: $(VENV)/.installed-dev
	$(PY) -m bench

wheel: $(VENV)/.installed-dev
	$(PIP) build
	$(PY) -m build --wheel

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache
