# Everything a newcomer needs is `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CATALOGUES := $(wildcard app/translations/*/LC_MESSAGES/messages.po)
PORT ?= 8101
DATA ?= demo-data
# As many tests run at once as there are cores, those of a file one after the other, and those with
# real processes by themselves. `make test JOBS=0` runs all one after the other.
# Files in their order: files of few tests would come last, and they hold the longest tests.
JOBS ?= auto
SIDE_BY_SIDE = -n $(JOBS) --maxprocesses=4 --dist loadfile --no-loadscope-reorder
DATABASE_TESTS := tests/cli tests/exchange tests/members tests/search tests/web tests/wire tests/test_*.py
# What differs most between databases: the index, moments, turns of writers, values they refuse.
MAIN_TESTS := tests/search tests/test_migrations.py tests/test_writers.py tests/cli/test_doctor.py \
  tests/exchange/test_outbox.py tests/exchange/test_two_spaces.py tests/web/test_sign_in.py \
  tests/web/test_strange_values.py

# pip says a line a package; one line that counts is enough, and a failure must stay one.
define COUNT_PACKAGES
/^Collecting / { printf "\r         %d found", ++found; fflush() }
/^Installing collected/ { printf "\r         %d found, installing them\n", found; fflush() }
/^FAILED$$/ { failed = 1 }
END { exit failed }
endef
export COUNT_PACKAGES

.PHONY: help demo test postgresql check format relevance benchmarks catalogue browser screenshots clean

help: ## Say what can be made
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml frontend/package-lock.json frontend/build.py $(CATALOGUES)
	@echo "Installing Mitoyen into $(VENV): a minute or two the first time."
	@echo "  1 of 2: $$(grep -c == requirements.lock) Python packages ..."
	@if command -v uv >/dev/null 2>&1; then \
	  test -x $(BIN)/python || uv venv -q --python ">=3.11" $(VENV); \
	  uv pip install --python $(BIN)/python --require-hashes -r requirements.lock; \
	else \
	  test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
	  { $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	      --require-hashes -r requirements.lock || echo FAILED; } | awk "$$COUNT_PACKAGES"; \
	fi
	@echo "  2 of 2: browser files, table of cities, translations ..."
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install -q --python $(BIN)/python --no-deps -e .; \
	else \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .; \
	fi
	@touch $(READY)

demo: $(READY) ## Start three spaces that know each other; RESET=1 begins anew
	@$(BIN)/mitoyen demo --port $(PORT) --data $(DATA) $(if $(RESET),--reset)

browser: $(READY) ## Look for a Chromium, and say what to install when there is none
	@$(BIN)/python -m tests.browser.chromium

test: $(READY) browser ## Run all tests, the ones in a real browser too; the main ones on PostgreSQL as well
	@$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) -m "not alone" --durations=25
	@$(BIN)/python -m pytest -q -m alone --durations=10
	@$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) --database=postgresql $(MAIN_TESTS)

postgresql: $(READY) ## Run every test that meets a database with all spaces on PostgreSQL
	@$(BIN)/python -m pytest -q $(SIDE_BY_SIDE) --database=postgresql $(DATABASE_TESTS)

check: $(READY) ## Judge style, types, layers, dependencies, templates, catalogues, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python -m tests.catalogues --check
	$(BIN)/python -m tests.migrations_drift

format: $(READY) ## Put the code into the house's form
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

catalogue: $(READY) ## Bring the French catalogue up to date with the pages' texts
	@$(BIN)/python -m tests.catalogues
	@touch $(READY)

relevance: $(READY) ## Print how often the right person is among the first five
	@$(BIN)/python -m tests.search.relevance

benchmarks: $(READY) ## Print how fast search, pages and pulls are, beside baselines of the same run
	@$(BIN)/python -m tests.benchmarks.search
	@$(BIN)/python -m tests.benchmarks.page
	@$(BIN)/python -m tests.benchmarks.pull 10000

screenshots: $(READY) ## Take the README's two pictures anew
	@MITOYEN_SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest -q tests/browser/test_screenshots.py

clean: ## Remove what was built and the demo's data
	rm -rf $(VENV) $(DATA) static/vendor app/search/cities.tsv
