"""Token activation maps of a recorded run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import NotRecordedError, ParameterError
from explore.layout import Role
from explore.maps.activation import Activation, RawScores, activation_maps
from explore.maps.method import MapMethod, MapRun
from explore.maps.result import TokenMaps, grid_positions
from explore.maps.scores import Mode, raw_scores
from explore.trace import Token, Trace


@dataclass(frozen=True)
class TokenActivation(MapMethod):
    """Where a token's own logit is high in the picture, less what earlier tokens already explain.

    The logit of the token is read at every visual position, the estimated interference of earlier tokens subtracted,
    picture and text scores normalised together, and each grid smoothed by rank. Two things to know when reading maps:
    they do not depend on the question where the picture comes first in the prompt, except through the interference and
    the normalisation; and the first question token's map is that of the token the model expected there.

    Parameters
    ----------
    mode
        "paper": every answer token has its own map. "reference": bug-compatible with the published code, for
        comparisons; the first answer token's map is that of the first question token, the map it should have had was
        computed for the last prompt token, and windows of equal values turn 0 in the filter.
    eci
        Subtract the estimated interference of earlier tokens (estimated causal inference).
    rank_filter
        Smooth with the rank Gaussian filter.
    kernel
        Side of the filter's window in cells, odd.
    skip_own_word
        Keep earlier pieces of a token's own word from being subtracted from it. Off in the method, where only pieces
        with exactly the same text are spared.
    """

    name: ClassVar[str] = "tam"
    source: ClassVar[str] = (
        "Li et al., Token Activation Map to Visually Explain Multimodal LLMs, ICCV 2025, arXiv 2506.23270; "
        "reference: tam.py of github.com/xmed-lab/TAM, 7c7df1d"
    )

    mode: Mode = "paper"
    eci: bool = True
    rank_filter: bool = True
    kernel: int = 3
    skip_own_word: bool = False

    def __post_init__(self) -> None:
        if self.mode not in ("paper", "reference"):
            raise ParameterError(f"There is no mode {self.mode!r}", "Modes are 'paper' and 'reference'.")

    def compute(self, run: MapRun) -> tuple[NDArray[np.float32], Activation]:
        trace = run.trace
        # What a token's map shows depends on all that was said before it, so all are computed, whoever is asked for.
        tokens = [token for token in trace.tokens if token.role in (Role.QUESTION, Role.ANSWER)]
        wanted = np.isin([token.position for token in tokens], [token.position for token in run.tokens])
        array, parts = self.all_maps(trace, tokens)
        return array[wanted], parts.only(wanted)

    def all_maps(self, trace: Trace, tokens: Sequence[Token]) -> tuple[NDArray[np.float32], Activation]:
        """Maps of all question and answer tokens of a run, given in order."""
        parts = activation_maps(
            scores_of(trace, tokens, self.mode),
            [(grid.rows, grid.cols) for grid in trace.layout.grids],
            eci=self.eci,
            rank_filter=self.rank_filter,
            kernel=self.kernel,
            flat="zero" if self.mode == "reference" else "keep",
            skip_own_word=self.skip_own_word,
        )
        shown = np.arange(len(tokens))
        if self.mode == "reference":
            # The reference hands out its very first map for the first answer token.
            shown[[token.position == trace.prompt_length for token in tokens]] = 0
        return parts.maps[shown], parts


def token_activation_maps(
    trace: Trace,
    mode: Mode = "paper",
    eci: bool = True,
    rank_filter: bool = True,
    *,
    kernel: int = 3,
    skip_own_word: bool = False,
) -> TokenMaps:
    """Token activation maps of every question and answer token; parameters as in `TokenActivation`.

    Source: TAM, arXiv 2506.23270.

    Returns
    -------
    TokenMaps
        With every step of the computation in `parts`, one row per token in the order of `tokens`.

    Raises
    ------
    NotRecordedError
        The run was recorded without head columns.
    ParameterError
        The run has no picture, its logits are not finite, or a parameter is out of range.
    """
    return TokenActivation(mode, eci, rank_filter, kernel, skip_own_word).maps(trace)


def scores_of(trace: Trace, tokens: Sequence[Token], mode: Mode = "paper") -> RawScores:
    """The raw scores of a run's question and answer tokens over the cells of its grids."""
    if trace.columns is None:
        raise NotRecordedError(
            "The head columns of question and answer were not recorded",
            "Token activation maps are made of them.",
            "Run again with record=RecordingPlan(columns=True).",
        )
    question = [token for token in tokens if token.role is Role.QUESTION]
    answer = [token for token in tokens if token.role is Role.ANSWER]
    # Words count from 0 in question and answer alike; the shift keeps them apart.
    shift = 1 + max((token.word for token in question), default=-1)
    words = [token.word for token in question]
    words += [token.word + shift if token.word >= 0 else -1 for token in answer]
    return raw_scores(
        trace.columns.logits,
        trace.columns.ids,
        visual=grid_positions(trace.layout),
        question=np.array([token.position for token in question], np.int64),
        question_ids=[token.id for token in question],
        answer_ids=[token.id for token in answer],
        prompt_length=trace.prompt_length,
        last_input_id=trace.tokens[trace.prompt_length - 1].id,
        pieces=[_piece(token) for token in (*question, *answer)],
        words=words,
        mode=mode,
    )


def _piece(token: Token) -> str:
    """What makes two pieces the same: their text; the id where that is part of a character and shows as U+FFFD."""
    return token.text if "\ufffd" not in token.text else f"\ufffd{token.id}"
