"""The contract on one family, also on one that is not in the tables yet.

    python -m pytest tests/families --family qwen2_vl
    python -m pytest tests/families --family my_family.py

A file is imported before the tests are collected, and sets its lines itself: `FAMILIES["my_type"] = MyFamily` and
`ZOO["my_type"] = Entry(build, layout)`. notebooks/12_new_model_family.ipynb shows it at work.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from tests.zoo import ZOO

_ASKED = pytest.StashKey[frozenset[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--family",
        metavar="NAME",
        help="run only the tests of this model type of the zoo, or of those whose lines this Python file sets",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Set the lines of a file while nothing has read the tables."""
    asked = config.getoption("family", None)
    if asked is None:
        return
    names = _set_by(Path(asked)) if asked.endswith(".py") else {asked}
    unknown = sorted(names - set(ZOO))
    if unknown or not names:
        raise pytest.UsageError(
            f"--family {asked}: the zoo has no {', '.join(unknown) or 'entry from this file'}. "
            'Give a name of tests.zoo.ZOO, or a file that sets FAMILIES["my_type"] and ZOO["my_type"].'
        )
    config.stash[_ASKED] = frozenset(names)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the families asked for."""
    asked = config.stash.get(_ASKED, None)
    if asked is None:
        return
    config.hook.pytest_deselected(items=[item for item in items if _family_of(item) not in asked])
    items[:] = [item for item in items if _family_of(item) in asked]


def _set_by(path: Path) -> set[str]:
    """The families whose line in one of the two tables a file sets."""
    from explore.models.families import FAMILIES

    before = dict(FAMILIES), dict(ZOO)
    sys.path.insert(0, str(path.resolve().parent))
    importlib.import_module(path.stem)
    return {
        name for old, new in zip(before, (FAMILIES, ZOO), strict=True) for name in new if new[name] is not old.get(name)
    }


def _family_of(item: pytest.Item) -> object:
    """What the test is run on: the tests of the contract call it `name`."""
    return item.callspec.params.get("name") if hasattr(item, "callspec") else None
