"""What a lens says where there is nothing to say: every reading has such a control beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from explore.errors import ParameterError
from explore.lens.reading import LensReading
from explore.runs import Report, RunnerLike
from explore.trace import Trace

Kind = Literal["shuffled", "random", "other"]


def control(
    reading: LensReading,
    kind: Kind = "shuffled",
    trace: Trace | None = None,
    *,
    seed: int = 0,
    runner: RunnerLike | None = None,
    progress: Report | None = None,
) -> LensReading:
    """A reading of the same layers and tokens that knows nothing of what lies at each place.

    Parameters
    ----------
    reading
        What it is the control of.
    kind
        - "shuffled" asks whether the *place* matters: what was read stays, but every token gets the labels of another
          one, the same one in all layers. Costs nothing.
        - "random" asks how good scores get by *chance*: directions drawn at random, each as long as the state it stands
          for, read by the same lens.
        - "other" asks whether the *picture* matters: the same visual tokens of another run, read by the same lens.
    trace
        For "random" the run that was read, for "other" the run over another picture.
    seed
        Another one gives another control.
    runner, progress
        As for `LensMethod.read`.

    Raises
    ------
    ParameterError
        There is no such kind, no trace for it, or the other picture has other visual tokens.
    """
    if kind not in get_args(Kind):
        raise ParameterError(f"kind={kind!r} was given", f"Controls are {', '.join(get_args(Kind))}.")
    if kind == "shuffled":
        return _shuffled(reading, seed)
    if trace is None or reading.lens is None:
        raise ParameterError(
            f"The control {kind!r} was given no {'lens' if trace is not None else 'trace'}",
            "It reads states again.",
            "Hand over the trace that was read, or for 'other' that of another picture; 'shuffled' needs none.",
        )
    layers, positions = reading.layers.tolist(), reading.positions
    if kind == "random":
        trace = _randomised(trace, layers, positions, seed)
    else:
        positions = _counterparts(reading, trace)
    found = reading.lens.read(trace, layers, positions, runner=runner, progress=progress)
    placed = replace(found, positions=reading.positions, layout=reading.layout)
    return _named(placed, kind, seed)


def _shuffled(reading: LensReading, seed: int) -> LensReading:
    order = np.random.default_rng(seed).permutation(len(reading.positions))
    moved = {
        name: values[:, order]
        for name in ("scores", "ids", "probabilities", "bank_layers")
        if (values := getattr(reading, name)) is not None
    }
    return _named(replace(reading, **moved), "shuffled", seed)


def _randomised(trace: Trace, layers: list[int], positions: np.ndarray, seed: int) -> Trace:
    states = dict(trace.hidden_states)
    for layer in layers:
        changed = np.array(trace.hidden(layer), np.float32)
        drawn = np.random.default_rng([seed, layer]).standard_normal((len(positions), changed.shape[-1]))
        lengths = np.linalg.norm(changed[positions], axis=-1, keepdims=True)
        changed[positions] = drawn / np.linalg.norm(drawn, axis=-1, keepdims=True) * lengths
        states[layer] = changed
    return replace(trace, hidden_states=states)


def _counterparts(reading: LensReading, other: Trace) -> np.ndarray:
    """Positions in another run of the visual tokens that were read."""
    own, theirs = reading.layout.visual, other.layout.visual
    if len(own) != len(theirs) or not np.isin(reading.positions, own).all():
        raise ParameterError(
            f"The other run has {len(theirs)} visual tokens, the one that was read {len(own)}, of which "
            f"{int(np.isin(reading.positions, own).sum())} of {len(reading.positions)} tokens read",
            "Only visual tokens have a counterpart, and only where there are as many.",
            "Give the trace of a picture of the same size.",
        )
    counterparts: np.ndarray = theirs[np.searchsorted(own, reading.positions)]
    return counterparts


def _named(reading: LensReading, kind: str, seed: int) -> LensReading:
    return replace(reading, control=kind, fingerprint={**reading.fingerprint, "control": {"kind": kind, "seed": seed}})
