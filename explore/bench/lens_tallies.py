"""One picture under one lens: how often its labels name what is under the token, as sums that add up over pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from explore.bench.named_patches import Masks, NameSet, names_under
from explore.lens.reading import NOTHING, Entry, LensReading

Tallies = dict[str, list[float]]
"""By "set/layer": tokens whose first label names them, tokens any of whose labels does, and tokens that count; then the
same three against other pictures. By "banks/layer": rows of each bank layer. By "again/layer": words and phrases that
two readings share, and labels."""


def label_names(reading: LensReading, names: NameSet) -> NDArray[np.bool_]:
    """Which names the labels say, bool (layers, tokens, k, names)."""
    ids, back = np.unique(reading.ids, return_inverse=True)
    says = np.zeros((len(ids), len(names.names)), bool)
    column = {name: number for number, name in enumerate(names.names)}
    for row, each in enumerate(ids.tolist()):
        for name in _said(reading.entries[each], names) if each != NOTHING else ():
            says[row, column[name]] = True
    found: NDArray[np.bool_] = says[back.reshape(reading.ids.shape)]
    return found


def name_tallies(
    reading: LensReading, names: Mapping[str, NameSet], own: Masks, others: Sequence[Masks], cover: float
) -> Tallies:
    """Hits on the picture itself and on other pictures.

    Parameters
    ----------
    reading
        Of the picture.
    names
        Sets of names by kind.
    own, others
        Pixels by kind and name, of the picture and of those whose truth the labels must not fit.
    cover
        See `names_under`.
    """
    found: Tallies = {}
    for kind, known in names.items():
        says = label_names(reading, known)
        first, ever = says[:, :, 0], np.asarray(says.any(axis=2))
        rows = [_hits(first, ever, reading, known, own[kind], cover)]
        rows.append(np.sum([_hits(first, ever, reading, known, each[kind], cover) for each in others], axis=0))
        for number, layer in enumerate(reading.layers.tolist()):
            found[f"{kind}/{layer}"] = [float(each) for row in rows for each in row[number]]
    return found


def bank_tallies(reading: LensReading, blocks: int) -> Tallies:
    """How many labels of each layer come from each layer of the bank, 0 to `blocks`; empty for a lens without one."""
    if reading.bank_layers is None:
        return {}
    return {
        f"banks/{layer}": np.bincount(rows[rows >= 0], minlength=blocks + 1).astype(float).tolist()
        for layer, rows in zip(reading.layers.tolist(), reading.bank_layers, strict=True)
    }


def shared_tallies(reading: LensReading, again: LensReading) -> Tallies:
    """How much two readings of the same states agree: equal words and equal phrases, each as often as both have it."""
    words, phrases = (_shared(reading, again, part) for part in ("text", "phrase"))
    labels = (reading.ids != NOTHING).sum(axis=(1, 2))
    return {
        f"again/{layer}": [float(words[number]), float(phrases[number]), float(labels[number])]
        for number, layer in enumerate(reading.layers.tolist())
    }


def _hits(
    first: NDArray[np.bool_],
    ever: NDArray[np.bool_],
    reading: LensReading,
    known: NameSet,
    masks: Mapping[str, NDArray[np.bool_]],
    cover: float,
) -> NDArray[np.int64]:
    """(layers, 3): first labels that are right, any that are, and tokens that count."""
    under = names_under(masks, known.names, reading.layout, reading.positions, cover)
    right = [(said & under).any(axis=-1).sum(axis=-1) for said in (first, ever)]
    return np.stack([*right, np.full(len(reading.layers), under.any(axis=-1).sum())], axis=-1)


def _said(entry: Entry, names: NameSet) -> frozenset[str]:
    """Names that a label says: the token's own word, and where the sentence is known any name it is a part of."""
    if entry.phrase is None or entry.span is None or entry.span[0] >= entry.span[1]:
        return names.find(entry.text)
    first, last = entry.span
    piece = entry.phrase[first:last]
    # Spaces at the edge of a token belong to no word.
    inner = (first + len(piece) - len(piece.lstrip()), last - len(piece) + len(piece.rstrip()))
    return names.find(entry.phrase, inner) if inner[0] < inner[1] else frozenset()


def _shared(one: LensReading, other: LensReading, part: str) -> NDArray[np.int64]:
    """Labels of each layer that both readings have at the same token, (layers,)."""
    spelled = [{each: _plain(getattr(entry, part)) for each, entry in both.entries.items()} for both in (one, other)]
    counts = np.zeros(len(one.layers), np.int64)
    for layer, place in np.ndindex(*one.ids.shape[:2]):
        bags = [
            Counter(words[each] for each in both.ids[layer, place].tolist() if each != NOTHING)
            for both, words in zip((one, other), spelled, strict=True)
        ]
        counts[layer] += (bags[0] & bags[1]).total()
    return counts


def _plain(text: str | None) -> str:
    return (text or "").strip().casefold()
