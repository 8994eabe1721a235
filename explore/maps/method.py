"""What a map method is: a few parameters, a source, and the maths from a trace to one map per token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.layout import Role
from explore.maps.result import TokenMaps
from explore.trace import Token, Trace


@dataclass(frozen=True)
class MapMethod(ABC):
    """One way to say where the model looked for each token.

    A subclass is a frozen dataclass whose fields are its parameters (forms are made from them), names its `name` in the
    table and its `source`, and computes. Its file and one line in `table.py` are all it takes.
    """

    name: ClassVar[str]
    source: ClassVar[str]

    def maps(self, trace: Trace) -> TokenMaps:
        """Maps of every question and answer token of a run.

        Raises
        ------
        ParameterError
            The run has no picture, or a parameter has a value the method cannot use.
        NotRecordedError
            The trace does not hold what the method reads; the message says how to record it.
        """
        if not trace.layout.grids:
            raise ParameterError("The trace has no visual tokens", "Maps need a run with a picture.")
        question, answer = Role.QUESTION, Role.ANSWER
        tokens = tuple(token for token in trace.tokens if token.role is question or token.role is answer)
        array, parts = self.compute(trace, tokens)
        fingerprint = trace.fingerprint | {"maps": {"method": self.name, **asdict(self)}}
        return TokenMaps(tokens, array, trace.layout, trace.images, parts, fingerprint)

    @abstractmethod
    def compute(self, trace: Trace, tokens: Sequence[Token]) -> tuple[NDArray[np.float32], Any]:
        """Maps of these tokens in 0..1, (tokens, visual) over the cells of all grids, and the parts worth showing."""
