"""Taking away ways for information to travel: attention edges, and what a sublayer adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from explore.edits.edit import Edit, Layers, checked_layers, layers_within
from explore.edits.places import Where, checked_where
from explore.errors import ParameterError


@dataclass(frozen=True, eq=False)
class CutEdges(Edit):
    """Nothing may go from `source` to `target` by attention: rows of the target, columns of the source.

    A position keeps the edge to itself unless `own` says otherwise. Softmax hands the mass of a cut edge to the others,
    mostly to the first token; with `zero_value` every weight stays and only what it would bring is zero.

    Source: attention knockout of Geva et al., EMNLP 2023, arXiv 2304.14767.

    Parameters
    ----------
    source, target
        Positions that are looked at, and that look.
    layers, heads
        Where; None means everywhere.
    own
        Whether positions in both lose the edge to themselves too. A row that would be left without any key keeps it.
    zero_value
        Keep the weights and zero the values.
    """

    kind: ClassVar[str] = "cut_edges"

    source: Where
    target: Where
    layers: Layers = None
    heads: Layers = None
    own: bool = False
    zero_value: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", checked_where(self.source))
        object.__setattr__(self, "target", checked_where(self.target))
        object.__setattr__(self, "layers", checked_layers(self.layers))
        object.__setattr__(self, "heads", checked_layers(self.heads, "heads"))

    def where(self) -> tuple[Where, ...]:
        return (self.target,)

    def layer_numbers(self, layers: int) -> tuple[int, ...]:
        return layers_within(self.layers, layers - 1)


@dataclass(frozen=True, eq=False)
class SkipUpdate(Edit):
    """Some rows go without what attention or the MLP would add to them; everything else goes on as before.

    Parameters
    ----------
    part
        "attention" or "mlp".
    rows
        Positions that go without.
    layers
        Where; None means in all layers.
    """

    kind: ClassVar[str] = "skip_update"

    part: Literal["attention", "mlp"]
    rows: Where = "all"
    layers: Layers = None

    def __post_init__(self) -> None:
        if self.part not in ("attention", "mlp"):
            raise ParameterError(f"part={self.part!r} was given", 'Allowed are "attention" and "mlp".')
        object.__setattr__(self, "rows", checked_where(self.rows))
        object.__setattr__(self, "layers", checked_layers(self.layers))

    def where(self) -> tuple[Where, ...]:
        return (self.rows,)

    def layer_numbers(self, layers: int) -> tuple[int, ...]:
        return layers_within(self.layers, layers - 1)
