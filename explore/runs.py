"""What a method room may expect of a runner, and nothing more.

Rooms that need another run are handed something that fits this protocol: the real runner, one on another machine, or a
test double.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from PIL import Image

from explore.trace import Trace

Report = Callable[[float | None, str], None]
"""Called with the fraction done and a message; raises `explore.errors.Cancelled` when the run shall stop."""


Objective = Literal["logit", "logprob"]
"""What of a token a gradient or an attribution explains."""


@dataclass(frozen=True, eq=False)
class AnswerScores:
    """How likely an answer is under several variants of its run.

    Parameters
    ----------
    logits, logprobs
        Of every answer token given the tokens before it, (variants, answer_tokens) float32.
    """

    logits: np.ndarray
    logprobs: np.ndarray


class LayerReplayLike(Protocol):
    """Attention of one layer over the whole sequence; arrays are torch tensors where the model is."""

    @property
    def number(self) -> int:
        """Which decoder layer it is, counted from 0."""
        ...

    @property
    def positions(self) -> int: ...

    def weights(self, rows: Any) -> Any:
        """Attention weights of some query rows, (heads, rows, positions) float32."""
        ...

    def values(self) -> Any:
        """Value of every position for every query head, (heads, positions, head_width) float32."""
        ...

    def written(self, head: int, vectors: Any) -> Any:
        """What a head's vectors (..., head_width) add to the residual stream, (..., width) float32."""
        ...


class TokenGradientLike(Protocol):
    """Gradient of one answer token's score: `heads` per layer (heads, positions, head_width) with respect to what the
    heads said, `states` per layer 0 to L (positions, width) with respect to the residual stream."""

    @property
    def heads(self) -> tuple[Any, ...]: ...
    @property
    def states(self) -> tuple[Any, ...]: ...


class ReplayLike(Protocol):
    """One more pass over a trace's sequence, laid open."""

    @property
    def layers(self) -> tuple[LayerReplayLike, ...]:
        """Attention of every layer that has any, in order."""
        ...

    def layer(self, number: int) -> LayerReplayLike:
        """Attention of one decoder layer; raises `ParameterError` where it has none."""
        ...

    @property
    def states(self) -> tuple[Any, ...]:
        """The residual stream entering every layer 0 to L, each (positions, width) float32."""
        ...

    def gradient(self, number: int, of: Objective = "logit") -> TokenGradientLike:
        """Gradient of the score of an answer token, counted within the answer."""
        ...


class RerunLike(Protocol):
    """A trace together with the model that made it."""

    def read_out(self, states: np.ndarray, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """Logits of some token ids, (rows, ids) float32, read from states before the final norm (rows, width)."""
        ...

    def normed(self, states: np.ndarray) -> np.ndarray:
        """States (rows, width) after the final norm, float32."""
        ...

    def replay(self, *, gradients: bool = False, progress: Report | None = None) -> AbstractContextManager[ReplayLike]:
        """The sequence run once more; what it holds lives as long as the `with` block."""
        ...

    def without(self, blocked: np.ndarray, *, batch_size: int = 16, progress: Report | None = None) -> AnswerScores:
        """Scores with attention to some positions blocked, (variants, positions_fed) bool."""
        ...

    def with_pictures(
        self, variants: Sequence[Sequence[Image.Image]], *, batch_size: int = 8, progress: Report | None = None
    ) -> AnswerScores:
        """Scores with other pictures of the same sizes."""
        ...

    def features(self) -> AbstractContextManager[tuple[Any, Callable[[Any], Any]]]:
        """The decoder's input at the visual positions (visual_tokens, width), and a differentiable function from such
        features (batch, visual_tokens, width) to logits of the answer tokens (batch, answer_tokens)."""
        ...


class InfoLike(Protocol):
    """The facts about a loaded model that methods use."""

    @property
    def layers(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def kv_heads(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def vocab(self) -> int: ...
    @property
    def context_length(self) -> int: ...
    @property
    def dtype(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def checkpoint(self) -> str: ...
    @property
    def revision(self) -> str: ...


class RunnerLike(Protocol):
    """A model that can be asked."""

    @property
    def info(self) -> InfoLike: ...

    @property
    def closed(self) -> bool: ...

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What identifies the model: checkpoint, revision, dtype and versions."""
        ...

    def ask(
        self,
        image: Any,
        question: str,
        *,
        max_new_tokens: int = 64,
        record: Any = None,
        progress: Report | None = None,
    ) -> Trace:
        """Generate an answer and record the run."""
        ...

    def read(
        self,
        image: Any,
        question: str,
        answer: str | Sequence[int],
        *,
        record: Any = None,
        progress: Report | None = None,
    ) -> Trace:
        """Record one forward pass over a given answer."""
        ...

    def answers(
        self,
        pairs: Sequence[tuple[Any, str]],
        *,
        max_new_tokens: int = 64,
        batch_size: int = 16,
        progress: Report | None = None,
    ) -> list[str]:
        """Answers to many questions, without recording."""
        ...

    def rerun(self, trace: Trace) -> RerunLike:
        """The trace once more in this model, for methods that need more than was recorded."""
        ...
