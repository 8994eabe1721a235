"""The table of model families: transformers' model type to the class that knows its parts and its pixels.

A new family is one file here and one line below.
"""

from __future__ import annotations

from typing import Any

from explore.errors import CheckpointError
from explore.models.families.base import Family, GridPlan
from explore.models.families.llava import Llava

FAMILIES: dict[str, type[Family]] = {
    "llava": Llava,
    "vipllava": Llava,
}

__all__ = ["FAMILIES", "Family", "GridPlan", "require_family"]


def require_family(config: Any) -> type[Family]:
    """The family of a checkpoint's config.

    Raises
    ------
    CheckpointError
        The table has no line for it.
    """
    model_type = getattr(config, "model_type", None)
    if model_type not in FAMILIES:
        raise CheckpointError(
            f"The checkpoint is of the model type {model_type!r}, which has no family here yet",
            f"Families: {', '.join(sorted(FAMILIES))}.",
            "Use a checkpoint of one of these, or the shipped model: explore.load().",
        )
    return FAMILIES[model_type]
