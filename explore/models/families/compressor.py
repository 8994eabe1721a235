"""What learned queries read the picture with: the attention of a compressor, and the patches it reaches.

The queries themselves lie in no grid. The patches of the vision tower that they attend to do: rows and columns of the
picture, of a crop, or of a tile. A compressor names the modules of that attention in the order of its layers and says
where the patches of every view lie. A view is what goes through the tower on its own: a picture, a frame, a tile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import nn

Size = tuple[int, int]


@dataclass(frozen=True)
class View:
    """One view of a picture: boxes of its patches (rows, cols, 4), and which tile it is, 0 for the whole picture.

    `queries` is how many queries read it where views differ in that, None where all views share them evenly.
    """

    boxes: np.ndarray
    tile: int = 0
    queries: int | None = None


class Compressor:
    """The attention between learned queries and patches.

    Parameters
    ----------
    model, processor
        The loaded model and its processor.
    """

    # What it is called on the screen.
    name: ClassVar[str]
    # What besides the patches takes a part of every query's attention; nothing if empty.
    beside: ClassVar[str] = ""
    # Keys in front of the patches: class tokens of the tower.
    before: ClassVar[int] = 0
    # Whether patches and queries are one sequence that attends to itself, patches first.
    joined: ClassVar[bool] = False
    # Visual tokens behind the queries of a picture that are none.
    after: ClassVar[int] = 0

    def __init__(self, model: Any, processor: Any) -> None:
        self.model, self.processor = model, processor

    @property
    def attentions(self) -> Sequence[nn.Module]:
        """The modules through which the queries read the patches, in the order of the layers."""
        raise NotImplementedError

    @property
    def heads(self) -> int:
        """Attention heads of one layer."""
        module: Any = self.attentions[0]
        found = [getattr(module, name, 0) for name in ("num_heads", "num_attention_heads")]
        return int(next(filter(None, found), 0) or module.config.num_attention_heads)

    def views(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> list[list[View]]:
        """The views of every picture, in the order in which their queries stand in the sequence.

        Parameters
        ----------
        sizes
            (width, height) of every upright picture in pixels.
        inputs
            What the processor made of them.
        """
        raise NotImplementedError
