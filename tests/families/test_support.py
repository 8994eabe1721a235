"""The table of what works is what happens: every row is tried again on its family's tiny model."""

from __future__ import annotations

import json

import pytest
import transformers

from explore.doctor.families import ABILITIES, TABLE, draw_families, measured_with, support_table
from explore.models.families import FAMILIES, REFUSED
from tests.families.cases import SUPPORTED
from tests.families.support import BEGIN, END, README, model_types, readme_section, row_of

pytestmark = pytest.mark.filterwarnings("ignore")


def test_every_model_type_has_its_row() -> None:
    assert [row.model_type for row in support_table()] == model_types()
    assert measured_with() == transformers.__version__
    assert {*FAMILIES, *REFUSED} >= set(model_types())
    assert draw_families(support_table()).row_count == len(model_types())


def test_nothing_fails_without_a_reason() -> None:
    for row in support_table():
        refused = not row.abilities["run"].works
        for name in ABILITIES:
            ability = row.abilities[name]
            assert ability.works or ability.note or (refused and name != "run"), (row.model_type, name)


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_row_is_what_happens(name: str) -> None:
    if name not in model_types():
        pytest.skip("no model type of transformers")
    assert row_of(name) == json.loads(TABLE.read_text(encoding="utf-8"))["families"][name]


def test_the_readme_shows_the_table() -> None:
    text = README.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) : text.index(END) + len(END)] == readme_section()


def test_enough_families_pass() -> None:
    rows = support_table()
    count = {name: sum(row.abilities[name].works for row in rows) for name in ABILITIES}
    assert count["run"] >= 80
    assert count["rows"] >= 80
    assert count["boxes"] >= 60
    assert count["drop"] >= 60
