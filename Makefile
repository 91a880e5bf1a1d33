# `make help` lists all targets. Each target first installs what it needs into .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
RUN := .venv/bin/python
CODE := accounts arithmetic config deploy jobs knobs labeling pages preferably training clients/python manage.py scripts benchmarks tests
# Settings for tools that import the site but use no server.
QUIET := PREFERABLY_MODE=test DATABASE_URL=sqlite://:memory:
# Made, not committed. Most of the API's schema is in these files; a test notices the rest.
GENERATE := clients/python/client_build/generate.py
CLIENT := clients/python/src/preferably_client/operations.py
SCHEMA := $(shell find accounts config labeling training -name api.py -o -path '*/api/*.py' -o -path '*/models/*.py')
# Without text to translate. A folder is left out wherever it is, so benchmarks goes by its files.
NO_WORDS := $(foreach folder,.venv .demo benchmarks/*.py build clients deploy docs preferably scripts staticfiles tests var,--ignore '$(folder)')
# Many tests wait for other processes: three test processes on two cores left a third of the time
# idle, so there are two more than cores. A process takes whole files (tests/tooling/schedule.py), those
# that take longest first; the slowest tests are listed, so that somebody looks at them.
PYTEST := -n $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2) --dist loadgroup --no-loadscope-reorder --durations=15
# Otherwise every site process that a test starts would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test suite quick lint fix types bench docs-check messages client lock landed release-data record-demo loop install install-dev

help: ## List all targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## Run the whole site on this machine, with three logins; Ctrl-C stops it
	@exec $(RUN) scripts/demo.py

demo-reset: ## Delete everything the demo has stored (.demo/)
	@$(PYTHON) scripts/demo.py --reset

# Types take one core for a minute, so they are checked beside the tests.
test: install-dev ## Run every check: lint, types, contracts, and the whole suite on real services
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory -j 2 types suite

suite: install-dev $(CLIENT)
	@CHROMIUM="$$($(RUN) scripts/browser.py)" && export CHROMIUM && \
	WEBKIT="$$($(RUN) scripts/browser.py --webkit)" && export WEBKIT && \
	HELM="$$($(RUN) -m tests.house.deploy.helm)" && export HELM && \
	CADDY="$$($(RUN) -m benchmarks.operating.caddy)" && export CADDY && \
	$(RUN) scripts/run_with_services.py $(RUN) -m pytest $(PYTEST) $(ARGS)

quick: install-dev $(CLIENT) ## Run the tests without browser, torch or slow tests; ARGS="-k desk" selects
	@$(RUN) scripts/run_with_services.py --kept $(RUN) -m pytest -q -n 2 --dist worksteal \
		--quick -p no:playwright -p no:schemathesis $(ARGS)

lint: install-dev ## Check style, formatting, templates, import contracts, migrations
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/djangofmt --check --quiet templates
	@.venv/bin/lint-imports
	@$(QUIET) $(RUN) manage.py makemigrations --check --dry-run
	@$(QUIET) $(RUN) -m tests.upgrades.expand

fix: install-dev ## Fix what lint can fix automatically
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .
	@.venv/bin/djangofmt --quiet templates

types: install-dev $(CLIENT) ## Check types with mypy, strict
	@$(QUIET) .venv/bin/mypy $(CODE)

bench: install-dev ## Run every benchmark, one after another; ARGS selects one
	@for script in $(or $(ARGS),$(wildcard benchmarks/*.py)); do echo "== $$script"; $(RUN) scripts/run_with_services.py --durable $(RUN) $$script || exit 1; done

docs-check: install-dev $(CLIENT) ## Check links, lists and commands in the documentation
	@$(RUN) scripts/run_with_services.py $(RUN) -m pytest -q tests/house

# Only this target needs GNU gettext: its output is committed.
messages: install-dev ## Collect translatable texts into locale/ and compile them; needs GNU gettext
	@$(QUIET) $(RUN) manage.py makemessages --all --no-wrap --no-obsolete --add-location file $(NO_WORDS)
	@$(QUIET) $(RUN) manage.py compilemessages $(NO_WORDS)

client: install-dev ## Write the Python client's rows and operations from the API's schema
	@$(RUN) $(GENERATE)

$(CLIENT): $(GENERATE) $(SCHEMA) | install-dev
	@$(RUN) $(GENERATE)

# Only this target needs uv (https://docs.astral.sh/uv/): its output is committed.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--constraint constraints.txt --custom-compile-command "make lock"
lock: ## Write the images' packages with versions and hashes (deploy/locks); needs uv
	@echo "setuptools" | $(LOCK) --output-file deploy/locks/build.txt -
	@$(LOCK) pyproject.toml --extra s3 --output-file deploy/locks/web.txt
	@$(LOCK) pyproject.toml --extra s3 --extra train --output-file deploy/locks/node.txt

landed: install-dev ## Record new migrations; after this, they are never edited again
	@$(RUN) -m tests.upgrades.landed

# Once per release: the database that later versions must be able to upgrade.
release-data: install-dev ## Store a small database of this release; RELEASE=0.2.0
	@$(RUN) scripts/run_with_services.py $(RUN) -m tests.upgrades.store_release $(RELEASE)

record-demo: install ## Record the site that the demo begins with, in an hour; ARGS=--extend records talks and a curation on top, ARGS=--refresh only migrates it
	@PYTHONPATH=scripts $(RUN) -m record_demo $(ARGS)

loop: install ## Run the whole loop with simulated raters; DATA=file.jsonl uses your own prompts
	@$(RUN) scripts/loop.py $(if $(DATA),--data "$(DATA)") $(ARGS)

install:
	@$(PYTHON) scripts/install.py train local

install-dev:
	@$(PYTHON) scripts/install.py train local dev
