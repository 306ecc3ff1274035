# Two commands are all a newcomer needs: `make run` and `make test`. Each does its own set-up on a fresh machine.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PORT ?= 8501
STAMP := .venv/.ready-$(shell cat pyproject.toml constraints.txt 2>/dev/null | cksum | cut -d' ' -f1)

.PHONY: run test test-all lint set-up dev clean

run: set-up
	@$(BIN)/bioloom prepare
	@echo "Bioloom opens at http://localhost:$(PORT) (Ctrl+C stops it)."
	@$(BIN)/bioloom app --port $(PORT)

test: dev lint
	@BIOLOOM_PROGRESS=1 $(BIN)/python -m tests.prepare
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/browser
	@$(BIN)/python -m pytest tests/browser

test-all: dev lint
	@BIOLOOM_PROGRESS=1 $(BIN)/python -m tests.prepare
	@$(BIN)/python -m pytest -m "not benchmark" -n 2 --dist loadfile --ignore tests/browser
	@$(BIN)/python -m pytest -m "not benchmark" tests/browser

lint: dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy backend
	@$(BIN)/lint-imports

set-up: $(STAMP)

$(STAMP):
	@test -n "$(PYTHON)" || { echo "Bioloom needs Python 3.11, 3.12 or 3.13; none was found. Install one, then run make again."; exit 1; }
	@echo "Setting up (once, a few minutes): a virtual environment in .venv and Bioloom's packages."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "pip>=25.1"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e ".[rna]" | grep -E --line-buffered "^(Collecting|Installing|Successfully)" || test $${PIPESTATUS[0]} -eq 0
	@rm -f .venv/.ready-* .venv/.dev-*
	@touch $(STAMP)

dev: $(STAMP)
	@test -f $(subst ready,dev,$(STAMP)) || { \
	  echo "Adding what the tests need."; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]" && touch $(subst ready,dev,$(STAMP)); }

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache
