"""Whether a bank is searched with the model that built it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from explore.lens.tokenized_texts import tokenizer_hash
from explore.runs import RunnerLike

_WEIGHTS = ("checkpoint", "revision", "family", "quantization")
"""Entries of a fingerprint that say which weights a model has; number type and device change rounding only."""


def warn_of_another_model(manifest: dict[str, Any], runner: RunnerLike | Mapping[str, Any]) -> None:
    """Say in a warning what of a model, or of its fingerprint, is not as the bank's manifest has it."""
    built, given = manifest.get("model", {}), runner if isinstance(runner, Mapping) else runner.fingerprint
    found = [
        f"{name} {given.get(name)!r}, not {built.get(name)!r}"
        for name in _WEIGHTS
        if given.get(name) != built.get(name)
    ]
    if not isinstance(runner, Mapping) and tokenizer_hash(runner.language, runner.info.vocab) != manifest["tokenizer"]:
        found.append("another tokenizer")
    if found:
        warnings.warn(
            f"This bank was built by another model: this one has {'; '.join(found)}. Neighbours mean something only "
            "among states of the same weights: build a bank with this model.",
            stacklevel=3,  # the caller of open_bank
        )
