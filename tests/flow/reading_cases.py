"""What readings of flow are tested on: the shipped model, and families of every way to add attention to a stream."""

from __future__ import annotations

import functools

import numpy as np
import torch

from explore.models.loading import load_runner
from explore.sketch import scene
from tests.families.cases import runner_of, trace_of

# Plain, gated by nothing, deep features, norms behind attention, a factor, parallel MLP, biases and places, no norm in
# front, soft cap, mixed with layers without attention.
FAMILIES = (
    "llava",
    "qwen2_5_vl",
    "qwen3_vl",
    "gemma3",
    "internvl",
    "mistral3",
    "granite4_vision",
    "cohere2_vision",
    "blip-2",
    "glm4v",
    "exaone4_5",
    "gemma4",
    "lfm2_vl",
)
UNREADABLE = ("qwen3_5", "kosmos-2", "inkling_mm_model")
"""Families in which no layer's attention can be taken apart."""
EVERY = ("shipped", *FAMILIES)


@functools.cache
def case(name: str):
    """A runner with a short run of it."""
    if name != "shipped":
        return runner_of(name), trace_of(name)
    runner = load_runner()
    return runner, runner.ask(scene(seed=7).image, "What is in the picture?")


def taken_apart(layer, stream):
    """Every T_i(j) of a layer with plain einsum and nothing in chunks, (rows, columns, width), and its biases."""
    rows = range(layer.positions)
    values = layer.values()
    written = torch.stack([layer.written(head, values[head]) for head in range(len(values))])
    vectors = layer.landed(rows, torch.einsum("hij,hjd->ijd", layer.weights(rows), written))
    places = torch.arange(layer.positions)
    vectors[places, places] += stream
    return vectors, layer.constant(rows)


def causal(values):
    """Whether nothing comes from behind a row, (..., rows, positions) with rows 0 to N - 1."""
    return not np.triu(values, 1).any()
