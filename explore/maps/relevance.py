"""Gradient-weighted attention relevance, folded into rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from explore.attention_rows import weight_chunks
from explore.maps.attribution import attributed
from explore.maps.method import Computed, MapMethod, MapRun, checked_objective
from explore.runs import LayerReplayLike, Objective

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Relevance(MapMethod):
    """Attention where more of it would raise the token's score, followed through the layers.

    Per layer the positive part of weight times gradient, averaged over heads; relevance is passed down from the row
    that predicts the token.

    Parameters
    ----------
    of
        Whose gradient: the token's "logit", or its "logprob", which also counts what speaks for other tokens.
    """

    name: ClassVar[str] = "relevance"
    source: ClassVar[str] = (
        "Chefer, Gur & Wolf, Generic Attention-model Explainability, ICCV 2021, arXiv 2103.15679; "
        "single-stream rule R = R + A R, its row taken as r = r + r A from the top layer down"
    )
    answer_only: ClassVar[bool] = True

    of: Objective = "logit"

    def __post_init__(self) -> None:
        checked_objective(self.of)

    @property
    def reruns(self) -> bool:
        return True

    def compute(self, run: MapRun) -> Computed:
        import torch  # here, because a saved trace opens without it

        rows = []
        with run.rerun.replay(gradients=True, progress=run.progress) as replay:
            for done, (number, place) in enumerate(zip(run.numbers, run.predicted_at.tolist(), strict=True)):
                run.report(done, len(run.tokens), "token")
                gradient = replay.gradient(number, self.of)
                start = torch.zeros(replay.layers[0].positions, device=gradient.heads[0].device)
                start[place] = 1
                layers = zip(replay.layers[::-1], gradient.heads[::-1], strict=True)
                rows.append(fold_rows(start, (gradient_weights(layer, said) for layer, said in layers)))
        found = torch.stack(rows).cpu().numpy()[:, run.visual]
        return attributed(found, f"relevance for the {self.of}")


def gradient_weights(layer: LayerReplayLike, said: Tensor) -> Iterable[tuple[range, Tensor]]:
    r"""The head mean of :math:`(A \odot \partial y/\partial A)^+`, a few rows at a time.

    Parameters
    ----------
    layer
        The layer's attention.
    said
        Gradient with respect to what the heads said, (heads, positions, head_width). As they said :math:`A v`, the
        gradient with respect to A is :math:`said \cdot v^T`.
    """
    values = layer.values()
    for which, weights in weight_chunks(layer):
        at_weights = said[:, which.start : which.stop] @ values.transpose(1, 2)
        yield which, (weights * at_weights).clamp_min(0).mean(0)


def fold_rows(row: Tensor, downwards: Iterable[Iterable[tuple[range, Tensor]]]) -> Tensor:
    """One row of R with R = R + A R layer by layer upwards: r = r + r A from the top layer down, (positions,)."""
    for chunks in downwards:
        added = row.new_zeros(row.shape)
        for which, weights in chunks:
            added += row[which.start : which.stop] @ weights.to(row.dtype)
        row = row + added
    return row
