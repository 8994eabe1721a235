"""The formulas of token activation maps written out cell by cell, in plain Python numbers.

Slow and separate from `explore.maps` on purpose: tests compare the fast implementation with it, and the benchmark
measures against it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def naive_maps(
    visual: Sequence[Sequence[float]],
    text: Sequence[Sequence[float]],
    pieces: Sequence[str],
    prompt: int,
    shapes: Sequence[tuple[int, int]],
    *,
    eci: bool = True,
    rank_filter: bool = True,
    kernel: int = 3,
    flat: str = "keep",
) -> list[list[float]]:
    """Maps of all entries, one value per visual cell; arguments as in `explore.maps.activation.activation_maps`."""
    maps = []
    for j in range(len(visual)):
        cells = cleaned(j, visual, text, pieces) if eci else [max(value, 0.0) for value in visual[j]]
        cells = normalised(cells, [text[j][i] for i in range(max(j, prompt)) if i < len(pieces)])
        maps.append(filtered_grids(cells, shapes, kernel, flat) if rank_filter else cells)
    return maps


def cleaned(
    j: int, visual: Sequence[Sequence[float]], text: Sequence[Sequence[float]], pieces: Sequence[str]
) -> list[float]:
    context = [i for i in range(j) if pieces[i] != pieces[j]]
    total = sum(text[j][i] for i in context) + 1e-8
    weights = [text[j][i] / total for i in context]
    interference = []
    for v in range(len(visual[j])):
        value = 0.0
        for weight, i in zip(weights, context, strict=True):
            value += weight * visual[i][v]
        interference.append(value)
    energy = sum(value * value for value in interference)
    overlap = sum(a * b for a, b in zip(visual[j], interference, strict=True))
    scale = overlap / energy if energy > 0 else 0.0
    return [max(a - scale * b, 0.0) for a, b in zip(visual[j], interference, strict=True)]


def normalised(cells: list[float], text: list[float]) -> list[float]:
    low, high = min(cells + text), max(cells + text)
    if high == low:
        return [0.0] * len(cells)
    return [(value - low) / (high - low) for value in cells]


def filtered_grids(cells: list[float], shapes: Sequence[tuple[int, int]], kernel: int, flat: str) -> list[float]:
    out, start = [], 0
    for rows, cols in shapes:
        out += filtered(cells[start : start + rows * cols], rows, cols, kernel, flat)
        start += rows * cols
    return out


def filtered(cells: Sequence[float], rows: int, cols: int, kernel: int = 3, flat: str = "keep") -> list[float]:
    reach = kernel // 2
    out = []
    for y in range(rows):
        for x in range(cols):
            window = [
                cells[reflected(y + dy, rows) * cols + reflected(x + dx, cols)]
                for dy in range(-reach, reach + 1)
                for dx in range(-reach, reach + 1)
            ]
            out.append(rank_mean(window, flat))
    return out


def reflected(index: int, length: int) -> int:
    if length == 1:
        return 0
    index %= 2 * (length - 1)
    return min(index, 2 * (length - 1) - index)


def rank_mean(window: list[float], flat: str = "keep") -> float:
    window = sorted(window)
    count, centre = len(window), len(window) // 2
    if window[0] == window[-1]:
        return max(window[0], 0.0) if flat == "keep" else 0.0
    mean = sum(window) / count
    if mean <= 0:
        return 0.0
    deviation = math.sqrt(sum((value - mean) ** 2 for value in window) / count)
    sharpness = 0.5 * (mean / deviation) ** 2
    weights = [math.exp(-sharpness * (rank - centre) ** 2) for rank in range(count)]
    return sum(weight * value for weight, value in zip(weights, window, strict=True)) / sum(weights)
