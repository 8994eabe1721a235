"""From contributions over depth to how many visual tokens each layer keeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from explore.errors import ParameterError
from explore.flow.adatoken import Mode

_BEGIN = (100.0, 0.1, 1.0, 0.0)


def keep_curve(contribution: ArrayLike, last: float = 10.0, *, mode: Mode = "paper") -> NDArray[np.float64]:
    r"""Percent of visual tokens to keep in each layer: :math:`A e^{-B(x - C)} + D` fitted to contributions.

    The curve begins at 100 and ends at `last`; in between values and slopes are as near as can be.

    Parameters
    ----------
    contribution
        Of the layers from the first up, (layers,).
    last
        Percent kept in the last layer.
    mode
        "paper" scales contributions to 100 percent, as the curve's ends are; "reference" to 1, as the released code
        does, so that little but the ends decides.

    Raises
    ------
    ParameterError
        Fewer than three layers, or a share that is none.

    Source: AdaToken-3D, IROS 2025, arXiv 2505.12782, steps 4 and 5 of the specification's section 7.1
    """
    from scipy.optimize import minimize

    values = np.asarray(contribution, np.float64)
    if values.ndim != 1 or len(values) < 3 or not 0 < last < 100:
        raise ParameterError(
            f"Contributions of the shape {values.shape} and last={last} were given",
            "At least three layers are needed, and a last share between 0 and 100 percent.",
        )
    span = float(np.ptp(values))
    scaled = (values - values.min()) / (span or 1.0) * (100.0 if mode == "paper" else 1.0)
    depth = np.arange(1, len(values) + 1, dtype=np.float64)

    def curve(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        height, rate, shift, floor = numbers
        made: NDArray[np.float64] = height * np.exp(np.clip(-rate * (depth - shift), -50, 50)) + floor
        return made

    def loss(numbers: NDArray[np.float64]) -> float:
        off = curve(numbers) - scaled
        return float((off**2).sum() + (np.diff(off) ** 2).sum())

    ends = (
        {"type": "eq", "fun": lambda numbers: curve(numbers)[0] - 100.0},
        {"type": "eq", "fun": lambda numbers: curve(numbers)[-1] - last},
    )
    found = minimize(loss, np.array(_BEGIN), method="SLSQP", constraints=ends, options={"maxiter": 500})
    return np.clip(curve(found.x), 0.0, 100.0)
