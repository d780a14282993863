# The commands of the contract. Every target sets up what it needs by itself; `make help` lists them.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PORT ?= 8000
DATA ?= .longlead
JOBS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo test test-live test-large readings serve evals bench chaos soak lint format studio picture requirements clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

# Three sets of packages: what builds packages, what runs Longlead, and what is needed to work on it (tests, lint,
# Studio). All pinned with hashes, and nothing is built with anything else: hence no build isolation, in which pip would
# fetch build tools of its own choice. A stamp file tells which is there.
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation

$(VENV)/.build: requirements-build.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --only-binary :all: --require-hashes -r requirements-build.txt
	@touch $@

$(VENV)/.run: requirements.txt pyproject.toml $(VENV)/.build
	@echo "Installing what Longlead needs (once) ..."
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing what working on Longlead needs (once) ..."
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(VENV)/.run  ## Play a recorded building over HTTP against the real service, on a fresh embedded database
	@$(BIN)/longlead demo

serve: $(VENV)/.run  ## API, worker and embedded PostgreSQL on 127.0.0.1 (PORT=, DATA=)
	@$(BIN)/longlead serve --port $(PORT) --data $(DATA)

test: $(VENV)/.dev  ## The whole test suite (JOBS= parallel workers)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

test-live: $(VENV)/.dev  ## The tests that ask a real model (OPENAI_BASE_URL, LONGLEAD_MODELS)
	@test -n "$$OPENAI_BASE_URL" || { echo "Set OPENAI_BASE_URL and LONGLEAD_MODELS first (CONTRIBUTING.md)"; exit 2; }
	@$(BIN)/python -m pytest -m live tests/models -v

test-large: $(VENV)/.dev  ## The tests that take minutes: all scenarios in watch
	@$(BIN)/python -m pytest -m large tests/agent

readings: $(VENV)/.dev  ## What a model reads, advises, words and summarises, case by case (recorded, or OPENAI_BASE_URL)
	@$(BIN)/python -m evals.reading

evals: $(VENV)/.run  ## Play the recorded scenarios and judge the agent (PATTERN=, REPORT=)
	@$(BIN)/longlead evals $(PATTERN) $(if $(REPORT),--report $(REPORT))

lint: $(VENV)/.dev  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev  ## Lay the code out
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev  ## The benchmarks, side by side with their baselines, as ratios
	@$(BIN)/python -m evals.bench

chaos: $(VENV)/.dev  ## Kill and freeze processes under load, then check everything (EVENTS=, KILLS=, SEED=)
	@$(BIN)/python -m evals.chaos $(EVENTS:%=--events %) $(KILLS:%=--kills %) $(SEED:%=--seed %)

soak: $(VENV)/.dev  ## 200,000 events, and whether memory, connections, jobs or latency grow (EVENTS=, BUILDINGS=)
	@$(BIN)/python -m evals.soak $(EVENTS:%=--events %) $(BUILDINGS:%=--buildings %)

studio: $(VENV)/.dev  ## LangGraph's dev server over the same threads (DATA=)
	@LONGLEAD_DATA_DIR=$(DATA) $(BIN)/longlead studio

picture: $(VENV)/.run  ## Draw the graph anew into README.md and ARCHITECTURE.md
	@$(BIN)/python -m graph.picture

requirements: $(VENV)/.dev  ## Pin all packages again, with hashes; build tools as pyproject.toml names them
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | $(BIN)/uv pip compile - --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -o requirements-build.txt
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q -c requirements-build.txt -o requirements-dev.txt
	@$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q -c requirements-dev.txt -o requirements.txt

clean:  ## Remove the environment and the demo's and service's data in this folder
	@rm -rf $(VENV) .longlead .mypy_cache .ruff_cache .pytest_cache .hypothesis .langgraph_api
