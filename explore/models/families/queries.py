"""Compressors: a fixed number of learned queries per picture, each of which looks at all of it. There is no grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from explore.frame_times import FrameTimes
from explore.models.families.base import Family, Size
from explore.models.families.grids import QueryPlan


class Queries(Family):
    """The same number of queries for every picture."""

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[QueryPlan]:
        """See `Family.grids`."""
        each, rest = divmod(self.visual_count(inputs), max(len(sizes), 1))
        # Pictures of different sizes may have different numbers; runs of placeholders then tell them apart.
        counts = [each] * len(sizes) if not rest else self._runs(inputs)
        return [QueryPlan(number, count, size) for number, (count, size) in enumerate(zip(counts, sizes, strict=True))]

    def _runs(self, inputs: Mapping[str, Any]) -> list[int]:
        visual = [int(each) in self.placeholder_ids for each in inputs["input_ids"][0].tolist()]
        runs, before = list[int](), False
        for each in visual:
            if each and not before:
                runs.append(0)
            if each:
                runs[-1] += 1
            before = each
        return runs


class LeadingQueries(Queries):
    """BLIP-2 and InstructBLIP: the processor itself writes the queries, in front of everything."""

    pictures = 1

    def run_text(self, inputs: Mapping[str, Tensor]) -> None:
        """See `Family.run_text`; the whole model would want a picture."""
        self.text_model(**inputs, use_cache=False)

    marks_pictures = False

    def plain_prompt(self, pictures: str, question: str, system: str | None) -> str:
        """See `Family.plain_prompt`."""
        head = f"{system} " if system else ""
        return f"{head}Question: {question} Answer:"


class MaskedQueries(LeadingQueries):
    """Kosmos 2 and 2.5: ordinary tokens are overwritten, and only a mask says which."""

    marks_pictures = False

    @property
    def placeholder_ids(self) -> tuple[int, ...]:
        """None: see `visual_mask`."""
        return ()

    def visual_mask(self, ids: np.ndarray, inputs: Mapping[str, Any]) -> np.ndarray:
        """See `Family.visual_mask`; what stands around the queries is marked too, as -1."""
        mask = np.asarray(inputs["image_embeds_position_mask"])[0]
        found = np.zeros(len(ids), bool)
        found[: len(mask)] = mask == 1
        return found

    def plain_prompt(self, pictures: str, question: str, system: str | None) -> str:
        """See `Family.plain_prompt`."""
        return f"{system + ' ' if system else ''}{question}"


class FilmQueries(LeadingQueries):
    """InstructBLIP for films: four frames, whose queries stand in front of everything."""

    pictures = 4
    marks_pictures = False

    takes_films = True

    def film(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[QueryPlan]:
        """See `Family.film`."""
        return [QueryPlan(0, plan.length, plan.size, frame=plan.image) for plan in self.grids(sizes, inputs)]

    def film_inputs(self, frames: Sequence[Image.Image], times: FrameTimes) -> dict[str, Any]:
        """See `Family.film_inputs`; this processor takes frames as pictures and is not told when they were taken."""
        return {"images": list(frames)}
