# The one door: `make help` lists what there is. Needs Python 3.11 or newer and a package index; what needs Docker says so.

UV_VERSION := 0.13.8
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

# uv lives apart from the environment it makes: `uv sync` removes from .venv whatever the lock does not name.
BIN := .venv/bin
UV := .tools/bin/uv
UV_STAMP := .tools/uv-$(UV_VERSION)
SETUP_STAMP := .venv/setup-done
# checkov asks for versions that nothing else here could live with, so it has an environment and a lock of its own.
CHECKOV := .tools/checkov/bin/checkov
LOG := .tools/last.log
PROJECTS := pyproject.toml uv.lock shared/pyproject.toml $(wildcard services/*/pyproject.toml)

# The end-to-end stack has a name and ports of its own, so it runs beside one that somebody works with.
E2E_PORT_PREFIX := 1
E2E := WINDROW_PORT_PREFIX=$(E2E_PORT_PREFIX) docker compose --project-name windrow-e2e

export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT

.DEFAULT_GOAL := help
.PHONY: help setup demo dev test sim faults bench check e2e reference images push deploy rollback up down clean

help: ## Show this list
	@echo 'Windrow: make TARGET'
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  \1	\2/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(SETUP_STAMP) ## Make .venv from the lock file (every other target does this first)
	@:

$(UV_STAMP):
	@test -n "$(PYTHON)" || { echo 'Windrow needs Python 3.11 or newer; set PYTHON=/path/to/python3' >&2; exit 1; }
	@echo "setup: uv $(UV_VERSION) on $$($(PYTHON) --version)"
	@rm -rf .tools && $(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) >$(LOG) 2>&1 \
		|| { cat $(LOG) >&2; exit 1; }
	@touch $@

$(SETUP_STAMP): $(UV_STAMP) $(PROJECTS)
	@echo 'setup: packages from uv.lock into .venv'
	@$(UV) sync --quiet --frozen --all-packages --python .tools/bin/python
	@touch $@

demo: setup ## Two minutes of Windrow on this machine's own figures; no Docker
	@$(BIN)/windrow demo $(ARGS)

dev: setup ## Run all services here, on an embedded AWS emulator; no Docker
	@$(BIN)/windrow dev $(ARGS)

test: setup ## Every test that needs no Docker
	$(BIN)/pytest -m 'not localstack and not e2e' -n 2 --dist loadgroup $(ARGS)

sim: setup ## Simulated services, faults and time: SECONDS=60, or SEEDS=5000, FROM=1, or ONLY=seed
	@$(BIN)/python -m tests.sim $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEEDS),--seeds $(SEEDS)) \
		$(if $(FROM),--first $(FROM)) $(if $(ONLY),--only $(ONLY))

bench: setup ## Speed and memory, as ratios against a peer in the same run
	@$(BIN)/python -m tests.bench.decoding
	@$(BIN)/python -m tests.bench.windows
	@$(BIN)/python -m tests.bench.incremental
	@$(BIN)/python -m tests.bench.lake

faults: setup ## Kill every process at every point, and spoil the network (REPEATS=2 SECONDS=30 is a short one)
	@$(BIN)/python -m tests.faults --repeats $(or $(REPEATS),20) --seconds $(or $(SECONDS),600) --seed $(or $(SEED),1) \
		$(if $(ONLY),--only $(ONLY)) $(ARGS)

check: setup $(CHECKOV) ## Lint, format, types, import directions, lock file, compose file, Terraform
	@status=0; run() { echo "$$*"; "$$@" || status=1; }; \
	run $(BIN)/ruff check; \
	run $(BIN)/ruff format --check; \
	run $(BIN)/mypy; \
	run $(BIN)/lint-imports; \
	run $(UV) lock --check; \
	if docker compose version >/dev/null 2>&1; then run docker compose config --quiet; \
	else echo 'docker-compose.yml not checked: there is no docker compose here'; fi; \
	run $(BIN)/python -m infra.checks; \
	if command -v terraform >/dev/null; then run terraform fmt -check -recursive infra; \
	else echo "infra/ not checked by terraform fmt: there is no terraform here"; [ -z "$$CI" ] || status=1; fi; \
	run $(CHECKOV) --config-file infra/checks/checkov.yaml; \
	exit $$status

$(CHECKOV): infra/checks/checkov.txt | $(UV_STAMP)
	@echo 'setup: checkov from infra/checks/checkov.txt into .tools/checkov'
	@$(UV) venv --quiet --clear --python .tools/bin/python .tools/checkov
	@$(UV) pip install --quiet --python .tools/checkov/bin/python --require-hashes --requirement infra/checks/checkov.txt
	@touch $@

e2e: setup ## Every test that needs Docker, the compose stack among them
	@docker compose version >/dev/null 2>&1 || { echo 'make e2e needs a Docker engine with Compose v2' >&2; exit 1; }
	@stop() { $(E2E) down --volumes --remove-orphans >/dev/null 2>&1; }; \
	trap stop EXIT; trap 'exit 130' INT TERM; stop; \
	echo 'e2e: building and starting the stack (project windrow-e2e, ports $(E2E_PORT_PREFIX)8080 and up)'; \
	$(E2E) up --detach --build --wait >$(LOG) 2>&1 \
		|| { tail -n 60 $(LOG); $(E2E) logs --tail 50; echo 'e2e: the stack did not come up' >&2; exit 1; }; \
	$(BIN)/pytest -m 'localstack or e2e' $(ARGS)

reference: setup ## Write what documents take from code: settings, stream specs, inputs and outputs of Terraform modules
	@$(BIN)/python -m tests.support.reference
	@$(BIN)/python -m infra.checks.reference
	@$(BIN)/python -m infra.checks.cost

images: setup ## Build the images for this machine, and say which platforms can be pushed for (needs Docker)
	@$(BIN)/python -m infra.release images $(if $(PLATFORMS),--platforms $(PLATFORMS))

push: setup ## Build for amd64 and arm64, push, write the digests: make push REGISTRY=… REPOSITORIES=… ENV=dev (needs Docker)
	@test -n "$(REGISTRY)" -a -n "$(REPOSITORIES)" -a -n "$(ENV)" || { \
		echo 'usage: make push REGISTRY=<host> REPOSITORIES=<prefix of infra/bootstrap> ENV=dev' >&2; exit 2; }
	@$(BIN)/python -m infra.release push $(REGISTRY) $(ENV) --repositories $(REPOSITORIES) \
		$(if $(PLATFORMS),--platforms $(PLATFORMS))

deploy: ## Roll out the pushed images and whatever else changed: make deploy ENV=dev (needs Terraform)
	@test -n "$(ENV)" || { echo 'usage: make deploy ENV=dev' >&2; exit 2; }
	terraform -chdir=infra/environments/$(ENV) init -input=false -backend-config=backend.hcl
	terraform -chdir=infra/environments/$(ENV) apply $(ARGS)

rollback: setup ## Roll out the images that ran before: make rollback ENV=dev (needs Terraform)
	@test -n "$(ENV)" || { echo 'usage: make rollback ENV=dev' >&2; exit 2; }
	@$(BIN)/python -m infra.release rollback $(ENV)
	@$(MAKE) --no-print-directory deploy ENV=$(ENV)

up: ## Start LocalStack and all services, and wait until they are healthy (needs Docker)
	docker compose up --detach --build --wait
	@echo 'ingest http://127.0.0.1:$(WINDROW_PORT_PREFIX)8080, reprocessor http://127.0.0.1:$(WINDROW_PORT_PREFIX)8084; stop with: make down'

down: ## Stop them and forget their data (needs Docker)
	docker compose down --volumes --remove-orphans

clean: ## Remove what was made here: environments, caches, local data
	rm -rf .venv .tools .windrow .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
