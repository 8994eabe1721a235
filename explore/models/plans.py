"""What to keep of a run, and how many bytes that takes, before the run.

A plan that would keep more than its budget is refused with the name of what to drop: finding out after a long
generation, or by a dead kernel, helps nobody.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from explore.errors import BudgetError, ParameterError
from explore.memory import readable
from explore.models.info import ModelInfo

VISION_SIGNALS = ("cls_attention", "keys", "features", "query_attention")

_REMEDY = {
    "hidden": 'hidden="none" or a few layers, hidden=(0, {middle}, {last})',
    "attention": 'attention="answer" or fewer layers, attention_layers=({middle},)',
    "columns": "columns=False",
    "logits": 'logits="none"',
    "vision": "vision=()",
}


@dataclass(frozen=True)
class RecordingPlan:
    """What a run keeps.

    Parameters
    ----------
    hidden
        Layers whose states are kept, of 0 (the language model's input) to L (before the final norm).
    attention
        Query rows that are kept: "answer" are the rows that predicted answer tokens, a tuple holds sequence positions
        (those the run does not reach are left out).
    attention_layers
        Layers whose rows are kept; None means all.
    columns
        Keep the head's columns of the question's and answer's tokens at every position, for token activation maps.
    logits
        "answer" keeps the full-vocabulary logits that predicted each answer token.
    vision
        Signals of the vision tower: "cls_attention", "keys", "features"; and of models whose visual tokens are learned
        queries "query_attention", which says where each of them looks.
    budget_bytes
        Most bytes a run may keep in host memory.
    """

    hidden: Literal["all", "none"] | tuple[int, ...] = "all"
    attention: Literal["none", "answer", "all"] | tuple[int, ...] = "answer"
    attention_layers: tuple[int, ...] | None = None
    columns: bool = True
    logits: Literal["answer", "none"] = "answer"
    vision: tuple[str, ...] = ()
    budget_bytes: int = 2 << 30

    def __post_init__(self) -> None:
        for name, words in (("hidden", ("all", "none")), ("attention", ("none", "answer", "all"))):
            value = getattr(self, name)
            if not isinstance(value, str):
                object.__setattr__(self, name, _numbers(name, value))
            elif value not in words:
                raise ParameterError(f"{name}={value!r} was given", f"Allowed: {words} or a tuple of numbers.")
        if self.attention_layers is not None:
            object.__setattr__(self, "attention_layers", _numbers("attention_layers", self.attention_layers))
        if not isinstance(self.budget_bytes, int | float) or not self.budget_bytes > 0:
            raise ParameterError(f"budget_bytes={self.budget_bytes!r} was given", "It is a number of bytes above 0.")
        if self.logits not in ("answer", "none"):
            raise ParameterError(f"logits={self.logits!r} was given", 'Allowed: "answer" and "none".')
        vision: Any = self.vision
        object.__setattr__(self, "vision", (vision,) if isinstance(vision, str) else tuple(vision))
        unknown = [name for name in self.vision if name not in VISION_SIGNALS]
        if unknown:
            raise ParameterError(f"vision={unknown} was given", f"Signals of the vision tower: {VISION_SIGNALS}.")

    def hidden_layers(self, layers: int) -> tuple[int, ...]:
        """Layers whose states are kept in a model of so many decoder layers.

        Raises
        ------
        ParameterError
            The plan names a layer the model does not have.
        """
        if isinstance(self.hidden, str):
            return tuple(range(layers + 1)) if self.hidden == "all" else ()
        return _within(self.hidden, layers, "hidden")

    def row_layers(self, layers: int) -> tuple[int, ...]:
        """Layers whose attention rows are kept in a model of so many decoder layers.

        Raises
        ------
        ParameterError
            The plan names a layer the model does not have.
        """
        if self.attention in ("none", ()):
            return ()
        return (
            tuple(range(layers))
            if self.attention_layers is None
            else _within(self.attention_layers, layers - 1, "attention_layers")
        )

    def rows_between(self, prompt_tokens: int, start: int, end: int) -> Sequence[int]:
        """Sequence positions of the kept rows from `start` to `end` (exclusive), in order."""
        if isinstance(self.attention, str):
            first = {"none": end, "answer": prompt_tokens - 1, "all": 0}[self.attention]
            return range(min(max(first, start), end), end)
        return [row for row in self.attention if start <= row < end]

    def estimate(
        self,
        info: ModelInfo,
        prompt_tokens: int,
        new_tokens: int,
        *,
        question_tokens: int = 32,
        visual_tokens: int = 0,
        queries: tuple[int, int] = (0, 0),
    ) -> dict[str, int]:
        """Bytes the run would keep in host memory.

        Parameters
        ----------
        info
            The model's sizes.
        prompt_tokens, new_tokens
            Length of the prompt, image tokens included, and of the answer.
        question_tokens, visual_tokens
            How many of the prompt's tokens are the question's words and image patches.
        queries
            How many of them are learned queries, and how many patches of the vision tower there are for these.

        Returns
        -------
        dict
            Bytes under "hidden", "attention", "columns", "logits", "vision" and their sum under "total". Answers that
            stop early take less. Layers whose states do not fit half precision are kept in single and take twice.
        """
        fed = prompt_tokens + max(new_tokens, 1) - 1
        size = 4 if info.dtype == "float32" else 2
        rows = len(self.rows_between(prompt_tokens, 0, fed))
        parts = {
            "hidden": len(self.hidden_layers(info.layers)) * fed * info.width * size,
            "attention": len(self.row_layers(info.layers)) * info.heads * rows * fed * size,
            "columns": (question_tokens + new_tokens + 2) * fed * 4 if self.columns else 0,
            "logits": new_tokens * info.vocab * size if self.logits == "answer" else 0,
            "vision": self._vision_values(info, visual_tokens, math.prod(queries)) * size,
        }
        return {**parts, "total": sum(parts.values())}

    def require_budget(self, parts: dict[str, int], layers: int) -> None:
        """Refuse a plan whose estimate exceeds its budget.

        Raises
        ------
        BudgetError
            Names the parts, largest first, and what to set to drop the largest.
        """
        if parts["total"] <= self.budget_bytes:
            return
        order = sorted((name for name in parts if name != "total"), key=lambda name: -parts[name])
        sizes = ", ".join(f"{name} {readable(parts[name])}" for name in order if parts[name])
        remedy = _REMEDY[order[0]].format(middle=layers // 2, last=layers)
        raise BudgetError(
            f"This recording would keep {readable(parts['total'])} ({sizes})",
            f"The plan's budget is {readable(self.budget_bytes)}.",
            f"Drop the largest part with {remedy}, ask for fewer new tokens, or raise budget_bytes.",
        )

    def to_json(self) -> dict[str, Any]:
        """What is recorded, for the fingerprint; the budget decides nothing about the result."""
        return {name: value for name, value in asdict(self).items() if name != "budget_bytes"}

    def _vision_values(self, info: ModelInfo, patches: int, pairs: int) -> int:
        tower = info.vision
        if tower is None:
            return 0
        sizes = {
            "cls_attention": tower.layers * tower.heads * patches,
            "keys": tower.layers * tower.width * patches,
            "features": tower.feature_width * patches,
            "query_attention": tower.query_layers * tower.query_heads * pairs,
        }
        return sum(sizes[name] for name in self.vision)


def _numbers(name: str, value: Any) -> tuple[int, ...]:
    """Layers or positions in order, each once; a single number counts as one of them."""
    try:
        found = [operator.index(each) for each in ((value,) if isinstance(value, int) else value)]
    except TypeError:
        found = [-1]
    if any(each < 0 for each in found):
        raise ParameterError(f"{name}={value!r} was given", "Layers and positions are whole numbers from 0.")
    return tuple(sorted(set(found)))


def _within(wanted: tuple[int, ...], last: int, name: str) -> tuple[int, ...]:
    wrong = [layer for layer in wanted if not 0 <= layer <= last]
    if wrong:
        raise ParameterError(f"{name} names the layers {wrong}", f"This model has 0 to {last}.")
    return wanted
