"""What works with which model family: the measured table behind ``explore doctor --families``.

The table is made by running a tiny random model of every family (`make families`), and the test suite holds it against
new runs. It speaks of one version of transformers, the one the tests ran on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

TABLE = Path(__file__).parents[1] / "models" / "families" / "support.json"

ABILITIES: dict[str, str] = {
    "run": "asks, records and names every position",
    "rows": "attention rows of every layer",
    "boxes": "a box in the picture for every visual token",
    "video": "films, frame by frame",
    "images": "several pictures in one prompt",
    "drop": "visual tokens dropped from the decoder",
    "gradients": "gradients with respect to visual tokens",
}


@dataclass(frozen=True)
class Ability:
    """Whether something works, and what has to be said about it: why not, or with what limits."""

    works: bool
    note: str = ""

    @property
    def mark(self) -> str:
        """ "yes", "part" where a limit is noted, "no"."""
        return "no" if not self.works else "part" if self.note else "yes"


@dataclass(frozen=True)
class Support:
    """One family: transformers' model type, the layout it is laid out by ("" if refused), and its abilities."""

    model_type: str
    layout: str
    abilities: dict[str, Ability]

    @property
    def notes(self) -> list[str]:
        """What is to be said about those abilities that do not fully work, equal words once."""
        said: dict[str, list[str]] = {}
        for name, ability in self.abilities.items():
            if ability.note:
                said.setdefault(ability.note, []).append(name)
        return [f"{', '.join(names)}: {note}" for note, names in said.items()]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        found = {name: {"works": each.works, "note": each.note} for name, each in self.abilities.items()}
        return {"layout": self.layout, **found}


def support_table() -> list[Support]:
    """Every model type that transformers maps to image and text, in alphabetical order."""
    found = json.loads(TABLE.read_text(encoding="utf-8"))["families"]
    return [
        Support(name, row["layout"], {ability: Ability(**row[ability]) for ability in ABILITIES})
        for name, row in sorted(found.items())
    ]


def measured_with() -> str:
    """The version of transformers the table was measured with."""
    return str(json.loads(TABLE.read_text(encoding="utf-8"))["transformers"])


def draw_families(rows: Iterable[Support]) -> Table:
    """The table for a terminal."""
    marks = {"yes": "[green]yes[/]", "part": "[cyan]part[/]", "no": "[yellow]no[/]"}
    grid = Table(box=None, pad_edge=False, header_style="bold", caption=_legend(), caption_justify="left")
    for column in ("model type", *ABILITIES):
        grid.add_column(column, no_wrap=True)
    grid.add_column("what has to be said", overflow="fold")
    for row in rows:
        shown = [marks[row.abilities[name].mark] for name in ABILITIES]
        grid.add_row(escape(row.model_type), *shown, escape("; ".join(row.notes)))
    return grid


def families_markdown(rows: Iterable[Support]) -> str:
    """The table for the README: the marks first, then every note with the families it is about."""
    lines = [f"| model type | layout | {' | '.join(ABILITIES)} |", "|---|---|" + "---|" * len(ABILITIES)]
    about: dict[tuple[str, str], list[str]] = {}
    marks = {"yes": "yes", "part": "part", "no": "–"}
    for row in rows:
        shown = [marks[row.abilities[name].mark] for name in ABILITIES]
        lines.append(f"| {row.model_type} | {row.layout or '–'} | {' | '.join(shown)} |")
        for note in row.notes:
            names, _, words = note.partition(": ")
            about.setdefault((names, words), []).append(row.model_type)
    lines += ["", _legend() + ".", ""]
    lines += [f"- **{names}** ({', '.join(types)}): {words}" for (names, words), types in about.items()]
    return "\n".join(lines) + "\n"


def _legend() -> str:
    return "; ".join(f"{name}: {words}" for name, words in ABILITIES.items())
