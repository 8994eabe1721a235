"""The shipped model, and whether others can be downloaded."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from explore import memory
from explore.doctor.checks import Check
from explore.errors import ExploreError


def shipped() -> Iterator[Check]:
    """Load the model that ships, outside any session."""
    from explore.models.loading import load_runner

    start = time.perf_counter()
    try:
        runner = load_runner(device="cpu")
    except (ExploreError, OSError, ValueError) as error:
        yield Check(
            "shipped model",
            "broken",
            str(error),
            "explore.load() without a name fails",
            "check the weights out again (git status explore/sketch/weights), or train them: make train",
        )
        return
    seconds = time.perf_counter() - start
    size = memory.readable(runner.info.nbytes)
    runner.close()
    yield Check("shipped model", "ok", f"{size}, loads in {seconds:.1f} s")


def hub() -> Iterator[Check]:
    """Whether the model hub answers."""
    from huggingface_hub import constants

    from explore.models.sources import hub_silence

    remedy = "use explore.load() or a checkpoint folder on disk"
    if constants.HF_HUB_OFFLINE:
        yield Check("model hub", "note", "offline by choice (HF_HUB_OFFLINE)", "nothing is downloaded", remedy)
        return
    reason = hub_silence()
    if reason is not None:
        consequence = "checkpoints not downloaded before cannot be loaded"
        yield Check("model hub", "missing", f"{constants.ENDPOINT} does not answer: {reason}", consequence, remedy)
        return
    token = "signed in" if os.environ.get("HF_TOKEN") or _stored_token() else "not signed in: gated checkpoints refuse"
    yield Check("model hub", "ok", f"{constants.ENDPOINT} answers; {token}")


def _stored_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None
