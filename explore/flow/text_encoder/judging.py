"""Whether a concept shows in an image, asked of a vision-language model of this toolkit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explore.errors import ParameterError
from explore.runs import RunnerLike

QUESTION = "Is there {concept} in this image? Answer with yes or no."
YES, NO = ("Yes", "yes"), ("No", "no")


@dataclass(frozen=True)
class Verdict:
    """What a judge says of one image.

    Parameters
    ----------
    concept
        What was asked for.
    probability
        Of yes, against no alone.
    """

    concept: str
    probability: float

    @property
    def visible(self) -> bool:
        """Whether yes is likelier than no."""
        return self.probability > 0.5

    def __bool__(self) -> bool:
        return self.visible


def judge(runner: RunnerLike, image: Any, concept: str, *, question: str = QUESTION) -> Verdict:
    """Ask a model whether a concept is visible, and compare its logits of yes and no.

    A small judge says little: check it on images whose content is known before its verdicts are believed. The paper's
    is Qwen2-VL-72B (Cohen's kappa with people 0.868).

    Source: Kaplan et al., arXiv 2504.01137; `specs/information-flow.md` §3.2 (6).

    Parameters
    ----------
    runner
        Any runner; each spelling of yes and no is read once.
    image
        What `runner.read` takes.
    concept
        With its article, such as "a pelican".
    question
        Text in which {concept} is replaced.

    Raises
    ------
    ParameterError
        The concept is empty, or to this model yes and no begin with the same token.
    """
    if not concept.strip() or "{concept}" not in question:
        raise ParameterError(
            f"concept={concept!r} and question={question!r} were given",
            "The concept is text, and the question holds {concept}.",
        )
    asked = question.replace("{concept}", concept)
    agreed, denied = ({each: _first_logit(runner, image, asked, each) for each in words} for words in (YES, NO))
    if {token for token, _ in agreed.values()} & {token for token, _ in denied.values()}:
        raise ParameterError(
            "To this model yes and no begin with the same token", "Their logits are compared.", "Use another judge."
        )
    gap = max(logit for _, logit in denied.values()) - max(logit for _, logit in agreed.values())
    return Verdict(concept, float(1 / (1 + np.exp(np.clip(gap, -80, 80)))))


def _first_logit(runner: RunnerLike, image: Any, question: str, word: str) -> tuple[int, float]:
    """First token of an answer, and its logit where it is predicted."""
    trace = runner.read(image, question, word)
    if trace.columns is None:
        raise ParameterError("The runner recorded no logits of the answer", "A judge's runner records them.")
    token = int(trace.answer_ids[0])
    return token, float(trace.columns.of(token)[trace.prompt_length - 1])
