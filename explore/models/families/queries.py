"""Compressors: learned queries that each look at all of a picture. There is no grid of visual tokens.

What the queries read lies in one: `explore.models.families.compressors` says where the patches are and which attention
leads from the queries to them. Families without a line there have queries that nobody can look through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from explore.frame_times import FrameTimes
from explore.models.families.base import Family, Size
from explore.models.families.compressor import Compressor, View
from explore.models.families.compressors import COMPRESSORS
from explore.models.families.grids import QueryPlan
from explore.models.info import VisionInfo


class Queries(Family):
    """The same number of queries for every picture, or for every view where a picture is cut into several."""

    @property
    def compressor(self) -> Compressor | None:
        """See `Family.compressor`."""
        kind = COMPRESSORS.get(str(self.model.config.model_type))
        return None if kind is None else kind(self.model, self.processor)

    def vision_info(self) -> VisionInfo | None:
        """See `Family.vision_info`."""
        info, own = super().vision_info(), self.compressor
        if info is None or own is None:
            return info
        return replace(info, query_layers=len(own.attentions), query_heads=own.heads)

    def grids(self, sizes: Sequence[Size], inputs: Mapping[str, Any]) -> Sequence[QueryPlan]:
        """See `Family.grids`."""
        own = self.compressor
        views = [[] for _ in sizes] if own is None else own.views(sizes, inputs)
        counts = self._counts(views, inputs)
        plans = [QueryPlan(number, count, size) for number, (count, size) in enumerate(zip(counts, sizes, strict=True))]
        return [part for plan, parts in zip(plans, views, strict=True) for part in _shared(plan, parts)]

    def _counts(self, views: list[list[View]], inputs: Mapping[str, Any]) -> list[int]:
        """Visual tokens of every picture."""
        own, stated = self.compressor, [[view.queries for view in each] for each in views]
        if own is not None and all(count is not None for each in stated for count in each):
            return [sum(count or 0 for count in each) + own.after for each in stated]
        each, rest = divmod(self.visual_count(inputs), max(len(views), 1))
        # Pictures of different sizes may have different numbers; runs of placeholders then tell them apart.
        return [each] * len(views) if not rest else self._runs(inputs)

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
        return [replace(plan, image=0, frame=plan.image) for plan in self.grids(sizes, inputs)]

    def film_inputs(self, frames: Sequence[Image.Image], times: FrameTimes) -> dict[str, Any]:
        """See `Family.film_inputs`; this processor takes frames as pictures and is not told when they were taken."""
        return {"images": list(frames)}


def _shared(plan: QueryPlan, views: Sequence[View]) -> list[QueryPlan]:
    """The tokens of one picture shared out among its views; what is left over, a separator, follows the last."""
    if not views:
        return [plan]
    counts = [view.queries or plan.length // len(views) for view in views]
    rest = plan.length - sum(counts)
    parts = [
        replace(plan, length=count, boxes=view.boxes, tile=view.tile) for count, view in zip(counts, views, strict=True)
    ]
    return [*parts[:-1], replace(parts[-1], length=counts[-1] + rest, after=rest)]
