"""Which model made a trace, a bank or a fit: states of two models cannot be compared, however alike their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explore.errors import NotRecordedError, ParameterError
from explore.runs import RunnerLike
from explore.trace import Trace

_NAMES = ("checkpoint", "revision", "family")


def identity_of(fingerprint: Mapping[str, Any]) -> dict[str, Any]:
    """What of a fingerprint names the weights, and not how they were run."""
    return {name: fingerprint.get(name) for name in _NAMES}


def require_same_model(fingerprint: Mapping[str, Any], trace: Trace, what: str) -> None:
    """Refuse what was made with other weights than a trace.

    Raises
    ------
    ParameterError
        Checkpoint, revision or family differ.
    """
    made, own = identity_of(trace.fingerprint), identity_of(fingerprint)
    if made != own:
        raise ParameterError(
            f"The trace was recorded with {made}, and {what} is of {own}",
            "Both have to come from the same weights.",
            "Load that checkpoint, or record the run again with this one.",
        )


def living_runner(trace: Trace, runner: RunnerLike | None) -> RunnerLike | None:
    """The runner handed over, or else the one the trace came from while it lives; checked to be the trace's model.

    Raises
    ------
    ParameterError
        The runner handed over is of another model.
    """
    if runner is None:
        made = trace.origin() if trace.origin is not None else None
        return made if made is not None and not made.closed else None
    require_same_model(runner.fingerprint, trace, "this runner")
    return runner


def no_runner(trace: Trace, what: str) -> NotRecordedError:
    """What to say where a lens needs the model and only the record is there."""
    checkpoint = trace.fingerprint.get("checkpoint")
    load = f"explore.load({checkpoint!r})" if checkpoint and checkpoint != "sketch" else "explore.load()"
    return NotRecordedError(
        f"{what} needs the model, and the trace was opened from a file or its runner was closed",
        "",
        f"Hand the runner over: runner={load}.",
    )
