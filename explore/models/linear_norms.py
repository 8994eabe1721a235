"""A norm held still: at the states it was given it is a linear map, so that what a state is made of goes through alone.

Source: `specs/information-flow.md` §5.6; which norm it is decides the module itself, on one probe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explore.errors import CheckpointError

_LOUD = 100.0  # so that what a norm adds to its divisor for safety does not count


@dataclass(frozen=True, eq=False)
class LinearNorm:
    r""":math:`\lambda_i(p) = \gamma \odot (p - \bar p) / \sigma_i`, the mean only where the norm takes it away.

    Parameters
    ----------
    scale, shift
        What the norm multiplies by and adds, (width,) float32.
    centred
        Whether the mean over the width is taken away first.
    divisor
        Of every row at its actual state, (rows,) float32.
    """

    scale: Tensor
    shift: Tensor
    centred: bool
    divisor: Tensor

    def __call__(self, vectors: Tensor) -> Tensor:
        """Parts of the rows' states (rows, ..., width) after the norm; parts of a whole give its norm less `shift`."""
        if self.centred:
            vectors = vectors - vectors.mean(-1, keepdim=True)
        return vectors * self.scale / self.divisor.reshape(-1, *[1] * (vectors.ndim - 1))

    def backwards(self, directions: Tensor) -> Tensor:
        """The directions q with q . p = direction . norm(p) for every part p of one row, (directions, width)."""
        found = directions * self.scale / self.divisor
        return found - found.mean(-1, keepdim=True) if self.centred else found


def linearised(norm: nn.Module, states: Tensor) -> LinearNorm:
    """A norm at these states (rows, width), which are in the model's own number type.

    Raises
    ------
    CheckpointError
        It is no norm of the kinds known: root mean square, or mean and standard deviation, over the width.
    """
    given = states.detach()
    with torch.no_grad():
        normed = norm(given[None])[0].float()
        shift = norm(torch.zeros_like(given[:1])[None])[0, 0].float()
        level = norm(torch.full_like(given[:1], _LOUD)[None])[0, 0].float() - shift
        wave = _wave(given.shape[-1]).to(given)
        scale = (norm((_LOUD * wave)[None, None])[0, 0].float() - shift) / wave.float()
    centred = bool(level.norm() < 0.5 * scale.norm())
    whole = given.float()
    whole = (whole - whole.mean(-1, keepdim=True) if centred else whole) * scale
    said = normed - shift
    power, along = (whole * whole).sum(-1), (whole * said).sum(-1)
    divisor = torch.where((power > 0) & (along > 0), power / along.clamp_min(1e-30), torch.ones_like(power))
    tolerance = 1e-3 if given.dtype == torch.float32 else 5e-2
    if float((whole / divisor[:, None] - said).norm()) > tolerance * float(said.norm()) + 1e-6:
        raise CheckpointError(
            f"{type(norm).__name__} is no norm over the width of a state, so parts of a state cannot go through alone",
            "Known are norms by the root mean square, and by mean and standard deviation.",
            "Use a method that takes no states apart, such as rollout or knockout.",
        )
    return LinearNorm(scale, shift, centred, divisor)


def _wave(width: int) -> Tensor:
    """Numbers of mean 0 and mean square 1, none of them 0."""
    wave = 1.0 - 2.0 * (torch.arange(width) % 2).float()
    if width % 2 and width > 1:
        wave[-3:] = torch.tensor([1.0, 1.0, -2.0]) / math.sqrt(2)
    return wave
