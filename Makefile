# The two commands: `make demo` and `make test`. Everything else is a poe task (`make help`).
PYTHON ?= python3
export PYTHONUTF8 = 1

.PHONY: demo test check-task pytest-task help install install-dev

demo: install
	@.venv/bin/python -m tools.demo

# side by side: mypy leaves a core idle, and so do the many tests that wait for a process of theirs
test: install-dev
	@$(MAKE) --no-print-directory --jobs=2 check-task pytest-task

check-task:
	@.venv/bin/python -m poethepoet check

pytest-task:
	@.venv/bin/python -m pytest -n 3 --dist loadfile

install:
	@$(PYTHON) tools/install.py

install-dev:
	@$(PYTHON) tools/install.py --extra dev

help: install
	@.venv/bin/python -m poethepoet
