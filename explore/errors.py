"""What can go wrong, in words a person can act on.

Every error of the toolkit derives from `ExploreError` and says three things: what was received, what is allowed, and
what to do next. Catching `ExploreError` therefore catches everything the toolkit raises on purpose.
"""

from __future__ import annotations


class ExploreError(Exception):
    """An error that explains itself.

    Parameters
    ----------
    received
        What was given or found, as a sentence without its full stop.
    allowed
        What would have been accepted.
    next
        What the user can do now.
    """

    def __init__(self, received: str, allowed: str = "", next: str = "") -> None:
        self.received, self.allowed, self.next = received, allowed, next
        super().__init__(received, allowed, next)

    def __str__(self) -> str:
        parts = (part.strip() for part in (self.received, self.allowed, self.next))
        return " ".join(part if part[-1] in ".!?" else f"{part}." for part in parts if part)


class ParameterError(ExploreError, ValueError):
    """A parameter has a value that its method cannot use."""


class ImageInputError(ExploreError, ValueError):
    """What was given as a picture cannot be read as one."""


class QuestionError(ExploreError, ValueError):
    """The question is empty or cannot be put into the model's prompt."""


class ContextLengthError(ExploreError, ValueError):
    """The prompt, image tokens included, does not fit the model's context."""


class CheckpointError(ExploreError):
    """The checkpoint cannot be found, read, or understood."""


class RemoteCodeError(CheckpointError):
    """The checkpoint wants to run code of its own, and nobody agreed to that."""


class DeviceError(ExploreError):
    """The wanted device is not there."""


class TraceFileError(ExploreError):
    """The file is not a trace, is damaged, or was written by a newer version."""


class NotRecordedError(ExploreError, LookupError):
    """The trace does not hold what was asked for; the message names the plan field that would record it."""


class BudgetError(ExploreError):
    """The recording plan would keep more bytes than its budget allows."""


class RunnerInUseError(ExploreError):
    """A runner was to be closed from inside its own run."""


class JobError(ExploreError):
    """A job was used in a way that cannot work: awaited by its own worker, or handed to a closed one."""


class OutOfMemoryError(ExploreError, MemoryError):
    """The machine or the device ran out of memory; the runner stays usable."""


class Cancelled(ExploreError):  # noqa: N818 (it is no failure)
    """Somebody asked for the running work to stop, and it stopped."""

    def __init__(
        self,
        received: str = "The run was cancelled",
        allowed: str = "",
        next: str = "The model is still loaded: run it again whenever you like.",
    ) -> None:
        super().__init__(received, allowed, next)
