# Needs python3 (3.11 or newer), git and make; everything else is set up in .venv from the lock.
#   make lab     JupyterLab on the first notebook, with the model that ships     (ARGS="--no-browser --port 8899")
#   make test    the whole test suite, browser and notebooks included           (ARGS="-k jobs")
#   make bench   the measurements behind the README's tables
#   make lint    ruff and mypy
#   make families   what works with which model family, for `explore doctor --families` and the README
#   make train   train the shipped model again; make exam examines it
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.from-lock
# Some families' vision towers. It asks for torchvision, which its towers do not use, so it comes without what it asks for.
TIMM := timm==1.0.31
PIP_FLAGS ?=
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: lab test bench lint format lock train exam families setup clean
.DEFAULT_GOAL := lab

lab: $(STAMP)
	$(BIN)/explore lab $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=600 notebooks tests $(ARGS)

bench: $(STAMP)
	$(BIN)/python -m tests.bench $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

train: $(STAMP)
	$(BIN)/python -m explore.sketch.training all $(ARGS)

families: $(STAMP)
	$(BIN)/python -m tests.families.support

exam: $(STAMP)
	$(BIN)/explore exam $(ARGS)

setup: $(STAMP)

# The stamp is written last, so an interrupted set-up is taken up again where it stopped.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11: call make with PYTHON=/path/to/python3.11 or newer"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments: on Debian, apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet -c constraints.txt $(PIP_FLAGS) -e '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps $(PIP_FLAGS) $(TIMM)
	@touch $@

# Writes what .venv holds into the lock; a local build such as 2.13.0+cpu is locked as its public version.
lock: $(STAMP)
	@{ sed -n '/^#/p' constraints.txt; \
		$(BIN)/python -m pip list --format=freeze --exclude-editable --exclude pip --exclude timm | sed -E 's/\+[A-Za-z0-9.]+$$//'; \
		} > constraints.txt.new
	@mv constraints.txt.new constraints.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
