"""Changing states where they stand: replaced, noisy, scaled, or left as they were.

`part` says which states: "state" is the residual stream entering a layer, 0 to L (L is before the final norm), as in
`Trace.hidden`; "attention" and "mlp" are what that sublayer hands on in layer 0 to L - 1, before a norm behind it where
the family has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from explore.edits.edit import Edit, Layers, checked_layers, layers_within
from explore.edits.places import Where, checked_where
from explore.errors import ParameterError

Part = Literal["state", "attention", "mlp"]


@dataclass(frozen=True, eq=False)
class StateEdit(Edit):
    """Rows of one part in one or several layers.

    Parameters
    ----------
    rows
        Positions that are changed.
    layers
        Layers of the part, one or several.
    part
        "state", "attention" or "mlp".
    """

    rows: Where
    layers: Layers = (0,)
    part: Part = "state"

    def __post_init__(self) -> None:
        if self.part not in get_args(Part):
            raise ParameterError(f"part={self.part!r} was given", f"Allowed are {', '.join(get_args(Part))}.")
        object.__setattr__(self, "rows", checked_where(self.rows))
        object.__setattr__(self, "layers", checked_layers(self.layers))

    def where(self) -> tuple[Where, ...]:
        return (self.rows,)

    def layer_numbers(self, layers: int) -> tuple[int, ...]:
        return layers_within(self.layers, layers if self.part == "state" else layers - 1)


@dataclass(frozen=True, eq=False)
class ReplaceStates(StateEdit):
    """Other states in place of the model's own, such as those of another run.

    Parameters
    ----------
    values
        One row for every position in ascending order, (rows, width), or one for all of them, (width,).
    """

    kind: ClassVar[str] = "replace_states"

    values: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        values = np.array(self.values, np.float32)
        if self.values is None or values.ndim not in (1, 2) or not np.isfinite(values).all():
            raise ParameterError(
                f"Values of the shape {np.shape(self.values)} were given", "They are finite: (rows, width) or (width,)."
            )
        values.flags.writeable = False
        object.__setattr__(self, "values", values)


@dataclass(frozen=True, eq=False)
class AddNoise(StateEdit):
    """Gaussian noise on some states, the same for the same seed, layer and position, however the run is cut into calls.

    Parameters
    ----------
    std
        Standard deviation of every number.
    seed
        Which noise.
    """

    kind: ClassVar[str] = "add_noise"

    std: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not np.isfinite(self.std) or self.std < 0 or self.seed < 0:
            raise ParameterError(f"std={self.std} and seed={self.seed} were given", "Both are numbers from 0.")
        object.__setattr__(self, "std", float(self.std))

    def drawn(self, layer: int, positions: np.ndarray, width: int) -> np.ndarray:
        """The noise of some positions, (positions, width) float32."""
        rows = [np.random.default_rng((self.seed, layer, int(place))).standard_normal(width) for place in positions]
        return (self.std * np.stack(rows)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class ScaleStates(StateEdit):
    """Some states times a number.

    Parameters
    ----------
    factor
        0 leaves nothing of them.
    """

    kind: ClassVar[str] = "scale_states"

    factor: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not np.isfinite(self.factor):
            raise ParameterError(f"factor={self.factor} was given", "It is a finite number.")
        object.__setattr__(self, "factor", float(self.factor))


@dataclass(frozen=True, eq=False)
class FreezeStates(Edit):
    """Some rows leave each of these layers as they entered it; others go on seeing them by attention.

    Parameters
    ----------
    rows
        Positions that stand still.
    layers
        Layers that do not change them; None means all.
    """

    kind: ClassVar[str] = "freeze_states"

    rows: Where
    layers: Layers = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", checked_where(self.rows))
        object.__setattr__(self, "layers", checked_layers(self.layers))

    def where(self) -> tuple[Where, ...]:
        return (self.rows,)

    def layer_numbers(self, layers: int) -> tuple[int, ...]:
        return layers_within(self.layers, layers - 1)
