"""The frozen record of one run.

A `Trace` knows its tokens and layout, what was recorded (hidden states, attention rows, logits, vision signals) and how
to get what was not. It holds numpy arrays and pictures only, so it opens without the model, torch or a GPU.

Positions count over the whole sequence, answer included. The last answer token is never fed back to the model, so
arrays over *fed* positions have one row less than there are tokens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from explore.errors import NotRecordedError, ParameterError
from explore.frame_times import FrameTimes
from explore.layout import Role, TokenLayout


@dataclass(frozen=True)
class Token:
    """One sequence position as a person reads it.

    Parameters
    ----------
    position
        Place in the sequence, from 0.
    id
        Token id in the model's vocabulary.
    text
        The piece as it stands in the text, spaces kept; the placeholder's name at image positions.
    role
        What the position is for.
    word
        Index of the word the piece belongs to within the question or the answer; pieces of one word share it, -1 for
        other roles and for special tokens.
    """

    position: int
    id: int
    text: str
    role: Role
    word: int = -1


@dataclass(frozen=True, eq=False)
class TokenColumns:
    """Columns of the language-model head for the tokens that were said.

    Parameters
    ----------
    ids
        Unique token ids in ascending order, (unique_ids,) int64: those of question and answer, the model's own guess at
        the first question position, and the last token of the prompt.
    logits
        Raw logits (no softmax, no rectifier) of these ids at every fed position, (positions_fed, unique_ids) float32.
    """

    ids: np.ndarray
    logits: np.ndarray

    def of(self, token_id: int) -> np.ndarray:
        """Logits of one token id at every fed position, (positions_fed,) float32."""
        index = int(np.searchsorted(self.ids, token_id))
        if index == len(self.ids) or self.ids[index] != token_id:
            raise NotRecordedError(
                f"Token id {token_id} is not among the {len(self.ids)} recorded columns",
                "Recorded are the tokens of the question and of the answer.",
                "Use runner.read(image, question, answer) with an answer that holds the token.",
            )
        column: np.ndarray = self.logits[:, index]
        return column


@dataclass(frozen=True, eq=False)
class Trace:
    """The frozen record of one run; see the module's text for how positions count.

    Parameters
    ----------
    tokens
        Every position of the sequence, the answer's end token included where one was made.
    layout
        Role and, for visual tokens, place in the picture of every position.
    question, answer
        Plain text, special tokens and outer spaces removed.
    images
        The upright RGB pictures the boxes of the layout refer to; for a film its frames.
    fingerprint
        Everything that decided the result: checkpoint, revision, dtype, versions, prompt and image hashes, generation
        parameters and the recording plan.
    prompt_length
        Number of prompt positions; the answer starts here.
    columns
        Head columns of the tokens said, or None if the plan left them out.
    logits
        Raw logits that predicted each answer token, (answer_tokens, vocabulary) float32 or float16, or None.
    hidden_states
        Layer to states, each (positions_fed, width): layer 0 is the language model's input, layer L (= `layers`) is
        before the final norm.
    attention_rows
        Layer to attention weights, each (heads, rows, positions_fed); every row sums to 1 over the keys it may see.
    row_positions
        Sequence positions of those rows, (rows,) int64.
    vision
        Signals of the vision tower by name, patches in its own order, which is that of `layout.visual` where every
        visual token is one patch (or so many patches one after the other): "cls_attention"
        (layers, heads, patches), "keys" (layers, heads, patches, head_width), "features" (patches, vision_width);
        "query_attention" (layers, heads, queries, patches) of a compressor, its queries in the order of
        `layout.queries` and the patches of each of these row by row. Rows sum to less than 1 by what goes to class
        tokens, padding and other queries, which have no column; weights at another view's patches are 0.
    layers, heads, width
        Decoder layers, query heads, and width of the residual stream.
    system
        Text of the system turn, None where none was given.
    history
        Question and answer of every earlier turn of the conversation, the first turn first.
    times
        When the frames were taken, None where `images` are no film.
    origin
        Gives the runner that made the trace while it lives; a saved trace has none.
    """

    tokens: tuple[Token, ...]
    layout: TokenLayout
    question: str
    answer: str
    images: tuple[Image.Image, ...]
    fingerprint: dict[str, Any]
    prompt_length: int
    columns: TokenColumns | None = None
    logits: np.ndarray | None = None
    hidden_states: Mapping[int, np.ndarray] = field(default_factory=dict)
    attention_rows: Mapping[int, np.ndarray] = field(default_factory=dict)
    row_positions: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    vision: Mapping[str, np.ndarray] = field(default_factory=dict)
    layers: int = 0
    heads: int = 0
    width: int = 0
    system: str | None = None
    history: tuple[tuple[str, str], ...] = ()
    times: FrameTimes | None = None
    origin: Callable[[], Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.layout):
            raise ParameterError(f"A trace got {len(self.tokens)} tokens but a layout of {len(self.layout)} positions")
        for array in self.arrays().values():
            array.flags.writeable = False  # one trace may stand in the cache, in a variable and behind a view

    @property
    def answer_positions(self) -> np.ndarray:
        """Sequence positions of the answer tokens, (answer_tokens,) int64; position p was predicted at p - 1."""
        return np.arange(self.prompt_length, len(self.tokens), dtype=np.int64)

    @property
    def positions_fed(self) -> int:
        """How many positions went through the model; all but the last answer token."""
        return max(len(self.tokens) - 1, self.prompt_length)

    @property
    def ids(self) -> np.ndarray:
        """Token ids of all positions, (positions,) int64."""
        return np.array([token.id for token in self.tokens], np.int64)

    @property
    def answer_ids(self) -> np.ndarray:
        """Token ids of the answer, end token included where one was made, (answer_tokens,) int64."""
        return self.ids[self.prompt_length :]

    @property
    def turns(self) -> tuple[tuple[str, str], ...]:
        """The conversation so far, this question and answer last: what a next question takes as its `history`."""
        return (*self.history, (self.question, self.answer))

    def hidden(self, layer: int) -> np.ndarray:
        """States of the residual stream entering a layer, (positions_fed, width) float.

        Layer 0 is the language model's input (image features in place), layer `layers` is before the final norm.

        Raises
        ------
        ParameterError
            The model has no such layer.
        NotRecordedError
            The plan did not ask for it.
        """
        self._known_layer(layer, self.layers)
        if layer not in self.hidden_states:
            raise NotRecordedError(
                f"Hidden states of layer {layer} were not recorded",
                f"Recorded layers: {sorted(self.hidden_states) or 'none'}.",
                'Run again with record=RecordingPlan(hidden="all") or hidden=(layer, ...).',
            )
        return self.hidden_states[layer]

    def attention(self, layer: int, rows: int | Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """Attention weights of chosen query rows in one layer, (heads, rows, positions_fed) float.

        Parameters
        ----------
        layer
            Decoder layer, 0 to `layers` - 1.
        rows
            Sequence positions of the queries, or one; None gives all recorded rows, in the order of `row_positions`.

        Raises
        ------
        ParameterError
            The model has no such layer.
        NotRecordedError
            The layer or a row was not recorded.
        """
        self._known_layer(layer, self.layers - 1)
        if layer not in self.attention_rows:
            raise NotRecordedError(
                f"Attention of layer {layer} was not recorded",
                f"Recorded layers: {sorted(self.attention_rows) or 'none'}.",
                'Run again with record=RecordingPlan(attention="answer") and, if set, a wider attention_layers.',
            )
        weights = self.attention_rows[layer]
        if rows is None:
            return weights
        place = {int(position): index for index, position in enumerate(self.row_positions)}
        wanted = np.atleast_1d(np.asarray(rows)).tolist()
        missing = [row for row in wanted if row not in place]
        if missing:
            raise NotRecordedError(
                f"Attention rows of positions {missing} were not recorded",
                f"Recorded rows: {self.row_positions.tolist()}.",
                'Run again with record=RecordingPlan(attention="all") or attention=(position, ...).',
            )
        return weights[:, np.array([place[row] for row in wanted], np.int64)]

    def logits_of(self, k: int) -> np.ndarray:
        """Raw logits that predicted answer token k, (vocabulary,) float.

        Raises
        ------
        NotRecordedError
            The plan left logits out.
        ParameterError
            The answer has no token k.
        """
        if self.logits is None:
            raise NotRecordedError(
                "Logits of the answer were not recorded", "", 'Run again with record=RecordingPlan(logits="answer").'
            )
        if not -len(self.logits) <= k < len(self.logits):
            raise ParameterError(f"There is no answer token {k}", f"The answer has {len(self.logits)} tokens.")
        row: np.ndarray = self.logits[k]
        return row

    def words(self, role: Role | str = Role.ANSWER) -> list[tuple[str, np.ndarray]]:
        """Words of the question or answer with the positions of their pieces, in order of the text."""
        wanted, found = Role(role), dict[int, list[Token]]()
        for token in self.tokens:
            if token.role is wanted and token.word >= 0:
                found.setdefault(token.word, []).append(token)
        return [
            ("".join(token.text for token in pieces).strip(), np.array([token.position for token in pieces], np.int64))
            for _, pieces in sorted(found.items())
        ]

    def arrays(self) -> dict[str, np.ndarray]:
        """Every recorded array under the name it is saved by; the keys with a dot carry a layer or a signal name."""
        found: dict[str, np.ndarray] = {"row_positions": self.row_positions}
        if self.columns is not None:
            found |= {"columns.ids": self.columns.ids, "columns.logits": self.columns.logits}
        if self.logits is not None:
            found["logits"] = self.logits
        found |= {f"hidden.{layer}": states for layer, states in self.hidden_states.items()}
        found |= {f"attention.{layer}": weights for layer, weights in self.attention_rows.items()}
        found |= {f"vision.{name}": values for name, values in self.vision.items()}
        return found

    @property
    def nbytes(self) -> int:
        """Bytes of all recorded arrays and pictures in memory."""
        pixels = sum(image.width * image.height * len(image.getbands()) for image in self.images)
        return sum(array.nbytes for array in self.arrays().values()) + pixels

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trace to one file, atomically; `explore.open_trace` reads it back."""
        from explore.trace_files import write_trace  # the file format knows the trace, not the other way round

        write_trace(self, path)

    def _known_layer(self, layer: int, last: int) -> None:
        if not isinstance(layer, int | np.integer) or not 0 <= layer <= last:
            raise ParameterError(f"There is no layer {layer!r} here", f"Layers count from 0 to {last}.")


def open_trace(path: str | os.PathLike[str]) -> Trace:
    """Read a saved trace; needs neither the model nor a GPU.

    Raises
    ------
    TraceFileError
        The file is missing, damaged, no trace, or written by a newer version.
    """
    from explore.trace_files import read_trace

    return read_trace(path)
