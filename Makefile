# Every target sets up what it needs, and does nothing twice. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest
# Tests of whole processes mostly wait, so two files at the same time take about half the time.
WORKERS ?= 2
CODE := apid bgp bus peerd ribd tools tests examples
# As pip does with what it installs; where PYTHONDONTWRITEBYTECODE is set, every start would compile every module.
COMPILE = $(BIN)/python -m compileall -q $(CODE)

# ExaBGP is compared with in tests: where none is given or installed, it gets a venv of its own.
EXABGP_VERSION := 5.0.15
EXABGP := $(or $(BGPBUS_EXABGP),$(wildcard /opt/exabgp/bin/exabgp),.venv-exabgp/bin/exabgp)

.DEFAULT_GOAL := help
.PHONY: help run setup routers test check format docs bench soak fuzz clean

# Targets whose tool is not there (yet) are not listed.
MISSING := $(foreach tool,soak fuzz docs,$(if $(wildcard tools/$(tool)/__main__.py tools/$(tool).py),,$(tool)))

help: ## list the targets
	@awk -F ':.*## ' -v missing=' $(MISSING) ' '/^[a-z]+:.*## / && !index(missing, " " $$1 " ") \
	  { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) ## run bgpbus beside a lab router, here and now; Ctrl-C ends it
	@$(BIN)/python -m tools.lab.quickstart

setup: $(READY_DEV) ## make .venv with everything that developing needs

test: $(READY_DEV) $(EXABGP) routers ## run every test: unit, system, and against real routers
	BGPBUS_EXABGP=$(abspath $(EXABGP)) $(PYTEST) -n $(WORKERS) --dist loadfile

check: $(READY_DEV) ## format, lint, types, layers, unit tests: one to two minutes
	$(BIN)/ruff format --check --quiet $(CODE)
	$(BIN)/ruff check --quiet $(CODE)
	$(BIN)/mypy
	$(PYTEST) -q tests/unit -n $(WORKERS) --dist worksteal

format: $(READY_DEV) ## put the code into its form
	$(BIN)/ruff format --quiet $(CODE)
	$(BIN)/ruff check --quiet --fix $(CODE)

docs: $(READY_DEV) ## write the generated documents: docs/bus.md and docs/reference
	$(BIN)/python -m tools.busdoc
	$(BIN)/python -m tools.docs

bench: $(READY_DEV) $(EXABGP) ## measure beside ExaBGP, BIRD and GoBGP (short form)
	BGPBUS_EXABGP=$(abspath $(EXABGP)) $(BIN)/python -m tools.bench --short

soak: $(READY_DEV) ## hostile helpers and peers, floods, full tables, at length: prints the scorecard
	$(BIN)/python -m tools.faults $(ARGUMENTS)

fuzz: $(READY_DEV) ## feed the decoders and grammars with damage: make fuzz ARGUMENTS="--minutes 5"
	$(BIN)/python -m tools.fuzz $(ARGUMENTS)

clean: ## remove what the other targets made, venvs included
	rm -rf $(VENV) .venv-exabgp build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

# A venv that was begun and not finished has no stamp, and is made again from nothing. The pip and setuptools that come
# with Python are old, and have known vulnerabilities.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "bgpbus needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12"; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --upgrade-deps $(VENV) || \
	  { rm -rf $(VENV); echo "no venv was made, for the reason above; on Debian it may lack python3-venv: apt-get install python3-venv"; exit 1; }

$(READY): pyproject.toml | $(BIN)/python
	@echo "installing bgpbus and what it needs into $(VENV) (once)"
	@$(PIP) install --editable .
	@$(COMPILE)
	@touch $@

$(READY_DEV): pyproject.toml | $(BIN)/python
	@echo "installing bgpbus, what it needs and the tools for tests into $(VENV) (once)"
	@$(PIP) install --editable '.[dev]'
	@$(COMPILE)
	@touch $(READY) $@

.venv-exabgp/bin/exabgp:
	@echo "installing ExaBGP $(EXABGP_VERSION) into .venv-exabgp (once)"
	@$(PYTHON) -m venv .venv-exabgp
	@.venv-exabgp/bin/python -m pip -qq --disable-pip-version-check --no-input install exabgp==$(EXABGP_VERSION) \
	  || { rm -rf .venv-exabgp; exit 1; }

routers:
	@.ci/install-routers
