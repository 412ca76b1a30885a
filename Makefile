# The two commands: `make demo` and `make test`. Everything else is a poe task (`make help`).
PYTHON ?= python3
export PYTHONUTF8 = 1

.PHONY: demo test install install-dev help

demo: install
	@.venv/bin/python -m tools.demo

test: install-dev
	@.venv/bin/python -m poethepoet check
	@.venv/bin/python -m pytest -n 3 --dist loadfile

install:
	@$(PYTHON) tools/install.py

install-dev:
	@$(PYTHON) tools/install.py --extra dev

help: install
	@.venv/bin/python -m poethepoet
