# The project's verbs. Each makes the environment it needs from a bare Python ≥ 3.11.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
CODE   := api core workflows activities worker sdk cli nalanda_check website tests benchmarks video
ARGS   ?=
PYTEST := $(BIN)/python -m pytest -n auto
# An environment without PATH, as `env -i` makes one, is enough.
export PATH ?= /usr/local/bin:/usr/bin:/bin
# Behind a proxy that inspects TLS, only the system's certificates know its issuer.
export UV_SYSTEM_CERTS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-cluster test coverage lint types imports kernels format generate docs video bench crash chaos fuzz clean

help:            ## say what each verb does
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY)  ## only the environment, in .venv

demo: $(READY)   ## everything in one terminal; ends with Ctrl-C, or by itself with ARGS=--once
	$(BIN)/nalanda demo $(ARGS)

demo-cluster: $(READY) ## three nodes and a replicated PostgreSQL, which lose processes under load
	$(BIN)/python -m tests.cluster.demo $(ARGS)

test: $(READY)   ## style, types, import rules and all tests; ARGS go to pytest
	$(MAKE) --jobs 2 types lint imports kernels
	$(PYTEST) $(ARGS)

coverage: $(READY) ## the tests, and which branches they leave out; fails under the share in pyproject.toml
	$(PYTEST) --cov --cov-report=term:skip-covered $(ARGS)

lint: $(READY)   ## style, prose, and the compose and CI files against their specifications
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/python -m tests.prose $(CODE) docs README.md CONTRIBUTING.md
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

imports: $(READY)  ## the arrows between the folders
	$(BIN)/lint-imports

kernels: $(READY)  ## compile the kernels, which tests and servers then load from a cache
	$(BIN)/python -c "from core.indexing.maintenance.kernel_warmup import call_every_kernel; call_every_kernel()"

format: $(READY) ## rewrite the code in the project's style
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

generate: $(READY) ## the blocking half of the SDK, from the asynchronous one
	$(BIN)/python sdk/unasync.py

docs: $(READY)   ## the documentation site, in cli/site; a dead link ends it
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet $(ARGS)

video: $(READY)  ## record both films from nothing, in docs/videos
	$(BIN)/uv sync --frozen --quiet --group video
	$(BIN)/python -m video $(ARGS)

bench: $(READY)  ## figures, beside the peers, which it installs
	$(BIN)/uv sync --frozen --quiet --group bench
	$(BIN)/python -m benchmarks $(ARGS)

crash: $(READY)  ## servers killed under load, again and again; ARGS=--short for a minute of it
	$(BIN)/python -m tests.crash $(ARGS)

chaos: $(READY)  ## ingestions while the processes are killed every few seconds
	$(BIN)/python -m tests.chaos $(ARGS)

fuzz: $(READY)   ## a server under generated calls, 1,000 an operation; ARGS="--examples 20" for fewer
	$(BIN)/python -m tests.fuzz $(ARGS)

clean:           ## remove the environment, caches and the demo's data
	rm -rf $(VENV) .data .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage dist cli/site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

CERTIFICATES := 'import ssl; paths = ssl.get_default_verify_paths(); print(paths.cafile or paths.capath or "")'
FETCH_UV     := $(BIN)/python -m pip install --quiet --disable-pip-version-check uv

# `uv` comes from the lock as well, so what pip fetches here is only the way in.
$(READY): pyproject.toml sdk/pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Nalanda needs Python 3.11 or newer; this one is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 demo")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || PIP_CERT="$${PIP_CERT-$$($(BIN)/python -c $(CERTIFICATES))}" $(FETCH_UV) || $(FETCH_UV)
	$(BIN)/uv sync --frozen --quiet --compile-bytecode
	@touch $(READY)
