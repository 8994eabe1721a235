"""What may be dropped: which tokens of a prompt, and from which decoders.

Whether a decoder can go without a token is decided from what it is made of, not by its name.
"""

from __future__ import annotations

import numpy as np
from torch import nn

from explore.errors import CheckpointError, ParameterError
from explore.models.families.base import Family


def require_droppable(family: Family) -> None:
    """Refuse a decoder in which going without a token is something else than not attending to it.

    Raises
    ------
    CheckpointError
        It has convolutions, recurrent layers, or attention in blocks that are counted by position.
    """
    for name, module in family.text_model.named_modules():
        why = unlike_masking(module)
        if why:
            raise CheckpointError(
                f"{type(family.text_model).__name__} has {why} ({name})",
                "Visual tokens can be dropped where tokens meet in attention alone.",
                "Use a model with attention in every layer, or give it smaller pictures.",
            )


def unlike_masking(module: nn.Module) -> str | None:
    """Why going without a token is not the same as masking it in this part of a decoder, None where it is."""
    if isinstance(module, nn.Conv1d):
        # Linear attention and state spaces have one as well, in front of their recurrence.
        return "convolutions over neighbouring tokens, which would become other neighbours"
    if hasattr(module, "topk_blocks"):
        return "attention to blocks of keys that are counted by position, which would point past the keys that are left"
    return None


def kept_positions(visual: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The kept positions of a prompt, (kept_tokens,) int64 ascending.

    Parameters
    ----------
    visual
        Which of its tokens are visual, (prompt_tokens,) bool.
    kept
        Which of them stay: (prompt_tokens,) bool, or their positions in ascending order.

    Raises
    ------
    ParameterError
        A token that is not visual would go, or one does not fit the other.
    """
    if visual.ndim != 1 or visual.dtype != bool:
        raise ParameterError(
            f"visual has the shape {visual.shape} and the type {visual.dtype}", "It is a bool array (prompt_tokens,)."
        )
    if kept.dtype == bool:
        fits = kept.shape == visual.shape
        positions = np.flatnonzero(kept)
    else:
        positions = kept.astype(np.int64)
        inside = not kept.size or (kept.min() >= 0 and kept.max() < len(visual))
        fits = kept.ndim == 1 and np.array_equal(positions, kept) and inside and bool((np.diff(positions) > 0).all())
    if not fits:
        raise ParameterError(
            f"kept has the shape {kept.shape} and the type {kept.dtype}",
            f"It is a bool array ({len(visual)},), or positions from 0 to {len(visual) - 1} in ascending order.",
        )
    lost = np.setdiff1d(np.flatnonzero(~visual), positions)
    if len(lost):
        raise ParameterError(
            f"Tokens that are not visual would be dropped, at the positions {', '.join(map(str, lost[:8].tolist()))}",
            "Only visual tokens can go.",
            "Keep them too: kept | ~visual.",
        )
    return positions
