"""Grad-CAM on a language model's states or on its attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from explore.errors import ParameterError
from explore.maps.attribution import attributed
from explore.maps.method import Computed, MapMethod, MapRun, checked_objective
from explore.runs import LayerReplayLike, Objective, ReplayLike

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GradCam(MapMethod):
    """Channels of a layer weighted by how much the token's score would gain from them, averaged over the picture.

    Parameters
    ----------
    on
        "states": channels are the coordinates of the residual stream entering the layer. "attention": channels are the
        heads of the layer, read in the row that predicts the token.
    layer
        Which layer. None means the middle one for states, because at the last layer no visual state can reach the
        answer any more, and the last one for attention.
    of
        Whose gradient: the token's "logit" or its "logprob".
    """

    name: ClassVar[str] = "grad_cam"
    source: ClassVar[str] = (
        "Selvaraju et al., Grad-CAM, ICCV 2017, arXiv 1610.02391; "
        "on attention as the baseline of Chefer et al., arXiv 2103.15679"
    )
    answer_only: ClassVar[bool] = True

    on: Literal["states", "attention"] = "states"
    layer: int | None = None
    of: Objective = "logit"

    def __post_init__(self) -> None:
        if self.on not in ("states", "attention"):
            raise ParameterError(f"on={self.on!r} was given", "Allowed are 'states' and 'attention'.")
        checked_objective(self.of)

    @property
    def reruns(self) -> bool:
        return True

    def compute(self, run: MapRun) -> Computed:
        import torch  # here, because a saved trace opens without it

        visual = torch.from_numpy(run.visual)
        rows: list[Tensor] = []
        with run.rerun.replay(gradients=True, progress=run.progress) as replay:
            layer = self._layer(replay)
            for done, (number, place) in enumerate(zip(run.numbers, run.predicted_at.tolist(), strict=True)):
                run.report(done, len(run.tokens), "token")
                gradient = replay.gradient(number, self.of)
                if self.on == "states":
                    states, slope = replay.states[layer], gradient.states[layer]
                    rows.append(channel_map(states[visual], slope[visual]))
                else:
                    heads = gradient.heads[replay.layers.index(replay.layer(layer))]
                    rows.append(head_map(replay.layer(layer), heads, place)[visual])
        return attributed(torch.stack(rows).cpu().numpy(), f"weighted {self.on} of layer {layer}")

    def _layer(self, replay: ReplayLike) -> int:
        count = len(replay.states) - 1
        last = count if self.on == "states" else count - 1
        if self.layer is None:
            return count // 2 if self.on == "states" else replay.layers[-1].number
        if not 0 <= self.layer <= last:
            raise ParameterError(f"layer={self.layer} was given", f"Layers count from 0 to {last}.")
        return self.layer


def channel_map(states: Tensor, gradient: Tensor) -> Tensor:
    r"""Grad-CAM :math:`(\sum_c \alpha_c h_c)^+` with :math:`\alpha` the mean gradient over the cells.

    Parameters
    ----------
    states, gradient
        (cells, channels)

    Returns
    -------
    (cells,)
    """
    return (states @ gradient.mean(0)).clamp_min(0)


def head_map(layer: LayerReplayLike, said: Tensor, row: int) -> Tensor:
    r"""The head mean of each head's row times its mean gradient, negative values at 0, (positions,).

    The mean of :math:`\partial y/\partial A` over all pairs of positions is the product of the mean gradient of what
    the heads said with the mean value, because that gradient is an outer product.

    Parameters
    ----------
    layer
        The layer's attention.
    said
        Gradient with respect to what the heads said, (heads, positions, head_width).
    row
        Position of the row.
    """
    alpha = (said.mean(1) * layer.values().mean(1)).sum(-1)
    weights = layer.weights(range(row, row + 1))[:, 0]
    return (alpha[:, None] * weights).mean(0).clamp_min(0)
