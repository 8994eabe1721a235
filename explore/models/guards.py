"""What stands around every model run: cancel, and memory errors a person can act on."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from explore.errors import OutOfMemoryError
from explore.jobs import check_cancelled
from explore.runs import Report

_NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory", "cannot allocate memory")


def cancel_check(progress: Report | None) -> Callable[[], None]:
    """What is called before every layer: raises `Cancelled` if the caller's progress or the running job says so."""
    check: Callable[[], None] | None = getattr(progress, "check", None)
    return check if check is not None else check_cancelled


@contextmanager
def memory_errors(
    what: str = "The run",
    still: str = "The model is still loaded and usable.",
    next: str = "Use a smaller picture, fewer new tokens, a lighter RecordingPlan, or a model in half precision.",
) -> Iterator[None]:
    """Turn the many ways of running out of memory into one error, and give back what can be given back.

    Parameters
    ----------
    what, still, next
        What ran, what is as it was, and what to do now.

    Raises
    ------
    OutOfMemoryError
        Host or device memory ran out inside.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, OutOfMemoryError) or not is_memory_error(error):
            raise
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
    else:
        return
    # Outside the except block: the traceback holds the activations that have to go.
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise OutOfMemoryError(f"{what} ran out of memory: {why}", still, next)


def is_memory_error(error: BaseException) -> bool:
    """Whether an error means that memory ran out, by its type or by what the libraries say then."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return any(hint in str(error).lower() for hint in _NO_MEMORY)
