"""A fixed random rotation that is cheap to apply: signs of rotated vectors say something about every coordinate.

Signs treat all coordinates alike, while in language models a few coordinates of a state carry much of its length. A
rotation spreads them over all. Written as a matrix of a × b numbers, a vector is multiplied by an orthogonal matrix
from each side after random changes of sign: 2·d·(a + b) operations in place of 2·d².
Source: rotations before one-bit codes as in RaBitQ (Gao and Long, 2024); the factored form is our own choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Rotation:
    """An orthogonal map of vectors.

    Parameters
    ----------
    flips
        1 or -1 for each coordinate, (width,) float32.
    left, right
        Orthogonal matrices, (a, a) and (b, b) float32 with a·b = width.
    """

    flips: Tensor
    left: Tensor
    right: Tensor

    @classmethod
    def drawn(cls, width: int, seed: int = 0) -> Rotation:
        """A random one."""
        random = torch.Generator().manual_seed(seed)
        rows = next(each for each in range(isqrt(width), 0, -1) if width % each == 0)
        flips = torch.randint(0, 2, (width,), generator=random).float() * 2 - 1
        left, right = (
            torch.linalg.qr(torch.randn(side, side, generator=random, dtype=torch.float64)).Q.float().contiguous()
            for side in (rows, width // rows)
        )
        return cls(flips, left, right)

    def __call__(self, vectors: Tensor) -> Tensor:
        """Vectors (vectors, width) rotated."""
        matrices = (vectors * self.flips).view(len(vectors), len(self.left), len(self.right))
        return (self.left @ (matrices @ self.right)).reshape(vectors.shape)
