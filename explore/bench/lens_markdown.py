"""Scores of lenses as Markdown."""

from __future__ import annotations

import numpy as np
import pandas as pd


def shares_markdown(part: pd.DataFrame, names: str, *, first: bool = False) -> str:
    """Shares of one kind of names: a line per lens and one for its control, a column per layer, in percent.

    Parameters
    ----------
    part
        The rows of `LensScores.table` with these names.
    names
        What they are called.
    first
        Shares of first labels instead of any.
    """
    layers = sorted(set(part["layer"]))
    title = f"{names} named first, %" if first else f"{names} named, %"
    lines = [f"| {title} | " + " | ".join(f"layer {each}" for each in layers) + " |"]
    lines.append("|---|" + "--:|" * len(layers))
    own = ("first", "first_low", "first_high") if first else ("value", "low", "high")
    chance = "first_control" if first else "control"
    control = (chance, f"{chance}_low", f"{chance}_high")
    for lens in dict.fromkeys(part["lens"]):
        rows = part[part["lens"] == lens].set_index("layer")
        for label, columns in ((lens, own), (f"{lens}, other pictures", control)):
            lines.append(f"| {label} | " + " | ".join(_cell(rows, layer, *columns) for layer in layers) + " |")
    return "\n".join(lines)


def percent_markdown(shares: pd.DataFrame) -> str:
    """Shares by layer in whole percent, a column for each of theirs."""
    table = 100 * shares
    lines = [f"| layer | {' | '.join(map(str, table.columns))} |", "|--:|" + "--:|" * len(table.columns)]
    lines += [f"| {layer} | " + " | ".join(f"{each:.0f}" for each in row) + " |" for layer, row in table.iterrows()]
    return "\n".join(lines)


def _cell(own: pd.DataFrame, layer: int, value: str, low: str, high: str) -> str:
    if layer not in own.index or np.isnan(own.loc[layer, value]):
        return "–"
    row = own.loc[layer]
    return f"{100 * row[value]:.1f} ± {50 * (row[high] - row[low]):.1f}"
