# What can be done here.  `make` alone prints the list.
#
# Every target sets up .venv by itself; the second time that costs nothing.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
RUNNABLE := .venv/.runnable
PYTEST := $(BIN)/pytest
# What is compiled once is kept, whatever the shell says: else each process, so each analysis of the
# service too, would compile scikit-learn anew, which takes seconds.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup run test test-quick check check-systems format coverage docs docs-check pictures check-faults check-security mutants fuzz bench bench-full lock sbom audit clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make .venv with the product and its tools (PYTHON=python3.12 to choose one)
	@echo "Ready: $(BIN)/rfm --help"

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing the product and its tools into .venv (about a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[dev]'
	@touch $@ $(RUNNABLE)

# What the service needs is a third of that, and there in a third of the time.
$(RUNNABLE): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing the service into .venv (less than a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[server,mysql]'
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is not it: give PYTHON=python3.12, say" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv

run: $(RUNNABLE) ## Start the service on http://127.0.0.1:5000, with a made-up shop to try it on
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
	$(PYTEST) -n 2 --dist worksteal

test-quick: $(INSTALLED) ## The tests that take a moment, in under a minute
	$(PYTEST) -n 2 -m "not slow and not security_long"

check: $(INSTALLED) ## Format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check-systems: $(INSTALLED) ## Types as Windows and macOS see them, where the tests do not run
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 src
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin src

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

check-faults: $(INSTALLED) ## Plant, kill, fill, cut off and fail system calls: one table of figure and goal (hours)
	cd tests && ../$(BIN)/python -m faults.check $(PARTS)

check-security: $(INSTALLED) ## The long forms of what runs shortened in `make test`: one table of figure and goal (an hour)
	cd tests && ../$(BIN)/python -m security_check $(PARTS)

mutants: $(INSTALLED) ## Make accounts, tokens, uploads and jobs wrong in MOST=100 ways drawn by SEED=0, after the first SKIP=0, through SECONDS=60 of tests each; what no test sees is listed
	@$(BIN)/python -c 'import cosmic_ray' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[mutants]'
	cd tests && ../$(BIN)/python -m proven.mutants --most $(or $(MOST),100) --skip $(or $(SKIP),0) --seed $(or $(SEED),0) --only "$(ONLY)" \
	  --seconds $(or $(SECONDS),60)

fuzz: $(INSTALLED) ## Change inputs at random at each door, for SECONDS=60 each; findings become tests
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fuzz]'
	cd tests && for door in csv workbook token json_body; do \
	  ../$(BIN)/python -m fuzz.run $$door $(or $(SECONDS),60) || exit 1; done

DRAWS := .venv/.draws
$(DRAWS): pyproject.toml constraints.txt | $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

bench: $(DRAWS) ## Measure against peers run beside it, into benchmarks/RESULTS.md (20 million rows, long)
	$(BIN)/python benchmarks/run.py

bench-full: $(DRAWS) ## The same with 100 million rows (hours, 30 GB of disk)
	$(BIN)/python benchmarks/run.py --pairs 1 --sizes 1e6,5e6,20e6,100e6 --many-customers 10000000 \
	  --spark-sizes 1e6,4e6,10e6,20e6 --uploads 10000 --many-rows 50000000 --load-seconds 600

lock: $(INSTALLED) ## Renew constraints.txt, and requirements.lock from it
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@sed '/^[^#]/,$$d' constraints.txt > constraints.new
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras \
	  --no-annotate --no-header --quiet --upgrade --output-file constraints.part
	@cat constraints.part >> constraints.new
	@rm constraints.part
	@mv constraints.new constraints.txt
	@sed '/^[^#]/,$$d' requirements.lock > lock.new
	echo hatchling | $(BIN)/uv pip compile pyproject.toml - --extra server --extra mysql --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet --constraints constraints.txt --output-file lock.part
	@cat lock.part >> lock.new
	@rm lock.part
	@mv lock.new requirements.lock

sbom: $(INSTALLED) ## Write the bill of materials of a deployment, out/sbom.json (CycloneDX)
	@mkdir -p out
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --of JSON -o out/sbom.json

audit: $(INSTALLED) ## Ask about known weaknesses of what is deployed; no answer counts as a failure
	$(BIN)/python supply/audit.py

clean: ## Remove what the targets above made, .venv included
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
