"""Sets of kept tokens judged by the images made of them: which tokens carry a concept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.flow.named_arrays import NamedArrays
from explore.flow.text_encoder.judging import Verdict
from explore.flow.text_encoder.keeping import KeepSet, mixed
from explore.flow.text_encoder.vectors import of_prompt
from explore.prompt_states import PromptStates


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class JudgedSets(NamedArrays):
    """Whether a concept shows in images made of some tokens only.

    Parameters
    ----------
    concept
        What was looked for.
    sets
        Names of the keep sets, controls among them.
    probability
        The judge's, (sets, images).
    control
        Which sets were drawn at random, (sets,) bool.
    images
        Numbers of the images of each set, (images,).
    """

    axes: ClassVar = {"probability": ("sets", "images"), "control": ("sets",)}

    concept: str
    sets: tuple[str, ...]
    probability: NDArray[np.float64]
    control: NDArray[np.bool_]
    images: NDArray[np.int64]

    @property
    def visible(self) -> dict[str, bool]:
        """Set to whether the concept is seen in more than half of its images; a set of one token for which this is so
        is representative."""
        share = (self.probability > 0.5).mean(axis=1)
        return {name: bool(each > 0.5) for name, each in zip(self.sets, share, strict=True)}


def judge_sets(
    whole: PromptStates,
    baseline: PromptStates,
    sets: Sequence[KeepSet],
    concept: str,
    draw: Callable[[PromptStates], Sequence[Any]],
    ask: Callable[[Any, str], Verdict],
) -> JudgedSets:
    """Make images of every set and ask of each whether the concept shows; sets × seeds images.

    Source: Kaplan et al., arXiv 2504.01137, representative tokens; `specs/information-flow.md` §3.2.

    Parameters
    ----------
    whole, baseline
        The prompt and the empty prompt, see `empty_prompt`.
    sets
        Of `keep_sets`.
    concept
        With its article.
    draw
        From states to images, such as ``lambda states: images_from(pipeline, states, pooled=empty.pooled)``.
    ask
        From an image and the concept to a verdict, such as ``lambda image, concept: judge(runner, image, concept)``.
    """
    rows = [[ask(image, concept).probability for image in draw(mixed(whole, baseline, each))] for each in sets]
    probability = np.array(rows, np.float64)
    return JudgedSets(
        concept=concept,
        sets=tuple(each.name for each in sets),
        probability=probability,
        control=np.array([each.control for each in sets], bool),
        images=np.arange(probability.shape[1], dtype=np.int64),
        **of_prompt(whole, "judge_sets", ("The pooled vector is the empty prompt's.",), concept=concept),
    )
