"""Patchscope: what the model makes of a state put into a sentence of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.lens.choices import Tokens
from explore.lens.logit import require_finite
from explore.lens.method import LensRun, Ranked
from explore.lens.ranking import best_places
from explore.lens.reading import LensReading
from explore.lens.vocabulary_lens import VocabularyLens, spelled
from explore.runs import LanguageLike, Report, RunnerLike
from explore.trace import Trace

IDENTITY = "cat->cat; 1135->1135; hello->hello; ?"
PLACEHOLDER = "?"


@dataclass(frozen=True)
class PatchscopeLens(VocabularyLens):
    """The next token behind a prompt in which a state takes the place of a "?".

    The state that entered layer l for the visual token enters the same layer for the last "?" of the prompt, and the
    prompt's last position says what follows. The identity prompt asks for the word again; "... ?->" reads behind an
    arrow.

    Parameters
    ----------
    prompt
        Text with a "?" in it.
    target_layer
        Where states enter, 0 to L - 1; None is the layer they come from.
    rescaled
        Bring states to the length of the one they replace: visual states are often hundreds of times longer than text.
    pmi
        Score by log-probability less that of the prompt as it is, which takes away what the format alone says.
    batch_size
        States that go through the model together.
    """

    name: ClassVar[str] = "patchscope"
    source: ClassVar[str] = "Patchscopes, Ghandeharioun et al., ICML 2024, arXiv 2401.06102; its identity prompt"

    prompt: str = IDENTITY
    target_layer: int | None = None
    rescaled: bool = False
    pmi: bool = False
    batch_size: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        if PLACEHOLDER not in self.prompt:
            raise ParameterError(f"prompt={self.prompt!r} was given", 'It has a "?" where states are put.')
        if self.batch_size < 1:
            raise ParameterError(f"batch_size={self.batch_size} was given", "At least one state runs at a time.")

    @property
    def score_name(self) -> str:
        return "pmi" if self.pmi else "log-probability"

    @property
    def word_unit(self) -> str:
        return "pmi" if self.pmi else "probability"

    def compute(self, run: LensRun) -> Ranked:
        import torch

        allowed, parts = self.named(run), []
        for scores, likely in self._distributions(run):
            values = scores
            if allowed is not None:
                usable = torch.zeros(scores.shape[-1], dtype=torch.bool)
                usable[: len(allowed)] = torch.from_numpy(allowed[: len(usable)])
                values = scores.masked_fill(~usable, -torch.inf)
            most = min(self.k, int(torch.isfinite(values).all(0).sum()))
            ids = best_places(values, most)
            parts.append([each.numpy() for each in (values.gather(-1, ids), ids, likely.gather(-1, ids).exp())])
        found = [run.unstacked(np.concatenate(each)) for each in zip(*parts, strict=True)]
        require_finite(found[0])
        return Ranked(found[0], found[1], spelled(run.language, found[1]), found[2], notes=self._notes(run))

    def token_scores(self, run: LensRun, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The probability of each token (with `pmi` its score), (layers, tokens, ids) float32."""
        found = []
        for scores, likely in self._distributions(run):
            found.append((scores if self.pmi else likely.exp())[:, ids].numpy())
        return run.unstacked(np.concatenate(found))

    def _distributions(self, run: LensRun) -> Iterator[tuple[Any, Any]]:
        """Scores and log-probabilities of batches of states, (states, vocabulary) float32 each, layer after layer."""
        language, total = run.language, len(run.layers) * len(run.positions)
        ids, place = prompt_ids(language, self.prompt)
        plain = language.patched(ids, place, 0, None).log_softmax(-1).cpu()
        done = 0
        for layer in run.layers:
            target = self._target(layer, run.trace.layers)
            states = run.states(layer)
            if self.rescaled:
                states = _rescaled(states, language.states([ids], [target], [[place]])[target])
            for at in range(0, len(states), self.batch_size):
                batch = states[at : at + self.batch_size]
                likely = language.patched(ids, place, target, batch).log_softmax(-1).cpu()
                done += len(batch)
                run.report(done, total, "state")
                # Tokens a model forbids have the lowest number in both and would come out at 0.
                yield (likely - plain).masked_fill(plain < -1e30, -1e30) if self.pmi else likely, likely

    def _target(self, layer: int, layers: int) -> int:
        target = layer if self.target_layer is None else self.target_layer
        if not 0 <= target < layers:
            raise ParameterError(
                f"States of layer {layer} were to enter layer {target}",
                f"States enter the layers 0 to {layers - 1}; layer {layers} is behind the last of them.",
                "Read other layers, or set target_layer.",
            )
        return target

    def _notes(self, run: LensRun) -> tuple[str, ...]:
        if self.rescaled:
            return ("States were brought to the length of the one they replaced.",)
        return ()


def patchscope_lens(
    trace: Trace,
    k: int = 5,
    *,
    layers: Iterable[int] | None = None,
    positions: Tokens | None = None,
    prompt: str = IDENTITY,
    target_layer: int | None = None,
    rescaled: bool = False,
    pmi: bool = False,
    batch_size: int = 32,
    runner: RunnerLike | None = None,
    progress: Report | None = None,
) -> LensReading:
    """What the model makes of every visual token in a prompt; parameters as for `PatchscopeLens` and its `read`."""
    lens = PatchscopeLens(
        k=k, prompt=prompt, target_layer=target_layer, rescaled=rescaled, pmi=pmi, batch_size=batch_size
    )
    return lens.read(trace, layers, positions, runner=runner, progress=progress)


def prompt_ids(language: LanguageLike, prompt: str) -> tuple[NDArray[np.int64], int]:
    """A prompt's token ids, and which of them is its last "?".

    Raises
    ------
    ParameterError
        The placeholder is a token together with other letters.
    """
    made = language.tokenize([prompt])[0]
    at = prompt.rindex(PLACEHOLDER)
    holds = np.flatnonzero((made.offsets[:, 0] <= at) & (at < made.offsets[:, 1]))
    if not len(holds):  # a tokenizer without offsets
        spelled_alone = [text.strip() == PLACEHOLDER for text in language.token_texts(made.ids)]
        holds = np.flatnonzero(spelled_alone)
    if not len(holds) or language.token_texts(made.ids[holds[-1:]])[0].strip() != PLACEHOLDER:
        raise ParameterError(
            f'The "?" of {prompt!r} is no token of its own in this model',
            "States replace one whole token.",
            "Put a space before or behind it.",
        )
    return made.ids, int(holds[-1])


def _rescaled(states: NDArray[np.float32], like: Any) -> NDArray[np.float32]:
    """States (states, width) at the length of another one (1, width)."""
    length = float(like.float().norm())
    found: NDArray[np.float32] = states * (length / np.maximum(np.linalg.norm(states, axis=-1, keepdims=True), 1e-30))
    return found
