"""A data set with only the things of some size: a map's grid is coarse, and small things suffer first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from explore.bench.data.example import Example, Examples, Target
from explore.errors import ParameterError


@dataclass(frozen=True)
class SizedTargets(Examples):
    """The same examples, with only those targets that cover a certain share of the picture.

    Parameters
    ----------
    data
        Examples with answers of their own.
    least, most
        Share of the picture's pixels, 0 to 1: from `least` to below `most`.
    """

    data: Sequence[Example]
    least: float = 0.0
    most: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.least < self.most:
            raise ParameterError(
                f"least={self.least} and most={self.most} were given", "Both are shares, the first below the second."
            )

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What decides the examples."""
        of = self.data.fingerprint if isinstance(self.data, Examples) else [each.id for each in self.data]
        return {"data": "sized", "of": of, "least": self.least, "most": self.most}

    def __len__(self) -> int:
        return len(self.data)

    def example(self, number: int) -> Example:
        """See `Examples.example`."""
        whole = self.data[number]
        return replace(whole, targets=self._sized(whole.targets), find=lambda text: self._sized(whole.find(text)))

    def _sized(self, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        return tuple(target for target in targets if self.least <= target.mask.mean() < self.most)
