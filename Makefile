# make run   set up everything and run the example on real data
# make test  set up everything and pass all tests
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
# The event loop is compiled on the way if there is a C compiler; the constraints hold for what that takes, too.
INSTALL := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(PYTHON) -m pip install --disable-pip-version-check --quiet --constraint constraints.txt
CONFIG ?= configs/backtest_with_tracing.yaml

.PHONY: help run test check format schema clean bench bench-quick bench-scaling

help:
	@grep -E '^# make' Makefile | cut -c3-
	@echo "make check  lint, types, import contracts, duplicates, dependencies"

$(VENV)/.made:
	interpreter="$$(sh tools/find-python)" && "$$interpreter" -m venv $(VENV)
	@touch $@

# Compiled here, because with PYTHONDONTWRITEBYTECODE set every start would compile everything again.
$(VENV)/.run: pyproject.toml setup.py constraints.txt $(VENV)/.made
	@echo "installing into $(VENV), and compiling the event loop: a minute or two, once"
	$(INSTALL) --editable .
	-@$(PYTHON) -m compileall -q $(VENV)/lib >/dev/null 2>&1
	@touch $@

$(VENV)/.dev: pyproject.toml setup.py constraints.txt $(VENV)/.made
	@echo "installing into $(VENV), and compiling the event loop: a minute or two, once"
	$(INSTALL) --editable '.[dev]'
	-@$(PYTHON) -m compileall -q $(VENV)/lib >/dev/null 2>&1
	@touch $@ $(VENV)/.run

run: $(VENV)/.run
	@$(PYTHON) -m compileall -q admf_cli
	$(VENV)/bin/admf run $(CONFIG)
	@echo
	@echo "try next:  $(VENV)/bin/admf run $(CONFIG) --set strategies[0].params.fast=20"
	@echo "           $(VENV)/bin/admf run configs/several_symbols.yaml"
	@echo "           $(VENV)/bin/admf --help, and README.md"

test: $(VENV)/.dev
	@$(PYTHON) -m compileall -q admf_cli
	$(PYTHON) -m pytest -n 2

check: $(VENV)/.dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports
	$(PYTHON) tools/duplicates.py
	$(PYTHON) tools/licences.py
	$(PYTHON) tools/audit.py

format: $(VENV)/.dev
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

# Rewrite what is made from the configuration's schema.
schema: $(VENV)/.dev
	$(PYTHON) -m admf_cli config schema > configs/schema.json
	$(PYTHON) -m admf_cli config schema --markdown > docs/config.md

# Compile the event loop anew: after an edit it runs from its sources.
.PHONY: compiled
compiled: $(VENV)/.run
	$(INSTALL) --no-deps --editable .
	@$(VENV)/bin/admf --version

# Whole processes beside other backtesters, each in its own environment; see benchmarks/README.md.
BENCH_ENV = .bench-envs/%/.installed

$(BENCH_ENV): benchmarks/peers/%.txt
	interpreter="$$(sh tools/find-python $(if $(filter nautilus_trader,$*),12,11))" && \
		"$$interpreter" -m venv .bench-envs/$*
	.bench-envs/$*/bin/python -m pip install --disable-pip-version-check --quiet --requirement $<
	-@.bench-envs/$*/bin/python -m compileall -q .bench-envs/$*/lib >/dev/null 2>&1
	@touch $@

# The two peers that are fastest at these sizes.
bench-quick: $(VENV)/.run $(patsubst %,.bench-envs/%/.installed,backtesting basana)
	@$(PYTHON) -m compileall -q admf_cli
	$(PYTHON) benchmarks/run.py --rows 10000 100000 --peers backtesting basana --repeat 3 --budget 20

PEERS := backtesting backtrader basana bt hftbacktest nautilus_trader vectorbt zipline

bench: $(VENV)/.run $(patsubst %,.bench-envs/%/.installed,$(PEERS))
	@$(PYTHON) -m compileall -q admf_cli
	$(PYTHON) benchmarks/run.py --rows 10000 100000 1000000 --repeat 5 \
		--peers $(filter-out vectorbt,$(PEERS)) vectorbt:numba vectorbt:rust

bench-scaling: $(VENV)/.run
	@$(PYTHON) -m compileall -q admf_cli
	$(PYTHON) benchmarks/scaling.py
	$(PYTHON) benchmarks/profile_run.py --rows 1000000

.PHONY: faults fuzz coverage mutation

# Kill three hundred traced runs at random moments; check what they leave and what comes after them.
faults: $(VENV)/.dev
	$(PYTHON) -m tests.faults.kills --kills 300

# Changed bytes for the config loader and the trace reader; a case is its seed.
fuzz: $(VENV)/.dev
	$(PYTHON) -m tests.faults.fuzz --cases 20000

# Branch coverage, what runs in child processes counted; below 95 % it fails. Not with pytest -n: a worker's end loses
# what it counted.
coverage: $(VENV)/.dev
	$(PYTHON) -m coverage erase
	ADMF_COMPILED=0 $(PYTHON) -m coverage run -m pytest
	$(PYTHON) -m coverage combine --quiet
	$(PYTHON) -m coverage report --skip-covered --fail-under=95

# Which of the small changes to the money paths no test notices.
mutation: $(VENV)/.dev
	$(PYTHON) tools/mutation.py

# What a bar costs a strategy of one's own, beyond its own code.
bench-bar-cost: $(VENV)/.run
	$(PYTHON) benchmarks/bar_cost.py

clean:
	rm -rf $(VENV) build dist *.egg-info admf_cli/_compiled

# Thousands of markets beside backtesting.py and backtrader, and thousands of generated runs beside the plain loop.
parity: $(VENV)/.dev
	ADMF_PARITY_MARKETS=200 $(PYTHON) -m pytest -n 2 tests/parity

properties: $(VENV)/.dev
	$(PYTHON) -m pytest -n 2 tests/engine --hypothesis-profile=thorough

# Every digit of every file of a small trace changed, one after the other: `verify` must find each.
verify-digits: $(VENV)/.dev
	ADMF_EVERY_DIGIT=1 $(PYTHON) -m pytest tests/traces/test_verify_trace.py -k digit

# What questions to a trace cost on ten thousand events and on a million.
bench-questions: $(VENV)/.dev
	@$(PYTHON) -m compileall -q admf_cli
	$(PYTHON) benchmarks/questions.py

# What reading a trace of a million events costs, beside a loop that merely parses its lines.
bench-reading: $(VENV)/.dev
	@$(PYTHON) -m compileall -q admf_cli
	$(PYTHON) benchmarks/reading.py

# Tracing off beside a build in which tracers do not exist.
bench-without-tracers: $(VENV)/.run
	$(PYTHON) benchmarks/without_tracers.py
