# One entry for people and for CI. Everything lives in .venv; nothing outside the checkout is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test lint conformance bench proto clean

$(READY): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]' --config-settings editable_mode=compat
	@touch $(READY)

run: $(READY)  ## serve on this machine, with the embedded master
	$(BIN)/seaweed-volume --config conf/volume.toml

test: $(READY)  ## the whole suite
	$(BIN)/trial $(TRIALFLAGS) tests

lint: $(READY)  ## types, style
	$(BIN)/flake8 seaweedvol twisted tests proto
	$(BIN)/mypy

conformance: $(READY)  ## compare with a Go server: WEED_BINARY=/path/to/weed make conformance
	$(BIN)/python -m tests.conformance

bench: $(READY)  ## figures of this machine, beside Go's (WEED_BINARY) and the Rust server's (RUST_VOLUME_BINARY)
	$(BIN)/python -m tests.benchmarks $(ROWS)

proto: $(READY)  ## generate seaweedvol/pb anew
	$(BIN)/python proto/generate.py

clean:
	rm -rf $(VENV) build dist *.egg-info _trial_temp* .mypy_cache .hypothesis
