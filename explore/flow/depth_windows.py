"""Windows of layers around centres, as knockout and patching slide them over the depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explore.errors import ParameterError

WIDEST = 9


@dataclass(frozen=True, eq=False)
class LayerWindows:
    """The layers around every centre.

    Parameters
    ----------
    centres
        (centres,) int64.
    window
        Layers of a whole window; those at both ends are shorter.
    layers
        The layers of every window, in the order of the centres.
    """

    centres: np.ndarray
    window: int
    layers: tuple[tuple[int, ...], ...]


def layer_windows(
    depth: int, window: int | None = None, stride: int = 1, among: Sequence[int] | None = None
) -> LayerWindows:
    """Windows over a decoder's layers, (window - 1) / 2 to both sides of a centre, cut off at the ends.

    Source: Geva et al., EMNLP 2023, arXiv 2304.14767, with nine layers for models of some thirty or more.

    Parameters
    ----------
    depth
        Decoder layers.
    window
        An odd number of layers. None takes nine, or in a shallow model the largest odd number up to a third of its
        depth; so does a number larger than the depth, which would be all layers around every centre.
    stride
        From one centre to the next.
    among
        The layers that may be in a window; None means all. Centres whose window has none of them are left out.

    Raises
    ------
    ParameterError
        The window is even or not positive, the stride is not positive, or no layer is left.
    """
    if (window is not None and (window < 1 or window % 2 == 0)) or stride < 1:
        raise ParameterError(
            f"window={window} and stride={stride} were given", "A window is odd, and both are at least 1."
        )
    if window is None or window > depth:
        third = max(1, depth // 3)
        window = min(WIDEST, third if third % 2 else third - 1)
    reach, allowed = window // 2, set(range(depth) if among is None else among)
    found = {
        centre: tuple(
            layer for layer in range(max(0, centre - reach), min(depth, centre + reach + 1)) if layer in allowed
        )
        for centre in range(0, depth, stride)
    }
    found = {centre: layers for centre, layers in found.items() if layers}
    if not found:
        raise ParameterError(f"Windows over the layers {sorted(allowed)} were given", f"Layers are 0 to {depth - 1}.")
    return LayerWindows(np.array(list(found), np.int64), window, tuple(found.values()))
