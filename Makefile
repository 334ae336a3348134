# `make demo` and `make test` install what they need into .venv; only Python 3.11+ and make
# have to be there. Versions are pinned in constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
export OMP_NUM_THREADS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

.PHONY: demo test check suite quick exhaustive fuzz bench clean help

help:
	@echo "make demo    train on 1,797 handwritten digits and write an HTML report (3 minutes)"
	@echo "make test    install the development tools, then run every check and test"
	@echo "make check   the checks alone: ruff, pyright, import-linter"
	@echo "make suite   the tests alone; a browser or peer that is missing fails"
	@echo "make quick   ruff and the tests of every day: those without torch, and a sample (3 minutes)"
	@echo "make exhaustive  every net compiled, exported, folded, rewritten, every command (hours)"
	@echo "make fuzz    hostile and broken input of every kind, for 10 minutes"
	@echo "make bench   measure the speeds that bench/RESULTS.md quotes"

demo: .venv/.installed
	@rm -rf demo
	@$(BIN)/python examples/digits.py demo/digits.npz
	@$(BIN)/netwright fit demo/digits.npz --budget "params<=200K, macs<=5M, memory<=2MB" --minutes 2.5 --out demo/run
	@echo "report: $(CURDIR)/demo/run/report.html"

test: check suite

check: .venv/.tools
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports

# What cannot run here fails; NETWRIGHT_MUST_RUN= skips it.
suite: export NETWRIGHT_MUST_RUN ?= 1
suite: .venv/.tools .venv/.browser .venv/.postgres
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist worksteal --durations 12

# What needs no torch, and a sample of what does.
QUICK := tests/advice tests/blocks tests/core tests/nets/test_published.py tests/nets/test_reference.py \
  tests/report tests/rules tests/space tests/units/test_costs.py src
quick: .venv/.tools
	$(BIN)/ruff check
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist worksteal \
	  -m 'not slow and not exhaustive and not browser' $(QUICK)

exhaustive: .venv/.tools
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist worksteal -m exhaustive tests

fuzz: .venv/.tools
	OMP_NUM_THREADS=1 NETWRIGHT_FUZZ_SECONDS=600 $(BIN)/pytest --numprocesses auto --dist load tests/fuzz

bench: .venv/.tools
	$(BIN)/python bench/run.py

.venv/.made:
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade pip
	@touch $@

.venv/.installed: .venv/.made pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

# Peers come without their dependencies: torchvision and timm would bring a torch of their own.
.venv/.tools: .venv/.installed
	$(PIP) --group dev
	$(PIP) --no-deps --group peers
	@touch $@

# The pages are opened in Chromium; `make suite` fails without one.
.venv/.browser: .venv/.made
	@command -v chromium chromium-browser google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	       && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
	  || echo "no Chromium: the browser tests will fail; install one, or set NETWRIGHT_MUST_RUN="
	@touch $@

# The tests of searches on many machines start a server of their own; root runs it as `postgres`.
.venv/.postgres: .venv/.made
	@command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	       && apt-get update -qq && apt-get install -y -qq postgresql >/dev/null; } \
	  || echo "no PostgreSQL: its tests will fail; install one, or set NETWRIGHT_MUST_RUN="
	@touch $@

clean:
	rm -rf .venv demo build dist src/*.egg-info
