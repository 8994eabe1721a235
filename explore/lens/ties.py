"""Whether a model's head is its input embedding table, found out by asking the head."""

from __future__ import annotations

from explore.errors import ParameterError
from explore.runs import LanguageLike

_SIZES = (1e-4, 1e-2, 1.0)
_ALIKE = 0.05
_UNSAID = -1e30


def has_tied_head(language: LanguageLike) -> bool:
    """Whether logits are products with the input embeddings.

    The state :math:`t(e_i - e_j)` has two coordinates, and any norm leaves two, so what the head says of it, less what
    it says of its opposite, lies in two columns of the head: one fit against two columns of the table tells. A short
    state (the norm's epsilon keeps it short) stays in the straight part of a soft cap; a long one is for models whose
    norm adds a bias that would drown it in rounding.

    Raises
    ------
    ParameterError
        The decoder has several residual streams.
    """
    import torch

    table = language.embeddings()
    width = table.shape[-1]
    i, j = table[: 1 << 12].float().abs().sum(0).topk(2).indices.tolist()
    probe = torch.zeros(width)
    probe[i], probe[j] = 1.0, -1.0
    states = torch.stack([sign * size * probe for size in _SIZES for sign in (1, -1)])
    with language.readout() as read, torch.no_grad():
        logits = read(states)
    rows = min(len(table), logits.shape[-1])
    said = (logits[:, :rows] > _UNSAID).all(0)
    columns = table[:rows][said][:, [i, j]].float().cpu().double()
    spread = logits[:, :rows][:, said].cpu().double()
    differences = spread[::2] - spread[1::2]
    fitted = columns @ torch.linalg.lstsq(columns, differences.T).solution
    left = (differences.T - fitted).norm(dim=0) / differences.norm(dim=-1).clamp(min=1e-30)
    return bool((left < _ALIKE).any())


def ties_note(language: LanguageLike) -> tuple[str, ...]:
    """What to say of an embedding lens on a model whose head is its embedding table."""
    try:
        tied = has_tied_head(language)
    except ParameterError:  # several residual streams: no logit lens to compare with
        return ()
    said = "Input embeddings and head are one table here: this lens and the logit lens differ only by the final norm, "
    return (f"{said}and by cosine against product.",) if tied else ()
