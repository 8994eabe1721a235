"""The selection as Python sees it: one JSON trait, and no echo that would undo a newer click."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from explore.errors import ParameterError
from tests.widgets.samples import sample_trace
from widgets import Selection, TokenImageView


def test_it_survives_json() -> None:
    made = Selection(token=3, patch=7, layer=1, head=2, hovered={"patch": 4}, brush=(8, 9))
    assert Selection.from_json(made.to_json()) == made
    assert made.to_json()["brush"] == [8, 9]


def test_it_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Selection().token = 3  # type: ignore[misc]


def test_replacing_a_field_makes_it_pythons() -> None:
    from_page = Selection.from_json({"token": 3, "by": "page-1"})
    assert from_page.by == "page-1"
    assert replace(from_page, token=4).by == "python"


def test_the_page_writes_the_trait_and_hears_no_echo() -> None:
    view = TokenImageView(sample_trace())
    seen: list[int | None] = []
    sent: list[set[str]] = []
    view.observe(lambda change: seen.append(change["new"].token), "selection")
    view.send_state = lambda key=None: sent.append({key} if isinstance(key, str) else set(key or ()))
    fields = {"token": 150, "patch": 5, "layer": None, "head": None, "hovered": None, "brush": [6], "by": "page-1"}
    view.set_state({"selection": fields})
    assert view.selection == Selection(token=150, patch=5, brush=(6,))
    assert seen == [150]
    assert not any("selection" in keys for keys in sent)


def test_python_selects_and_the_page_is_told() -> None:
    view = TokenImageView(sample_trace())
    view.set_state({"selection": {"token": 150, "patch": 5, "by": "page-1"}})
    view.select(token=151)
    assert view.selection == Selection(token=151, patch=5)
    assert view.get_state("selection")["selection"]["by"] == "python"


def test_selecting_something_unknown_is_refused() -> None:
    with pytest.raises(TypeError, match="tokn"):
        TokenImageView(sample_trace()).select(tokn=3)


def test_numpys_integers_become_plain_ones() -> None:
    made = Selection(token=np.int64(3), patch=np.int32(7), brush=np.arange(2), hovered={"patch": np.uint8(4)})  # type: ignore[arg-type,dict-item]
    assert json.loads(json.dumps(made.to_json())) == made.to_json()
    assert made == Selection(token=3, patch=7, brush=(0, 1), hovered={"patch": 4})


@pytest.mark.parametrize("fields", [{"token": "house"}, {"layer": 1.5}, {"brush": ("a",)}, {"hovered": {"patch": "b"}}])
def test_what_is_no_whole_number_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=r"was selected\. .*whole numbers\. .*positions"):
        Selection(**fields)  # type: ignore[arg-type]
