# Everything a newcomer needs, with Python 3.11+ and make. `make demo` shows the main job, `make test` checks it.
PYTHON ?= python3
AUTO ?=
VENV := .venv
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Else each of hundreds of processes compiles what the one before it compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test torture check lock clean

help: ## Show this.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

setup: $(VENV)/.ready ## Build .venv with the locked dependencies; .venv/bin/signoff is the command.

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Signoff needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.lock
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.ready ## Show the main job in a local workspace. AUTO=1 plays it without a person.
	@$(VENV)/bin/signoff demo $(if $(AUTO),--auto)

test: $(VENV)/.ready-dev ## Run the tests.
	$(VENV)/bin/pytest -n 6 --dist loadfile --no-loadscope-reorder

torture: $(VENV)/.ready-dev ## Kill it at every write, plant faults, and say what came of it. Takes hours.
	$(VENV)/bin/python -m tests.system.torture $(if $(TIMES),--times $(TIMES))
	SIGNOFF_TEST_CRASHES=all $(VENV)/bin/pytest tests/system/test_crashes.py
	SIGNOFF_TEST_SEQUENCES=$(or $(SEQUENCES),2000) $(VENV)/bin/pytest --timeout 0 tests/invariants/test_simulation.py
	SIGNOFF_TEST_VOTES=100000 $(VENV)/bin/pytest --timeout 0 tests/approvals/test_policy.py -k Votes
	$(VENV)/bin/python -m tests.invariants.mutants

check: $(VENV)/.ready-dev ## Run the linters, the types and the import contracts.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/signoff runbooks lint runbooks

lock: $(VENV)/.ready-dev ## Resolve the dependencies anew.
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml -o requirements.lock
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra test --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(VENV)/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url - -o requirements-build.lock

clean: ## Remove what was built.
	rm -rf $(VENV) build dist *.egg-info
