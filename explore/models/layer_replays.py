"""Attention of one layer of a replay: rows of weights, values, and what they add to the residual stream."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explore.errors import CheckpointError
from explore.models.attention import AttentionCall
from explore.models.landings import Landing
from explore.models.placement import readable
from explore.models.rows import LayerRecord


@dataclass(frozen=True, eq=False)
class LayerReplay:
    """Attention of one layer over the whole sequence.

    Parameters
    ----------
    number
        Which decoder layer it is, counted from 0.
    query
        (1, heads, positions, head_width)
    key, value
        (1, kv_heads, positions, head_width)
    mask, call
        As the layer used them.
    output
        What the heads said, (1, positions, heads, head_width), in the graph if gradients were asked for.
    projection
        The module that turns it into what is added to the residual stream.
    home
        The device that everything asked for comes to, one for all layers of a spread model.
    landing
        How that comes into the residual stream, or in words why it cannot be told.
    """

    number: int
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    call: AttentionCall
    output: Tensor
    projection: nn.Module
    home: torch.device
    landing: Landing | str = "the layer has not run to its end"

    @property
    def positions(self) -> int:
        """Length of the sequence."""
        return int(self.query.shape[2])

    def weights(self, rows: Tensor | range) -> Tensor:
        """Attention weights of some query rows, (heads, rows, positions) in at least single precision."""
        record = LayerRecord()
        wanted = torch.as_tensor(rows if isinstance(rows, Tensor) else list(rows), dtype=torch.long)
        record.add(self.query.detach(), self.key.detach(), self.mask, self.call, wanted)
        return record.rows()[0].to(self.home)

    def values(self) -> Tensor:
        """Value of every position for every query head, (heads, positions, head_width) float32."""
        groups = self.query.shape[1] // self.value.shape[1]
        return self.value.detach()[0].float().repeat_interleave(groups, dim=0).to(self.home)

    def written(self, head: int, vectors: Tensor) -> Tensor:
        """What a head's vectors (..., head_width) add to the residual stream, (..., width) float32; no bias."""
        heads, width = self.query.shape[1], self.output.shape[3]
        plain = readable(self.projection)
        if plain is not None:
            return vectors.float() @ plain.weight[:, head * width : (head + 1) * width].float().T.to(vectors.device)
        # Asked as a function: quantised, offloaded and transposed projections have no plain weight to read.
        device, dtype = self.output.device, self.output.dtype
        unit = torch.zeros(width, heads * width, device=device, dtype=dtype)
        unit[:, head * width : (head + 1) * width] = torch.eye(width, device=device, dtype=dtype)
        matrix = (self.projection(unit) - self.projection(torch.zeros_like(unit[:1]))).float()
        return vectors.float() @ matrix.to(vectors.device)

    @property
    def problem(self) -> str:
        """Why what attention adds to the stream cannot be taken apart, empty where it can."""
        return self.landing if isinstance(self.landing, str) else ""

    def added(self, rows: Tensor | range) -> Tensor:
        """What attention adds to the residual stream of some rows, biases included, (rows, width) float32.

        Raises
        ------
        CheckpointError
            The layer does not simply add it: see `problem`.
        """
        return self._lands().whole(self._said(rows)).to(self.home)

    def landed(self, rows: Tensor | range, vectors: Tensor) -> Tensor:
        """What vectors (rows, ..., width) from `written` are in the stream of their rows, where a norm stands between.

        Linear in the vectors, the norm held still at what the rows really said; no bias.

        Raises
        ------
        CheckpointError
            As for `added`.
        """
        landing = self._lands()
        still = None if landing.norm is None else landing.at(self._said(rows))
        through = vectors if still is None else still(vectors.to(still.scale.device))
        return through.to(self.home) * landing.factor

    def constant(self, rows: Tensor | range) -> Tensor:
        """What attention adds to some rows whatever they look at: its biases, (rows, width) float32.

        Raises
        ------
        CheckpointError
            As for `added`.
        """
        landing, count = self._lands(), len(rows)
        silent = torch.zeros_like(self.output[0, :1].flatten(1)).detach()
        bias = self.projection(silent).float().expand(count, -1)
        still = None if landing.norm is None else landing.at(self._said(rows))
        found = bias if still is None else still(bias.to(still.scale.device)) + still.shift
        return found.to(self.home) * landing.factor

    def _lands(self) -> Landing:
        if isinstance(self.landing, str):
            raise CheckpointError(
                f"What the attention of layer {self.number} adds cannot be taken apart: {self.landing}",
                "That needs attention whose heads are projected and added to the residual stream.",
                "Use rollout, knockout or patching, which need no parts.",
            )
        return self.landing

    def _said(self, rows: Tensor | range) -> Tensor:
        """What the projection says of some rows, (rows, width), in the model's number type."""
        wanted = torch.as_tensor(rows if isinstance(rows, Tensor) else list(rows), dtype=torch.long)
        heard = self.output.detach()[0].flatten(1).index_select(0, wanted.to(self.output.device))
        said: Tensor = self.projection(heard)
        return said
