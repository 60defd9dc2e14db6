# What can be done here.  `make` alone prints the list.
#
# Every target sets up .venv by itself; the second time that costs nothing.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PYTEST := $(BIN)/pytest

.DEFAULT_GOAL := help
.PHONY: help setup run test test-quick check format types coverage docs docs-check pictures check-faults bench bench-full lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make .venv with the product and its tools (PYTHON=python3.12 to choose one)
	@echo "Ready: $(BIN)/rfm --help"

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing into .venv (about a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is not it: give PYTHON=python3.12, say" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv

run: $(INSTALLED) ## Start the service on http://127.0.0.1:5000, with a made-up shop to try it on
	@mkdir -p out
	@test -f out/sales.csv || $(BIN)/rfm sample out/sales.csv
	$(BIN)/rfm segment out/sales.csv -o out/segments.csv --report out/report.html --force
	@echo
	@echo "The customers with their segments:  out/segments.csv"
	@echo "The report, for any browser:        file://$(CURDIR)/out/report.html"
	@echo
	@echo "The service starts now.  Open it in a browser:  http://127.0.0.1:5000"
	@echo "or in another terminal:  docs/start/api.md has the calls, out/sales.csv is a file to upload."
	FLASK_ENV=development RFM_DATA_DIR=out/data UPLOAD_DIR=out/uploads $(BIN)/rfm serve

test: check docs-check ## Everything that decides: format, lint, types, contracts, docs, all tests
	$(PYTEST) -n 2

test-quick: $(INSTALLED) ## The tests that take a moment, in under a minute
	$(PYTEST) -n 2 -m "not slow"

check: $(INSTALLED) ## Format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED) ## Format the code and put right what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: $(INSTALLED) ## The tests with branch coverage, lines that no test reaches named
	$(PYTEST) --cov --cov-report=term-missing:skip-covered

docs: $(INSTALLED) ## Write docs/reference from the code
	$(BIN)/python -m docs_tools

pictures: $(INSTALLED) ## Draw the dashboard's pages into docs/pictures
	$(BIN)/python -m docs_tools.pictures

docs-check: $(INSTALLED) ## Fail where docs/reference differs from the code
	$(BIN)/python -m docs_tools --check

check-faults: $(INSTALLED) ## Plant a fault in each stage and see the tests fail (two minutes)
	cd tests && ../$(BIN)/python -m faults.check

bench: $(INSTALLED) ## Measure against peers run beside it, into benchmarks/RESULTS.md (20 million rows, long)
	$(BIN)/python benchmarks/run.py

bench-full: $(INSTALLED) ## The same with 100 million rows, into out/bench-full.md (very long, 12 GB of disk)
	@mkdir -p out
	$(BIN)/python benchmarks/run.py --rows 100000000 --pairs 1 --out out/bench-full.md

lock: $(INSTALLED) ## Renew constraints.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@sed '/^[^#]/,$$d' constraints.txt > constraints.new
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras \
	  --no-annotate --no-header --quiet --upgrade --output-file constraints.part
	@cat constraints.part >> constraints.new
	@rm constraints.part
	@mv constraints.new constraints.txt

clean: ## Remove what the targets above made, .venv included
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
