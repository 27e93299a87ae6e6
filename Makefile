# SPDX-License-Identifier: Apache-2.0
# One verb each. Every target does all its set-up, so a fresh clone needs nothing but this file,
# Debian 12, python3.11 and make.

PYTHON  ?= $(shell command -v python3.11 || command -v python3)
PERSONS ?= 20000
WORKERS ?= 2
SEEDS   ?= 200
STEPS   ?= 60
SECONDS ?= 60

RUN     := .venv/bin/python
BENCHES := $(patsubst tests/bench/bench_%.py,bench-%,$(wildcard tests/bench/bench_*.py))

.DEFAULT_GOAL := help
.PHONY: help setup test demo journey simulate fuzz bench

help: ## show this list
	@echo 'Township node network. First look: make demo. Before a commit: make test.'
	@echo
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { sub("%", "NAME", $$1); printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: system packages (as root), venv, wheels, npm assets, cr-sqlite
	@$(PYTHON) -m provisioning.bootstrap

test: setup ## linters, types, then every test, browser included
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(RUN) -m pytest -q -n $(WORKERS) --dist loadgroup

demo: setup ## a hub and three stations with a synthetic county (PERSONS=20000); Ctrl-C stops them
	@$(RUN) -m provisioning.demo --persons $(PERSONS)

journey: setup ## real processes: cases from offline counters to a payment and back; ends "journey: ok"
	@$(RUN) -m tests.journey

simulate: setup ## the exchange under seeded faults, checked against a model (SEEDS=200 STEPS=60)
	@$(RUN) -m tests.simulation --seeds $(SEEDS) --steps $(STEPS)

fuzz: setup ## decoder, validator and merge under hostile input, guided by coverage (SECONDS=60)
	@$(RUN) -m pip install -q -c constraints.txt -e '.[fuzz]'
	@$(RUN) -m tests.fuzz --atheris --seconds $(SECONDS)

bench: setup $(BENCHES) ## every benchmark; each ends with one line of JSON

bench-%: setup ## one of them, tests/bench/bench_NAME.py
	@$(RUN) tests/bench/bench_$*.py
