"""The colour maps a view may use: perceptually even ones only, as tables of 256 RGB triples."""

from __future__ import annotations

import numpy as np

# Even steps in value are even steps in lightness in all of these, in print and for colour-blind readers too.
COLORMAPS = {"viridis": "viridis", "cividis": "cividis", "magma": "magma", "inferno": "inferno", "grey": "gray"}


def tables() -> dict[str, bytes]:
    """Every colour map as 256 x 3 bytes of RGB, lowest value first."""
    from matplotlib import colormaps  # a quarter of a second that only views with maps pay

    steps = np.linspace(0, 1, 256)
    return {name: colormaps[source](steps, bytes=True)[:, :3].tobytes() for name, source in COLORMAPS.items()}
