"""Rows in one byte per number."""

from __future__ import annotations

import torch
from torch import Tensor

_LARGEST = 127


def quantised(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Rows as whole numbers and one factor per row; their product has the very length of the original.

    The factor is not the step of the rounding but what restores the length, so that unit rows stay unit rows and what
    remains of the error is an angle.

    Parameters
    ----------
    rows
        (rows, width), any number type.

    Returns
    -------
    Tensor, Tensor
        (rows, width) int8 and (rows,) float32.
    """
    numbers = rows.float()
    largest = numbers.abs().amax(dim=1, keepdim=True)
    whole = (numbers * (_LARGEST / largest.clamp_min(1e-30))).round_()
    lengths = torch.linalg.vector_norm(whole, dim=1)
    scales = torch.linalg.vector_norm(numbers, dim=1) / lengths.clamp_min(1)
    return whole.to(torch.int8), scales
