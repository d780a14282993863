# The commands of the contract. Every target sets up what it needs by itself; `make help` lists them.
PYTHON ?=
VENV ?= .venv
PORT ?= 8000
DATA ?= .longlead
JOBS ?= 4

# A value as one word of the shell, letter for letter: blanks, quotes and dollars included.
quoted = '$(subst ','\'',$(value $(1)))'
# Such a value behind its option, where one was given.
option = $(if $(value $(2)),$(1) $(call quoted,$(2)))

# bootstrap/ makes the environment, pinned and with hashes, and looks whether it is whole: for running, or for working.
SETUP = sh bootstrap/setup.sh
BIN = $(call quoted,VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help ready-to-run ready-to-work demo test test-live test-large properties versions takeover readings serve evals bench chaos soak lint \
	format language studio picture docs requirements try-setup try-install clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

ready-to-run:
	@$(SETUP) run $(call quoted,VENV) $(call quoted,PYTHON)

ready-to-work:
	@$(SETUP) dev $(call quoted,VENV) $(call quoted,PYTHON)

demo: ready-to-run  ## Play a recorded building over HTTP against the real service, on a fresh embedded database
	@$(BIN)/longlead demo

serve: ready-to-run  ## API, worker and embedded PostgreSQL on 127.0.0.1 (PORT=, DATA=)
	@$(BIN)/longlead serve --port $(call quoted,PORT) --data $(call quoted,DATA)

test: ready-to-work  ## The whole test suite (JOBS= parallel workers)
	@$(BIN)/python -m pytest -n $(call quoted,JOBS) --dist loadfile

test-live: ready-to-work  ## The tests that ask a real model (OPENAI_BASE_URL, LONGLEAD_MODELS)
	@test -n "$$OPENAI_BASE_URL" || { echo "Set OPENAI_BASE_URL and LONGLEAD_MODELS first (CONTRIBUTING.md)"; exit 2; }
	@$(BIN)/python -m pytest -m live tests/models -v

test-large: ready-to-work  ## The tests that take minutes: all scenarios in watch
	@$(BIN)/python -m pytest -m large tests/agent

versions: ready-to-work  ## Backup, restore and the agent on PostgreSQL 14 to 18, fetched by npm (VERSIONS=)
	@$(BIN)/python -m tests.postgres_versions $(VERSIONS)

properties: ready-to-work  ## What must hold of every line, over thousands of generated histories (EXAMPLES=)
	@PROPERTY_EXAMPLES=$(or $(EXAMPLES),5000) AGENT_EXAMPLES=$(or $(EXAMPLES),2000) $(BIN)/python -m pytest -q \
		tests/lines tests/agent/test_any_history.py

readings: ready-to-work  ## What a model reads, advises, words and summarises, case by case (recorded, or OPENAI_BASE_URL)
	@$(BIN)/python -m evals.reading

evals: ready-to-run  ## Play the recorded scenarios and stories, and judge the agent (PATTERN=, REPORT=)
	@$(BIN)/longlead evals $(call option,--report,REPORT) $(call option,--,PATTERN)
	@test -n $(call quoted,PATTERN)$(call quoted,REPORT) || $(BIN)/longlead evals --stories

lint: ready-to-work  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: ready-to-work  ## Lay the code out, also where something is left to be fixed by hand
	@$(BIN)/ruff check --fix . || { $(BIN)/ruff format .; exit 1; }
	@$(BIN)/ruff format .

language: ready-to-work  ## How plain the words of the code and the documents are, and where they are not
	@$(BIN)/python -m tests.language

bench: ready-to-work  ## The benchmarks, side by side with their baselines, as ratios (BENCH=names and options)
	@$(BIN)/python -m evals.bench $(BENCH)

chaos: ready-to-work  ## Kill and freeze processes under load, then check everything (EVENTS=, KILLS=, SEED=)
	@$(BIN)/python -m evals.chaos $(call option,--events,EVENTS) $(call option,--kills,KILLS) $(call option,--seed,SEED)

takeover: ready-to-work  ## How long it takes until a host that was cut off is replaced (root on Linux)
	@$(BIN)/python -m evals.chaos.takeover

soak: ready-to-work  ## 200,000 events, and whether memory, connections, jobs or latency grow (EVENTS=, BUILDINGS=)
	@$(BIN)/python -m evals.soak $(call option,--events,EVENTS) $(call option,--buildings,BUILDINGS)

studio: ready-to-work  ## LangGraph's dev server over the same threads (DATA=)
	@LONGLEAD_DATA_DIR=$(call quoted,DATA) $(BIN)/longlead studio

picture: ready-to-run  ## Draw the graph into README.md and ARCHITECTURE.md
	@$(BIN)/python -m graph.picture

docs: picture  ## What the documents take from the code: the picture of the graph, the table of settings
	@$(BIN)/python -m runtime.settings_page

requirements: ready-to-work  ## Pin all packages again, with hashes; build tools as pyproject.toml names them
	@$(BIN)/python -m bootstrap.pins

try-setup: ready-to-work  ## Kill set-up at random moments, and see that the next one always works (KILLS=, WITH=pip or uv)
	@$(BIN)/python -m tests.setup.kill_setups $(call option,--kills,KILLS) $(call option,--with,WITH)

try-install: ready-to-work  ## Install with pipx and uv into a folder that goes away, and use what came (WITH=pipx or uv)
	@$(BIN)/python -m tests.setup.whole_install $(call option,--with,WITH)

clean:  ## Remove the environment and the demo's and service's data in this folder
	@rm -rf -- $(call quoted,VENV) $(call quoted,VENV).partial $(call quoted,VENV).old
	@rm -rf .longlead .mypy_cache .ruff_cache .pytest_cache .hypothesis .langgraph_api
