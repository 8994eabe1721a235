"""Which tokens of a picture a mask lets anybody see."""

from __future__ import annotations

import torch
from torch import Tensor


def seen(mask: Tensor | None, images: int, tokens: int) -> Tensor:
    """Which tokens of each image any row may attend to, (images, tokens) bool: nobody attends to padding.

    Parameters
    ----------
    mask
        Broadcastable to (images, heads, rows, tokens): bool with True = may attend, or a float that is added; None
        lets everything be seen.
    """
    if mask is None:
        return torch.ones(images, tokens, dtype=torch.bool)
    open_ = mask if mask.dtype == torch.bool else mask > 0.5 * torch.finfo(mask.dtype).min
    return open_.any(dim=2).any(dim=1).expand(images, tokens)
