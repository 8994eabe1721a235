"""What the tests of flow share: results with known numbers, made without a model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from explore.flow import ContributionGraph, DirectLogits, Effects, KnockoutCurves, KnockoutSet, PatchGrid, layer_windows
from explore.flow.contribution_paths import Node
from explore.flow.effects import MEASURES, Prediction
from explore.flow.group_mixing import GroupShares
from explore.flow.knockout_sets import MeanCurve
from tests.widgets.samples import sample_trace

TRACE = sample_trace()
LAYERS, HEADS = 6, 4
EDGES = ("image->question", "image->last")
BASE: dict[str, Any] = {"layout": TRACE.layout, "texts": tuple(token.text for token in TRACE.tokens[:-1])}
LAST = TRACE.prompt_length - 1


def effects(*shape: int, seed: int = 0) -> Effects:
    values = np.random.default_rng(seed).uniform(-90, 0, shape)
    return Effects(values, values / 10, values / 20, -values / 30, (values < -60).astype(float))


def curves() -> KnockoutCurves:
    controls = {
        "random edges": effects(5, 2, LAYERS, seed=1),
        "equal mass": effects(5, 2, LAYERS, seed=2),
        "last->last": effects(1, 1, LAYERS, seed=3),
        "all layers": effects(2, seed=4),
    }
    before = Prediction(3, " red", 4, " blue", 0.93, 2.5)
    share, counts = np.ones((5, 2, LAYERS)), np.array([720, 144])
    windows = layer_windows(LAYERS, 3)
    return KnockoutCurves(EDGES, windows, effects(2, LAYERS), controls, before, share, counts, False, False, True, 99)


def knockout_set() -> KnockoutSet:
    one = curves()

    def mean(found: Effects) -> dict[str, MeanCurve]:
        values = {name: array.mean(axis=0) if array.ndim == 3 else array for name, array in found.arrays().items()}
        return {name: MeanCurve(values[name], values[name] - 2, values[name] + 2, 20) for name in MEASURES}

    controls = {kind: mean(found) for kind, found in one.controls.items()}
    return KnockoutSet(EDGES, one.windows, mean(one.effects), controls, 22, 20, 0.95, ())


def heads() -> DirectLogits:
    by_head = np.linspace(-1, 2, LAYERS * HEADS, dtype=np.float32).reshape(LAYERS, HEADS)
    by_head[2] = np.nan
    mlp = np.full(LAYERS, 0.5, np.float32)
    total = float(np.nansum(by_head) + mlp.sum()) + 0.25
    return DirectLogits(
        **BASE,
        layers=np.arange(LAYERS),
        heads=np.arange(HEADS),
        by_head=by_head,
        by_source=np.zeros((LAYERS, HEADS, 4), np.float32),
        mlp=mlp,
        bias=np.zeros(LAYERS, np.float32),
        inserted=np.zeros(LAYERS, np.float32),
        embedding=0.25,
        constant=0.0,
        total=total,
        logit=total,
        residual=0.0,
        row=LAST,
        tokens=((3, " red"), (4, " blue")),
        missing=(2,),
    )


def cells() -> PatchGrid:
    """Every position from the first patch to the last of the prompt; all of the answer returns in the last layer."""
    positions = tuple((place,) for place in range(1, TRACE.prompt_length))
    values = np.full((LAYERS, len(positions)), -4.0)
    values[:3, 17], values[-1, -1] = 0.0, 4.0
    names = tuple(str(own[0]) for own in positions)
    layers = np.arange(LAYERS)
    return PatchGrid(
        values, 4.0, -4.0, layers, names, positions, "state", 1, "clean->corrupt", "logit_difference", 3, 4, " red",
        " blue", "picture", 1,
    )  # fmt: skip


def graph() -> ContributionGraph:
    """From the last position down through an MLP, and to a patch by a weak edge."""
    nodes = (
        Node("output", 1, LAST),
        Node("attention", 1, LAST),
        Node("mlp", 1, LAST),
        Node("output", 0, LAST),
        Node("output", 0, 18),
        Node("input", -1, 18),
    )
    edges = [(1, 0, 0.7), (2, 0, 0.3), (1, 2, 0.3), (3, 1, 0.8), (4, 1, 0.1), (5, 4, 0.9)]
    start, end, weight = (np.array(each) for each in zip(*edges, strict=True))
    return ContributionGraph(
        **BASE,
        nodes=nodes,
        edges=np.arange(len(edges)),
        start=start,
        end=end,
        weight=weight.astype(np.float32),
        by_head=np.full((len(edges), HEADS), np.nan, np.float32),
        heads=np.arange(HEADS),
        threshold=0.05,
        renormalised=False,
    )


def shares() -> GroupShares:
    """Three groups; "last" is made of the picture in one layer and of itself in the others."""
    names = ("image", "question", "last")
    step = np.tile(np.eye(3, dtype=np.float32), (LAYERS, 1, 1))
    step[3, 2] = (0.4, 0.2, 0.4)
    groups: Any = SimpleNamespace(names=names)
    return GroupShares(
        **BASE, layers=np.arange(LAYERS), receivers=names, sources=names, shares=step, baseline=step, groups=groups
    )
