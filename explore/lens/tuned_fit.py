"""Fitting a tuned lens to a model, on texts of your own; a fit that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from explore.errors import ParameterError
from explore.lens.layer_rule import contextual_layers
from explore.lens.origins import identity_of
from explore.lens.translators import HeldOut, Translators, open_tuned_lens, read_tensors, write_tensors
from explore.runs import LanguageLike, Report, RunnerLike, TextTokens

if TYPE_CHECKING:
    from explore.lens.fit_steps import Fitting

_BEGUN = ".begun"
_HELD_TEXTS = 256  # held-out texts that are measured at most
_SAVE_EVERY = 25


def fit_tuned_lens(
    runner: RunnerLike,
    texts: Iterable[str],
    path: str | os.PathLike[str],
    *,
    layers: Iterable[int] | None = None,
    steps: int = 250,
    batch_tokens: int = 1024,
    longest: int = 256,
    learning_rate: float = 0.1,
    held_out: float = 0.1,
    seed: int = 0,
    progress: Report | None = None,
) -> Translators:
    """Fit one affine map per layer, so that the head says of its states what the model says in the end.

    Minimises KL(final || lens) with the published optimiser: SGD, Nesterov momentum 0.9, weight decay 1e-3, gradients
    cut at norm 1, and a rate that falls linearly to 0. Maps begin at zero, which is the logit lens.

    Parameters
    ----------
    runner
        The model.
    texts
        Plain text of the kind the model reads; each of at least one token.
    path
        File to write. Beside it lies `path`.begun while the fit runs; the same call goes on from there, and gives the
        same bytes as if it had not been stopped. Where the same fit is already there, it is opened.
    layers
        Layers that get a map, 0 to L - 1; None means 0 and those that banks store.
    steps
        Steps of the optimiser.
    batch_tokens
        Tokens per step, at least.
    longest
        Tokens of a text that are used.
    learning_rate
        Rate of the first step.
    held_out
        Share of the texts that is kept out of the fit and measured at its end, beside the logit lens.
    seed
        Decides which texts are held out and which make up a step.
    progress
        Called with the fraction done and a message; may raise `Cancelled`, after which the same call goes on.

    Raises
    ------
    ParameterError
        Too few texts, a layer that cannot be fitted, several residual streams, or `path` holds another fit.
    TunedLensFileError
        A file cannot be read or written.
    """
    language, blocks = runner.language, runner.info.layers
    wanted, given = _fitted_layers(layers, blocks), _listed(texts)
    numbers = {"steps": steps, "batch_tokens": batch_tokens, "longest": longest, "learning_rate": learning_rate}
    if min(numbers.values()) <= 0:
        raise ParameterError(f"{numbers} were given", "All of them are above 0.")
    settings = {
        "texts": hashlib.sha256("\0".join(given).encode(errors="surrogatepass")).hexdigest(),
        "count": len(given),
        "layers": list(wanted),
        "steps": steps,
        "batch_tokens": batch_tokens,
        "longest": longest,
        "learning_rate": learning_rate,
        "held_out": held_out,
        "seed": seed,
        "optimizer": "SGD, Nesterov momentum 0.9, weight decay 1e-3, gradient norm 1, linear decay",
    }
    if Path(path).expanduser().exists():
        return _same_fit(path, settings, runner)
    learnt, held = _split(_cut(language, given, longest), held_out, seed)

    from explore.lens.fit_steps import Fitting

    fitting = Fitting(language, wanted, blocks, runner.info.width, learning_rate=learning_rate, steps=steps)
    begun = Path(f"{Path(path).expanduser()}{_BEGUN}")
    document = {"fit": settings, "fingerprint": dict(runner.fingerprint)}
    if begun.exists():
        _go_on(fitting, begun, document)
    _run(fitting, learnt, batch_tokens, seed, begun, document, progress)
    made = Translators(
        {layer: pair[0].detach().cpu().numpy() for layer, pair in fitting.maps.items()},
        {layer: pair[1].detach().cpu().numpy() for layer, pair in fitting.maps.items()},
        dict(runner.fingerprint),
        settings,
    )
    made = replace(made, held_out=_measured(fitting, held, batch_tokens))
    made.save(path)
    begun.unlink(missing_ok=True)
    return made


def _run(
    fitting: Fitting,
    texts: Sequence[TextTokens],
    batch_tokens: int,
    seed: int,
    begun: Path,
    document: dict[str, Any],
    progress: Report | None,
) -> None:
    """All steps that are left; what is done is on disk from time to time, and where somebody stops it."""
    while fitting.done < fitting.steps:
        loss = fitting.step(_batch(texts, batch_tokens, [seed, fitting.done]))
        if fitting.done % _SAVE_EVERY == 0:
            write_tensors(begun, fitting.arrays(), document | {"done": fitting.done})
        if progress is None:
            continue
        try:
            progress(fitting.done / fitting.steps, f"step {fitting.done} of {fitting.steps}, KL {loss:.3f} nats")
        except BaseException:  # between two steps, so that all maps are of the same one
            write_tensors(begun, fitting.arrays(), document | {"done": fitting.done})
            raise


def _go_on(fitting: Fitting, begun: Path, document: dict[str, Any]) -> None:
    arrays, noted = read_tensors(begun)
    if any(noted.get(name) != document[name] for name in document):
        raise ParameterError(
            f"'{begun}' holds another fit that was begun: other texts, other settings or another model",
            "",
            "Call it with the same arguments to go on, choose another path, or delete the file.",
        )
    fitting.go_on(arrays, int(noted["done"]))


def _same_fit(path: str | os.PathLike[str], settings: dict[str, Any], runner: RunnerLike) -> Translators:
    there = open_tuned_lens(path)
    if dict(there.fit) != settings or identity_of(there.fingerprint) != identity_of(runner.fingerprint):
        raise ParameterError(
            f"'{path}' holds a tuned lens of other texts, other settings or another model",
            "",
            "Choose another path, or delete the file.",
        )
    return there


def _fitted_layers(layers: Iterable[int] | None, blocks: int) -> tuple[int, ...]:
    wanted = sorted({0, *contextual_layers(blocks)} if layers is None else {int(each) for each in layers})
    wanted = wanted if layers is not None else [each for each in wanted if each < blocks]
    if not wanted or wanted[0] < 0 or wanted[-1] >= blocks:
        raise ParameterError(
            f"layers={wanted} were given",
            f"Maps are fitted for the layers 0 to {blocks - 1}; layer {blocks} is what they are fitted to.",
        )
    return tuple(wanted)


def _listed(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str):
        raise ParameterError("One text was given", "A list of texts is expected.", "Write [text], or split it.")
    return list(texts)


def _cut(language: LanguageLike, texts: Sequence[str], longest: int) -> list[TextTokens]:
    """Texts as tokens, none longer than allowed, those without any token of their own left out."""
    made = [
        TextTokens(each.ids[:longest], each.offsets[:longest], each.special[:longest])
        for each in language.tokenize(texts)
    ]
    return [each for each in made if not each.special.all()]


def _split(texts: Sequence[TextTokens], share: float, seed: int) -> tuple[list[TextTokens], list[TextTokens]]:
    """Texts to learn from and texts to measure on; equal texts all on one side."""
    if not 0 < share < 1:
        raise ParameterError(f"held_out={share} was given", "It is a share above 0 and below 1.")
    distinct = list({tuple(each.ids.tolist()): each for each in texts}.values())
    if len(distinct) < 2:
        raise ParameterError(
            f"{len(distinct)} different texts were given", "Two are needed at least: one to learn from, one to measure."
        )
    count = min(max(1, round(share * len(distinct))), len(distinct) - 1, _HELD_TEXTS)
    order = np.random.default_rng(seed).permutation(len(distinct))
    return [distinct[each] for each in order[count:]], [distinct[each] for each in order[:count]]


def _batch(texts: Sequence[TextTokens], tokens: int, seed: Sequence[int]) -> list[TextTokens]:
    """Texts of one step: drawn anew from its number, so that a fit that goes on draws the same ones."""
    order, chosen, have = np.random.default_rng(seed).permutation(len(texts)), list[TextTokens](), 0
    for each in order:
        if have >= tokens:
            break
        chosen.append(texts[each])
        have += len(texts[each].ids)
    return chosen


def _measured(fitting: Fitting, texts: Sequence[TextTokens], batch_tokens: int) -> dict[int, HeldOut]:
    """KL of every layer on held-out texts, with its map and without."""
    import torch

    from explore.lens.fit_steps import divergences

    none = {layer: (torch.zeros_like(A), torch.zeros_like(b)) for layer, (A, b) in fitting.maps.items()}
    sums, weight, at = {layer: np.zeros(2) for layer in fitting.maps}, 0, 0
    while at < len(texts):
        size = max(1, batch_tokens // max(len(each.ids) for each in texts[at : at + 64]))
        some = texts[at : at + min(size, 64)]
        at += len(some)
        count = int(sum((~each.special).sum() for each in some))
        weight += count
        for column, maps in enumerate((fitting.maps, none)):
            found = divergences(fitting.language, some, maps, fitting.last)
            for layer, value in found.items():
                sums[layer][column] += count * value
    return {layer: HeldOut(*(float(each) for each in pair / weight)) for layer, pair in sums.items()}
