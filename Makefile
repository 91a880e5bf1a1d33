# `make help` lists what there is. Everything a target needs it installs first, into .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
RUN := .venv/bin/python
CODE := accounts config labeling pages training clients/python/src manage.py scripts benchmarks tests
# Settings for tools that import the site but touch no server.
QUIET := PREFERABLY_MODE=test DATABASE_URL=sqlite://:memory:
# Folders whose words nobody translates.
NO_WORDS := $(foreach folder,.venv .demo benchmarks build clients deploy docs scripts staticfiles tests var,--ignore $(folder))
# A test process per core. Tests are handed out one by one: some take a minute.
PYTEST := -n auto --dist loadgroup
# Else every process of the site that a test starts would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test quick lint fix types bench docs-check messages loop install install-dev

help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## The whole site on this machine, with three logins. Ctrl-C ends it
	@exec $(RUN) scripts/demo.py

demo-reset: ## Throw away everything the demo has stored (.demo/)
	@$(PYTHON) scripts/demo.py --reset

test: install-dev ## Every check: lint, types, contracts, and the whole suite on real services
	@$(MAKE) --no-print-directory -j 2 lint types
	@CHROMIUM="$$($(RUN) scripts/browser.py)" && export CHROMIUM && \
	$(RUN) scripts/run_with_services.py $(RUN) -m pytest $(PYTEST) $(ARGS)

quick: install-dev ## The tests that need no browser, torch or many seconds. ARGS="-k desk" chooses
	@$(RUN) scripts/run_with_services.py --kept $(RUN) -m pytest -q -n 2 --dist worksteal \
		--quick -p no:playwright -p no:schemathesis $(ARGS)

lint: install-dev ## Style, formatting, import contracts, missing migrations
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/djangofmt --check --quiet templates
	@.venv/bin/lint-imports
	@$(QUIET) $(RUN) manage.py makemigrations --check --dry-run

fix: install-dev ## Mend what lint can mend by itself
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .
	@.venv/bin/djangofmt --quiet templates

types: install-dev ## mypy, strict
	@$(QUIET) .venv/bin/mypy $(CODE)

bench: install-dev ## Every benchmark, one after the other; ARGS names one
	@for script in $(or $(ARGS),$(wildcard benchmarks/*.py)); do echo "== $$script"; $(RUN) scripts/run_with_services.py --durable $(RUN) $$script || exit 1; done

docs-check: install-dev ## Links, lists and commands in the documentation
	@$(RUN) scripts/run_with_services.py $(RUN) -m pytest -q tests/house

# Only this target needs GNU gettext: what it makes is committed.
messages: install-dev ## Collect the marked words into locale/ and compile them; needs GNU gettext
	@$(QUIET) $(RUN) manage.py makemessages --all --no-wrap --no-obsolete --add-location file $(NO_WORDS)
	@$(QUIET) $(RUN) manage.py compilemessages $(NO_WORDS)

loop: install ## The whole loop with simulated raters; DATA=file.jsonl, else the demo's own content
	@$(RUN) scripts/loop.py $(if $(DATA),--data "$(DATA)") $(ARGS)

install:
	@$(PYTHON) scripts/install.py train local

install-dev:
	@$(PYTHON) scripts/install.py train local dev
