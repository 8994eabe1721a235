"""How much visual tokens tell each other and the text, layer by layer, and how few of them that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from explore.attention_rows import even_chunks, weight_chunks
from explore.errors import ParameterError
from explore.flow.mixed_sources import missing_layers
from explore.flow.named_arrays import NamedArrays, about
from explore.runs import Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    from explore.attention_rows import Chunks

Mode = Literal["paper", "reference"]

SOURCE = "AdaToken-3D, IROS 2025, arXiv 2505.12782"
_POOL = 10  # the reference averages squares of so many positions


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SpatialFlows(NamedArrays):
    """Attention within the picture and across its border.

    Parameters
    ----------
    layers
        Layers with attention.
    intra
        100 times the attention visual tokens pay to earlier visual tokens, (layers,).
    inter
        100 times 0.7 of what they pay to what stands before the picture and 0.3 of what later text pays to them.
    memory
        `intra` of the first layer, and 0.73 of every later one added, (layers,).
    contribution
        0.4 intra + 0.3 inter + 0.3 memory, (layers,).
    baseline
        `contribution` if attention spread evenly over all that a row may see.
    received
        Mean attention that each visual token gets from the text behind it, (layers, visual).
    visual
        Sequence positions of the visual tokens.
    mode
        "paper", or "reference" with the released code's transposed triangle and pooling.
    """

    axes: ClassVar = {
        "contribution": ("layers",),
        "intra": ("layers",),
        "inter": ("layers",),
        "memory": ("layers",),
        "baseline": ("layers",),
        "received": ("layers", "visual"),
    }

    layers: NDArray[np.int64]
    intra: NDArray[np.float64]
    inter: NDArray[np.float64]
    memory: NDArray[np.float64]
    contribution: NDArray[np.float64]
    baseline: NDArray[np.float64]
    received: NDArray[np.float32]
    visual: NDArray[np.int64]
    mode: Mode

    def idle_share(self, mass: float = 0.05) -> NDArray[np.float64]:
        """Share of the visual tokens that get, the least first, no more than `mass` of all attention text pays them,
        (layers,)."""
        parts = np.sort(self.received.astype(np.float64), axis=-1)
        together = parts.cumsum(-1) / np.maximum(parts.sum(-1, keepdims=True), 1e-30)
        found: NDArray[np.float64] = (together <= mass).mean(-1)
        return found


def spatial_flows(
    runner: RunnerLike,
    trace: Trace,
    *,
    mode: Mode = "paper",
    per_row: bool = False,
    progress: Report | None = None,
) -> SpatialFlows:
    """Group flows of AdaToken-3D of one run.

    Parameters
    ----------
    runner, trace
        The model and the run, with a picture and text behind it.
    mode
        "paper" sums attention from later queries to earlier keys. "reference" repeats the released code: it averages
        squares of ten positions and sums the other triangle, which in causal attention is zero.
    per_row
        Divide each sum by the number of its query rows, to compare models of different lengths.
    progress
        Asked between layers whether to stop.

    Raises
    ------
    ParameterError
        The run has no picture or no text behind it, or is too short for the reference's squares.

    Source: AdaToken-3D, IROS 2025, arXiv 2505.12782, equations in words of the specification's section 7
    """
    if mode not in ("paper", "reference"):
        raise ParameterError(f"mode={mode!r} was given", "Allowed are 'paper' and 'reference'.")
    pool = _POOL if mode == "reference" else 1
    kinds = position_kinds(trace, pool)
    visual = trace.layout.visual
    text = np.arange(int(visual.max()) + 1, trace.positions_fed)
    sums, even, received = list[tuple[float, float]](), list[tuple[float, float]](), list[NDArray[np.float32]]()
    with runner.rerun(trace).replay(progress=progress) as replay:
        _, notes = missing_layers(replay, parts=False)
        for layer in replay.layers:
            found = (pooled(chunks, layer.positions, pool) for chunks in (weight_chunks(layer), even_chunks(layer)))
            for kept, matrix in zip((sums, even), found, strict=True):
                kept.append(flow_sums(matrix, kinds, wrong=mode == "reference", per_row=per_row))
            received.append(layer.weights(range(text[0], text[-1] + 1)).mean((0, 1))[visual].cpu().numpy())
        layers = np.array([layer.number for layer in replay.layers])
    intra, inter = np.array(sums).T
    if mode == "reference":
        notes = (*notes, "The reference's triangle: keys behind their queries, where causal attention has none.")
    return SpatialFlows(
        layers=layers,
        intra=intra,
        inter=inter,
        memory=memory_of(intra),
        contribution=contributions(intra, inter),
        baseline=contributions(*np.array(even).T),
        received=np.stack(received),
        visual=visual,
        mode=mode,
        **about(trace, "spatial_flows", ("Post hoc: sums of attention.", *notes), mode=mode, per_row=per_row),
    )


def position_kinds(trace: Trace, pool: int = 1) -> NDArray[np.int64]:
    """Of every position, or square of `pool` positions: 0 before the picture, 1 visual, 2 text behind it, -1 neither.

    Raises
    ------
    ParameterError
        One of the groups is empty.
    """
    visual = trace.layout.visual
    if not len(visual):
        raise ParameterError("The run has no visual tokens", "", "Ask about a picture.")
    first, end = int(visual.min()), int(visual.max()) + 1
    kinds = np.full(trace.positions_fed, -1, np.int64)
    kinds[:first], kinds[visual], kinds[end:] = 0, 1, 2
    if pool > 1:
        kinds = np.full(trace.positions_fed // pool, 2, np.int64)
        kinds[: end // pool] = 1
        kinds[: first // pool] = 0
    if not {1, 2} <= set(kinds.tolist()):
        raise ParameterError(
            f"The run's {trace.positions_fed} positions leave no room for picture and text", "Both are needed.",
            "Use mode='paper', which counts single positions.",
        )  # fmt: skip
    return kinds


def pooled(chunks: Chunks, positions: int, pool: int = 1) -> NDArray[np.float64]:
    """Attention averaged over heads and over squares of `pool` positions, (queries, keys); what is left over is cut."""
    size = positions // pool
    found = np.zeros((size * pool, size))
    for which, weights in chunks:
        rows = weights.mean(0).double().cpu().numpy()[: max(0, size * pool - which.start), : size * pool]
        found[which.start : which.start + len(rows)] = rows.reshape(len(rows), size, pool).mean(-1)
    return found.reshape(size, pool, size).mean(1)


def flow_sums(
    matrix: NDArray[np.floating], kinds: NDArray[np.int64], *, wrong: bool = False, per_row: bool = False
) -> tuple[float, float]:
    """Attention within the picture and across its border, both times 100.

    Parameters
    ----------
    matrix
        (queries, keys).
    kinds
        See `position_kinds`.
    wrong
        Sum keys behind their queries, as the released code does.
    per_row
        Divide by the number of query rows.
    """
    matrix = matrix.T if wrong else matrix
    before, visual, text = (kinds == kind for kind in range(3))
    count = (int(visual.sum()), int(text.sum())) if per_row else (1, 1)
    intra = np.tril(matrix, -1)[np.ix_(visual, visual)].sum() / count[0]
    into = matrix[np.ix_(visual, before)].sum() / count[0]
    out = matrix[np.ix_(text, visual)].sum() / count[1]
    return 100 * float(intra), 100 * float(0.7 * into + 0.3 * out)


def memory_of(intra: NDArray[np.floating]) -> NDArray[np.float64]:
    """Running sum with 0.73 of every layer but the first, (layers,)."""
    steps = np.asarray(intra, np.float64) * 0.73
    steps[0] = intra[0]
    return steps.cumsum()


def contributions(intra: NDArray[np.floating], inter: NDArray[np.floating]) -> NDArray[np.float64]:
    """0.4 intra + 0.3 inter + 0.3 memory, (layers,)."""
    return 0.4 * np.asarray(intra, np.float64) + 0.3 * np.asarray(inter, np.float64) + 0.3 * memory_of(intra)
