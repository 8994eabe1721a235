"""How plotly charts look: one template for light and one for dark, in the colours of the other views."""

from __future__ import annotations

from typing import Any, Literal, get_args

from explore.errors import ParameterError

Theme = Literal["light", "dark"]

LINES: dict[str, tuple[str, ...]] = {
    # Okabe and Ito's palette without its yellow, which no white paper shows, and lighter for a dark one.
    "light": ("#0072b2", "#d55e00", "#009e73", "#a0528a", "#7a5c00", "#3a8fc4"),
    "dark": ("#6cb8ee", "#f2955c", "#3fcf9f", "#e39acb", "#e0b848", "#9ad4f5"),
}
INK = {"light": "#1a1d24", "dark": "#e8eaf0"}
PAPER = {"light": "#ffffff", "dark": "#16181d"}
SOFT = {"light": "#5f646e", "dark": "#a4a9b4"}
GRID = {"light": "#e3e5ea", "dark": "#30343c"}
SIGNED = {
    "light": [[0.0, "#2f6db5"], [0.5, "#f4f4f4"], [1.0, "#cc5f0e"]],
    "dark": [[0.0, "#6fb1f5"], [0.5, "#23262d"], [1.0, "#f39a52"]],
}
"""For values of both signs, centred at 0: blue below, orange above."""


def check_theme(theme: str) -> None:
    """Refuse what is neither light nor dark.

    Raises
    ------
    ParameterError
        Naming the two.
    """
    if theme not in get_args(Theme):
        raise ParameterError(f"theme={theme!r} was given", f"Charts are {' or '.join(get_args(Theme))}.")


def layout_of(theme: Theme, title: str, note: str = "", **more: Any) -> dict[str, Any]:
    """Layout of a chart: a title, a softer line under it that says how the numbers were made, and the theme."""
    check_theme(theme)
    axis = {"gridcolor": GRID[theme], "zerolinecolor": SOFT[theme], "linecolor": GRID[theme], "automargin": True}
    return {
        "template": {"layout": {"xaxis": {**axis, "zeroline": False}, "yaxis": axis, "colorway": LINES[theme]}},
        "paper_bgcolor": PAPER[theme],
        "plot_bgcolor": PAPER[theme],
        "font": {"color": INK[theme], "size": 12},
        "title": {
            "text": title,
            "subtitle": {"text": note, "font": {"color": SOFT[theme], "size": 12}},
            "font": {"size": 15},
            "x": 0.0,
            "xref": "paper",
            "xanchor": "left",
        },
        "margin": {"l": 60, "r": 20, "t": 86, "b": 56},
        "hoverlabel": {"align": "left"},
        **more,
    }


def see_through(colour: str, share: float) -> str:
    """A colour as plotly wants it with an opacity."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"
