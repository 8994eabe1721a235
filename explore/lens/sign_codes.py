"""One-bit codes of all rows: what stays in memory of a bank that is larger than memory.

A row seen from its layer's mean and rotated leaves the signs of its numbers, and two floats: its distance from the mean
and how far along the mean that goes. Together they estimate its cosine with a query (`explore.lens.sign_search`). A row
of 4096 half-precision numbers, 8 kB, becomes 520 bytes.
Source: `specs/latent-lens.md` §3.3.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from explore.errors import ParameterError
from explore.lens.bit_codes import packed_signs
from explore.lens.centring import layer_means, means_by_layer
from explore.lens.recalls import Recalls
from explore.lens.rotations import Rotation
from explore.lens.row_store import RowStore
from explore.lens.store_fingerprints import store_fingerprint
from explore.runs import Report

FORMAT = "vlmscope.sign_codes"
_BYTES = 4 * 2**20  # of rows at once: several copies of them are needed, and have to fit a cache


@dataclass(frozen=True, eq=False)
class LayerCodes:
    """Codes of the rows of one layer.

    Parameters
    ----------
    words
        Signs of the rotated rows seen from `mean`, (words, rows) uint64.
    lengths
        Distance of every row from `mean`, (rows,) float32.
    offsets
        Product of `mean` and what leads from it to the row, (rows,) float32.
    mean
        Mean row, (width,) float32.
    """

    words: np.ndarray
    lengths: np.ndarray
    offsets: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True, eq=False)
class SignCodes:
    """Codes of every layer of a store.

    Parameters
    ----------
    layers
        Layer to its codes.
    rotation
        What rows, seen from the mean, were rotated by.
    fingerprint
        Of the store they were made of.
    """

    layers: dict[int, LayerCodes]
    rotation: Rotation
    fingerprint: str
    recalls: Recalls = field(default_factory=Recalls)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(each.words.nbytes + each.lengths.nbytes + each.offsets.nbytes for each in self.layers.values())

    @property
    def means(self) -> Tensor:
        """Mean of every layer, (layers, width) float32."""
        return torch.from_numpy(np.stack([self.layers[each].mean for each in sorted(self.layers)]))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them to a safetensors file, or leave what is there untouched."""
        target = Path(path)
        arrays = {f"{layer}.{name}": array for layer, codes in self.layers.items() for name, array in _arrays(codes)}
        arrays |= {f"rotation.{name}": array.numpy() for name, array in vars(self.rotation).items()}
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}  # else written as if they were
        partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            save_file(arrays, partial, metadata={FORMAT: "1", "fingerprint": self.fingerprint})
            os.replace(partial, target)
        except (OSError, SafetensorError) as error:
            raise ParameterError(
                f"The codes cannot be written to '{target}': {error}",
                "",
                "Choose a folder that you may write to, or keep them in memory: index=build_codes(store).",
            ) from error
        finally:
            partial.unlink(missing_ok=True)


def build_codes(
    store: RowStore, *, means: Tensor | np.ndarray | None = None, seed: int = 0, progress: Report | None = None
) -> SignCodes:
    """Codes of all rows of a store: one pass over the rows, and one more where `means` are not given.

    Parameters
    ----------
    means
        Mean row of every layer, (layers, width).
    seed
        Of the rotation.
    """
    found = layer_means(store) if means is None else means
    known = means_by_layer(store, store.layers, found, torch.device("cpu"))
    rotation = Rotation.drawn(store.width, seed)
    layers: dict[int, LayerCodes] = {}
    for layer in store.layers:
        if progress is not None:
            progress(len(layers) / len(store.layers), f"codes of layer {layer}")
        layers[layer] = _codes_of(store, layer, known[layer], rotation)
    return SignCodes(layers, rotation, store_fingerprint(store))


def open_codes(path: str | os.PathLike[str]) -> SignCodes:
    """Read what `SignCodes.save` wrote, into memory.

    Raises
    ------
    ParameterError
        The file is missing, damaged, or holds something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            noted = file.metadata() or {}
            if noted.get(FORMAT) != "1":
                raise ParameterError(f"'{path}' holds no sign codes", "", "Build them again with build_codes(store).")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise ParameterError(
            f"'{path}' cannot be read: {error}", "", "Build it again with build_codes(store)."
        ) from error
    rotation = Rotation(
        **{name: torch.from_numpy(arrays.pop(f"rotation.{name}")) for name in ("flips", "left", "right")}
    )
    numbers = sorted({int(name.split(".")[0]) for name in arrays})
    names = ("words", "lengths", "offsets", "mean")
    layers = {layer: LayerCodes(*(arrays[f"{layer}.{name}"] for name in names)) for layer in numbers}
    return SignCodes(layers, rotation, noted["fingerprint"])


def _codes_of(store: RowStore, layer: int, mean: Tensor, rotation: Rotation) -> LayerCodes:
    parts = store.parts(layer)
    count = sum(map(len, parts))
    words = np.empty((-(-store.width // 64), count), np.uint64)
    lengths, offsets = np.empty(count, np.float32), np.empty(count, np.float32)
    step = max(1, _BYTES // (4 * store.width))
    for part in parts:
        for first in range(0, len(part), step):
            moved = part.floats(first, min(first + step, len(part))) - mean
            here = slice(part.start + first, part.start + first + len(moved))
            words[:, here] = packed_signs(rotation(moved).numpy())
            lengths[here] = torch.linalg.vector_norm(moved, dim=1)
            offsets[here] = moved @ mean
    return LayerCodes(words, lengths, offsets, mean.numpy().copy())


def _arrays(codes: LayerCodes) -> list[tuple[str, np.ndarray]]:
    return [("words", codes.words), ("lengths", codes.lengths), ("offsets", codes.offsets), ("mean", codes.mean)]
