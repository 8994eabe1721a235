"""Attention weighted by what is written: a large weight on a small value says little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from explore.errors import ParameterError
from explore.maps.attribution import attributed
from explore.maps.method import Computed, MapMethod, MapRun
from explore.runs import LayerReplayLike
from explore.written_parts import arrivals, head_lengths

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ValueNorm(MapMethod):
    """Length of the vector that each visual token writes into the row that predicts a token, averaged over layers.

    Parameters
    ----------
    layers
        Layers to average; None means all.
    over_heads
        "sum" adds the heads' vectors before their length is taken (what really arrives), "each" averages the heads'
        lengths.
    """

    name: ClassVar[str] = "value_norm"
    source: ClassVar[str] = (
        "Kobayashi et al., Attention is Not Only a Weight, EMNLP 2020, arXiv 2004.10102; "
        "vectors summed over heads as in Kobayashi et al. 2021, arXiv 2109.07152"
    )

    layers: tuple[int, ...] | None = None
    over_heads: Literal["sum", "each"] = "sum"

    def __post_init__(self) -> None:
        if self.over_heads not in ("sum", "each"):
            raise ParameterError(f"over_heads={self.over_heads!r} was given", "Allowed are 'sum' and 'each'.")

    @property
    def reruns(self) -> bool:
        return True

    def compute(self, run: MapRun) -> Computed:
        import torch  # here, because a saved trace opens without it

        rows, visual = torch.from_numpy(run.predicted_at), torch.from_numpy(run.visual)
        with run.rerun.replay(progress=run.progress) as replay:
            if self.layers is not None and not self.layers:
                raise ParameterError(f"layers={self.layers} was given", "At least one layer is needed.")
            layers = replay.layers if self.layers is None else [replay.layer(number) for number in self.layers]
            lengths = [written_norms(layer, rows, visual, self.over_heads) for layer in layers]
        return attributed(torch.stack(lengths).mean(0).cpu().numpy(), "length of the written vector")


def written_norms(layer: LayerReplayLike, rows: Tensor, columns: Tensor, over_heads: str = "sum") -> Tensor:
    r"""Lengths :math:`\|\sum_h A^h_{ij} W_O^h v_j^h\|_2` ("sum") or the mean of :math:`A^h_{ij} \|W_O^h v_j^h\|_2`.

    Returns
    -------
    (rows, columns) float32
    """
    import torch

    columns = columns.to(layer.values().device)
    if over_heads == "each":
        return (layer.weights(rows)[:, :, columns] * head_lengths(layer, columns)[:, None]).mean(0)
    return torch.cat([each.norm(dim=-1) for _, each in arrivals(layer, rows, columns, landed=False)], dim=1)
