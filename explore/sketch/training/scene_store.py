"""Scenes drawn once and kept on disk, because drawing costs more than a training step."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from explore.sketch.cells import GRID, cell_labels
from explore.sketch.scenes import SIZE, Thing, crowd, draw_contents, scene

CHUNK = 250


def _draw_chunk(start: int, count: int, crowded: bool) -> tuple[np.ndarray, np.ndarray]:
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    cells = np.empty((count, GRID, GRID), np.uint8)
    for i in range(count):
        drawn = crowd(start + i) if crowded else scene(seed=start + i)
        images[i] = np.asarray(drawn.image)
        cells[i] = cell_labels(drawn.labels, len(drawn.things))
    return images, cells


@dataclass
class SceneStore:
    """Memory-mapped pictures and patch labels of the scenes with seeds ``first .. first + count - 1``.

    ``images`` is uint8 (scenes, height, width, 3), ``cells`` uint8 (scenes, rows, columns). What a scene shows is
    not stored: it follows from the seed (:meth:`contents`).
    """

    folder: Path
    first: int
    count: int
    crowded: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.images = self._open("images", (SIZE, SIZE, 3))
        self.cells = self._open("cells", (GRID, GRID))
        self.done = self._open("done", (), np.bool_)

    def _open(self, name: str, shape: tuple[int, ...], dtype: type = np.uint8) -> np.memmap:
        path = self.folder / f"{'crowd-' if self.crowded else ''}{name}-{self.first}-{self.count}.npy"
        mode = "r+" if path.exists() else "w+"
        return np.lib.format.open_memmap(path, mode=mode, dtype=dtype, shape=(self.count, *shape))

    def draw(self, workers: int | None = None) -> None:
        """Draw what is missing, on every core; a stopped call goes on where it was."""
        missing = [at for at in range(0, self.count, CHUNK) if not self.done[at : at + CHUNK].all()]
        sizes = [min(CHUNK, self.count - at) for at in missing]
        with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
            drawn = pool.map(_draw_chunk, [self.first + at for at in missing], sizes, [self.crowded] * len(sizes))
            parts = track(zip(missing, sizes, drawn, strict=True), "drawing scenes", total=len(missing))
            for at, size, (images, cells) in parts:
                self.images[at : at + size], self.cells[at : at + size] = images, cells
                self.done[at : at + size] = True

    def contents(self, index: int) -> tuple[tuple[Thing, ...], str]:
        """Things and background of scene ``index``, without drawing it."""
        return scene_contents(self.first + index, self.crowded)


def scene_contents(seed: int, crowded: bool = False) -> tuple[tuple[Thing, ...], str]:
    """Things and background that ``scene(seed=seed)`` or ``crowd(seed)`` draws, without drawing them."""
    return draw_contents(np.random.default_rng(seed), crowded)
