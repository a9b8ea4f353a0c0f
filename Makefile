# `make demo` and `make test` each do everything that is needed, from a fresh clone on.
# Needs only make and Python 3.11 or newer; another interpreter: make PYTHON=/path/to/python3 demo

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= demo
# Two test processes with one thread each beat one process with two on small tensors.
JOBS ?= 2
PYTEST_ARGS ?=
# make docs: small or full runs the lessons, else the pages of an earlier run stay.
LESSONS ?=

.PHONY: help demo test test-full tables docs lint format bench clean

help:
	@echo "make demo    samples, disasters, pairs, detectors, page -> demo/report.html"
	@echo "make test    run the tests"
	@echo "make tables  tables of README, docs and model cards, from the published results"
	@echo "make docs    the site: site/index.html; LESSONS=full runs the lessons for it"
	@echo "make lint    format check, lint, types"
	@echo "make format  rewrite the sources in the house format"
	@echo "make bench   time the stations of the pipeline on this machine"
	@echo "make clean   remove what these commands made"

demo: $(READY)
	$(BIN)/afterscene demo --out $(OUT) --overwrite
	@echo "Before you use the command afterscene: source $(BIN)/activate"

test: $(READY)
	OMP_NUM_THREADS=1 AFTERSCENE_NO_PROGRESS=1 $(BIN)/python -m pytest -n $(JOBS) -m "not slow" $(PYTEST_ARGS)

test-full: $(READY)
	OMP_NUM_THREADS=1 AFTERSCENE_NO_PROGRESS=1 $(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS)

tables: $(READY)
	$(BIN)/python tools/tables/write.py

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 LESSONS=$(LESSONS) $(BIN)/mkdocs build --strict

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src/afterscene

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) demo site docs/course build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: an installation that was cut short is done again.
$(READY): pyproject.toml constraints.txt
	@python=$$(sh tools/find-python.sh "$(PYTHON)") && \
	echo "Setting up $(VENV) with $$python (once, a few minutes)" && \
	{ test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || \
	  $$python -m venv --clear $(VENV) || \
	  { echo "$$python cannot make a virtual environment; install its venv package (on Debian: python3-venv)." >&2; exit 1; }; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[train,encoders,lab,studio,course,docs,dev]"
	@touch $(READY)
