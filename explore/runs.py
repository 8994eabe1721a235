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

from explore.edits.running import VariantsLike
from explore.prompt_states import PromptStates, PromptTokens
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
        """What the output projection makes of a head's vectors (..., head_width), (..., width) float32; no bias."""
        ...

    @property
    def problem(self) -> str:
        """Why what attention adds to the stream cannot be taken apart, empty where it can."""
        ...

    def added(self, rows: Any) -> Any:
        """What attention adds to the residual stream of some rows, biases included, (rows, width) float32; refused with
        `CheckpointError` where there is a `problem`, as the next two are."""
        ...

    def landed(self, rows: Any, vectors: Any) -> Any:
        """What vectors (rows, ..., width) from `written` are in the stream of their rows: a norm may stand between."""
        ...

    def constant(self, rows: Any) -> Any:
        """What attention adds to some rows whatever they look at, (rows, width) float32."""
        ...


class TokenGradientLike(Protocol):
    """Gradient of one answer token's score: `heads` per layer (heads, positions, head_width) with respect to what the
    heads said, `states` per layer 0 to L (positions, width) with respect to the residual stream."""

    @property
    def heads(self) -> tuple[Any, ...]: ...
    @property
    def states(self) -> tuple[Any, ...]: ...


class ReadoutLike(Protocol):
    """Final norm and head held still at one position, for some token ids; arrays are torch tensors.

    A part p of the state before the norm says `directions @ p`, and all parts together with `constant` say `logits`.
    """

    @property
    def directions(self) -> Any:
        """(ids, width) float32, the logit scale in it."""
        ...

    @property
    def constant(self) -> Any:
        """What biases of norm and head say, (ids,) float32."""
        ...

    @property
    def logits(self) -> Any:
        """What the model says, before any soft cap, (ids,) float32."""
        ...

    @property
    def cap(self) -> float | None:
        """The soft cap that logits go through afterwards."""
        ...


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

    @property
    def depth(self) -> int:
        """How many layers the decoder has, those without attention among them."""
        ...

    def state(self, number: int) -> Any:
        """One of `states`."""
        ...

    def inserted(self, number: int) -> Any | None:
        """What the model adds to the stream behind one layer and before the next, (positions, width) or None."""
        ...

    def readout(self, number: int, ids: Sequence[int]) -> ReadoutLike:
        """Final norm and head, held still at the position that predicts an answer token."""
        ...

    def gradient(self, number: int, of: Objective = "logit") -> TokenGradientLike:
        """Gradient of the score of an answer token, counted within the answer."""
        ...


class RerunLike(Protocol):
    """A trace together with the model that made it."""

    def read_out(self, states: np.ndarray, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """Logits of some token ids, (rows, ids) float32, read from states before the final norm (rows, width).

        Raises
        ------
        ParameterError
            The decoder has several residual streams, and states are their mean.
        """
        ...

    def normed(self, states: np.ndarray) -> np.ndarray:
        """States (rows, width) after the final norm, float32; refused as `read_out` is."""
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
        """What the decoder is given at the visual positions (visual_tokens, width), and a differentiable function from
        such features (batch, visual_tokens, width) to logits of the answer tokens (batch, answer_tokens); the width is
        that of its input and of all that is added between layers."""
        ...

    def variants(
        self, *, edits: Any = (), number: int = 0, reuse: bool = True, progress: Report | None = None
    ) -> AbstractContextManager[VariantsLike]:
        """Variants of the run, on top of `edits`, scored where answer token `number` is predicted."""
        ...


@dataclass(frozen=True, eq=False)
class TextTokens:
    """One text as tokens.

    Parameters
    ----------
    ids
        Token ids, (tokens,) int64.
    offsets
        First and last character (exclusive) of every token in the text, (tokens, 2) int64; -1 where not known.
    special
        Which of them are control tokens, (tokens,) bool.
    """

    ids: np.ndarray
    offsets: np.ndarray
    special: np.ndarray


class LanguageLike(Protocol):
    """The language model of a runner without any picture; tensors are torch's, where the model is."""

    def tokenize(self, texts: Sequence[str], *, special: bool = True) -> list[TextTokens]:
        """Every text as tokens; `special` adds the tokenizer's own control tokens."""
        ...

    def token_texts(self, ids: Sequence[int] | np.ndarray) -> list[str]:
        """What each token id spells on its own, spaces kept."""
        ...

    def words(self) -> np.ndarray:
        """Which rows of the vocabulary are tokens a text can have, (vocabulary,) bool."""
        ...

    def embeddings(self) -> Any:
        """The input embedding table, (vocabulary, width)."""
        ...

    def states(
        self,
        sentences: Sequence[Sequence[int] | np.ndarray],
        layers: Sequence[int],
        rows: Sequence[Sequence[int] | np.ndarray] | None = None,
        *,
        padding_side: str = "right",
    ) -> dict[int, Any]:
        """Layer 0 to L to the residual stream of wanted positions of a batch of texts, (wanted rows, width)."""
        ...

    def readout(self) -> AbstractContextManager[Callable[[Any], Any]]:
        """From states before the final norm (rows, width) to logits (rows, vocabulary) float32; differentiable."""
        ...

    def top_tokens(
        self, states: Any, k: int, among: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids, logits and probabilities of the best tokens of every state, each (rows, k)."""
        ...

    def patched(
        self, sentence: Sequence[int] | np.ndarray, place: int, layer: int, states: Any, *, read_at: int = -1
    ) -> Any:
        """Logits at one position of a text in which one state is overwritten by each variant in turn."""
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

    @property
    def language(self) -> LanguageLike:
        """The language model without any picture, for lenses."""
        ...

    def edited(self, *edits: Any) -> AbstractContextManager[None]:
        """Everything this thread asks, reads and reruns inside is changed by edits of `explore.edits`."""
        ...

    def rerun(self, trace: Trace) -> RerunLike:
        """The trace once more in this model, for methods that need more than was recorded."""
        ...


class TextEncoderLike(Protocol):
    """A text encoder of an image pipeline."""

    @property
    def causal(self) -> bool:
        """Whether no position sees those behind it."""
        ...

    @property
    def layers(self) -> int: ...

    @property
    def fingerprint(self) -> dict[str, Any]: ...

    def tokenize(self, prompt: str | Sequence[int] | np.ndarray, *, length: int | None = None) -> PromptTokens:
        """A prompt as tokens, filled up to a fixed length."""
        ...

    def encode(
        self,
        prompt: str | Sequence[int] | np.ndarray | PromptTokens,
        *,
        length: int | None = None,
        layer: int | None = None,
        norm: bool | None = None,
        mask: bool | None = None,
        edits: Sequence[Any] = (),
    ) -> PromptStates:
        """States of a prompt as the pipeline takes them, with attention edges cut if wanted."""
        ...
