"""The findings of the doctor, drawn for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from explore.doctor.checks import Check, Status

_MARKS: dict[Status, str] = {
    "ok": "[green]ok[/]",
    "note": "[cyan]note[/]",
    "missing": "[yellow]missing[/]",
    "broken": "[bold red]broken[/]",
}


def draw(checks: Iterable[Check]) -> Table:
    """One row per check: what was looked at, how it is, what is there, what follows and what to do."""
    grid = Table(box=None, pad_edge=False, header_style="bold")
    grid.add_column("")
    grid.add_column("what", no_wrap=True)
    grid.add_column("here", overflow="fold")
    grid.add_column("what would not work, and what to do", overflow="fold")
    for check in checks:
        advice = ". ".join(part for part in (check.consequence, check.remedy and f"To do: {check.remedy}") if part)
        grid.add_row(_MARKS[check.status], check.name, escape(check.found), escape(advice))
    return grid
