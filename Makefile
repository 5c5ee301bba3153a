# Everything a person types. `make` alone explains; .venv is made on first use.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
BIN := .venv/bin
PORT ?= 8000
BIND ?= 127.0.0.1:$(PORT)
WORKERS ?= 4
DATASET ?=
# The first Python on the path that is new enough and not too new; PYTHON= names another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo "$$python" && break; done)

CATALOGUES = locale/de/LC_MESSAGES/django.mo

.PHONY: help setup demo run worker test test-fast check bench peers oldest-torch

help: ## this list
	@echo "Studysite: honest user studies of recommender systems."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s%s\n", $$1, $$2}'
	@echo
	@echo "  PORT=8000  DATASET=folder, zip or file  PYTHON=python3.12  BIND=host:port  WORKERS=4"

setup: .venv/.ok .env $(CATALOGUES) ## make .venv and .env (repeated only when the packages change)

.venv/.ok: pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then \
	  echo "studysite: no Python 3.11 to 3.13 found. Install one, or name it: make setup PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "studysite: $(PYTHON) is not a Python 3.11 to 3.13. Name one: make setup PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Installing the packages into .venv (about 2 GB, some minutes the first time) ..."
	@"$(PYTHON)" -m venv .venv || { \
	  echo "studysite: $(PYTHON) cannot make environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# One stands for all: they are compiled together.
$(CATALOGUES): $(wildcard locale/*/LC_MESSAGES/django.po) | .venv/.ok
	@$(BIN)/python -m studysite.catalogues compile

# A file of this machine's own: never overwritten, readable by its owner only.
.env: | .venv/.ok
	@umask 077; set -C; secret=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') && \
	  printf '%s\n' "# Written once by 'make setup'. README.md lists every setting; the environment overrides." \
	  "SECRET_KEY=$$secret" "ALLOWED_HOSTS=localhost,127.0.0.1,[::1]" > .env

demo: setup ## a whole study on built-in data, at http://localhost:8000
	@exec $(BIN)/python manage.py demo --port "$(PORT)" $(if $(DATASET),--dataset "$(DATASET)")

run: setup ## the web server, as in production
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@exec $(BIN)/python -m gunicorn studysite.wsgi --bind "$(BIND)" --workers "$(WORKERS)"

worker: setup ## the worker that trains models and prepares studies
	@exec $(BIN)/python -m celery -A studysite.celery worker --without-gossip --without-mingle --loglevel INFO

test: setup ## the whole suite on SQLite, then its services part on PostgreSQL and Redis
	@$(BIN)/python -m pytest -q -n auto --dist worksteal
	@$(BIN)/python -m tests.services -- $(BIN)/python -m pytest -q -n auto --dist worksteal -m 'services and not slow and not gpu and not peers'

test-fast: setup ## the quick part of the suite: no browser, services, processes or long simulations
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m 'not (browser or services or process or data or long or slow or gpu or peers)'

check: setup ## lint, format, types, import contracts, migrations, deployment checks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python manage.py makemigrations --check --dry-run
	@DEBUG=0 SITE_URL=https://study.example.org ALLOWED_HOSTS=study.example.org DATABASE_URL= REDIS_URL= \
	  $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: setup ## run every script in benchmarks/
	@set -e; for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

oldest-torch: .venv-oldest/.ok ## the tests of recommender.core on the oldest torch, without Django
	@.venv-oldest/bin/python -m pytest -q --confcutdir=tests/recommender/core \
	  --ignore=tests/recommender/core/readers/test_real_sources.py tests/recommender/core

.venv-oldest/.ok: pyproject.toml
	@"$(PYTHON)" -m venv .venv-oldest
	@.venv-oldest/bin/python -m pip install -q --disable-pip-version-check 'torch==2.11.*' \
	  numpy scipy numba optuna polars safetensors pytest hypothesis
	@touch $@

peers: .venv-peers/.ok ## the second environment, with other people's recommenders to compare with

.venv-peers/.ok: constraints-peers.txt
	@"$(PYTHON)" -m venv .venv-peers
	@.venv-peers/bin/python -m pip install -q --disable-pip-version-check -r constraints-peers.txt
	@touch $@
