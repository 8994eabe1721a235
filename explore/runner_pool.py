"""The runners a session holds: found again by what was asked for, and closed, oldest use first, to stay in budget."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explore import memory
from explore.errors import OutOfMemoryError, RunnerInUseError

if TYPE_CHECKING:
    from explore.models.runner import Runner


@dataclass(frozen=True)
class RunnerKey:
    """What makes two loads the same load; None stands for the default."""

    checkpoint: str
    revision: str | None
    dtype: str | None
    device: str | None
    spread: str | None = None
    quantization: str | None = None

    @classmethod
    def of(
        cls, checkpoint: Any, revision: Any, dtype: Any, device: Any, spread: Any = None, quantization: Any = None
    ) -> RunnerKey:
        """The key of a request, with torch's dtypes and devices and existing folders in one spelling.

        Parameters
        ----------
        spread
            The map of a model on several devices, as text.
        """
        return cls(
            "sketch" if checkpoint is None else _one_spelling(checkpoint),
            revision or None,
            None if dtype is None else str(dtype).removeprefix("torch."),
            None if device is None else str(device),
            None if spread is None else str(spread),
            quantization or None,
        )

    @classmethod
    def of_loaded(cls, info: Any) -> RunnerKey:
        """The key of a loaded runner; one that is spread is told by what lies where."""
        places = "+".join(f"{place}:{count}" for place, count in info.places) if len(info.places) > 1 else None
        return cls.of(info.checkpoint, info.revision, info.dtype, info.device, places, info.quantization)


def _one_spelling(checkpoint: Any) -> str:
    """The name of a checkpoint, the same for all spellings of an existing folder."""
    name = os.fspath(checkpoint) if isinstance(checkpoint, os.PathLike) else str(checkpoint)
    try:
        folder = Path(name).expanduser()
        return str(folder.resolve()) if folder.is_dir() else name
    except (RuntimeError, OSError, ValueError):  # loading will say what is wrong with it
        return name


class TurnLock:
    """The session's lock as one runner holds it: it also notes that the runner was used, and whether it is in use."""

    def __init__(self, lock: Any, used: Callable[[TurnLock], None]) -> None:
        self._lock = lock
        self._used = used
        self.depth = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        taken: bool = self._lock.acquire(blocking, timeout)
        if taken:
            self.depth += 1
            self._used(self)
        return taken

    def release(self) -> None:
        self.depth -= 1
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exc: object) -> None:
        self.release()


@dataclass(eq=False)
class _Entry:
    runner: Runner
    turn: TurnLock
    keys: set[RunnerKey]

    @property
    def kinds(self) -> list[str]:
        """The kinds of device that hold its weights; what lies on the disk takes no memory."""
        return list(dict.fromkeys(_kind_of(place) for place, _ in self.runner.info.places if place != "disk"))

    def bytes_on(self, kind: str) -> int:
        """Bytes of its weights on a kind of device: all GPUs share one budget."""
        return sum(count for place, count in self.runner.info.places if _kind_of(place) == kind)


def _kind_of(device: str) -> str:
    return device.split(":", 1)[0]


class RunnerPool:
    """Loaded runners in the order of their last use. Its methods are called with the session's lock held.

    Parameters
    ----------
    lock : threading.RLock
        The session's; every runner gets it as a :class:`TurnLock`.
    budget_bytes : int or None
        Bytes for the runners on one kind of device; None takes :func:`explore.memory.default_budget`.
    loader : callable
        Called as ``loader(checkpoint, device=, dtype=, revision=, trust_remote_code=, lock=, ...)``.
    spelled_out : callable
        A request in one spelling, whatever words it was made in:
        ``spelled_out(device, dtype, device_map, quantization)``.
    expected_bytes : callable
        What a checkpoint will take, 0 for unknown:
        ``expected_bytes(checkpoint, device, dtype, revision, quantization)``.
    """

    def __init__(
        self,
        lock: Any,
        budget_bytes: int | None,
        loader: Callable[..., Runner],
        spelled_out: Callable[..., tuple[Any, Any, Any, Any]] = lambda *asked: asked,
        expected_bytes: Callable[..., int] = lambda *_: 0,
    ) -> None:
        self.budget_bytes = budget_bytes
        self._lock = lock
        self._loader = loader
        self._spelled_out = spelled_out
        self._expected_bytes = expected_bytes
        self._entries: list[_Entry] = []  # least recently used first

    @property
    def runners(self) -> tuple[Runner, ...]:
        """The loaded runners, the one unused for longest first."""
        return tuple(entry.runner for entry in self._open_entries())

    @property
    def bytes(self) -> int:
        """Bytes the loaded runners take together."""
        return sum(entry.runner.info.nbytes for entry in self._open_entries())

    def budget(self, device: str) -> int:
        """Bytes that the runners on this kind of device may take together."""
        return self.budget_bytes or memory.default_budget(device)

    def load(self, checkpoint: Any, **request: Any) -> Runner:
        """The runner already loaded for this request, or a new one; others may be closed to make room for it."""
        asked = (request["device"], request["dtype"], request.get("device_map"), request.get("quantization"))
        device, dtype, spread, quantization = self._spelled_out(*asked)
        revision = request["revision"]
        key = RunnerKey.of(checkpoint, revision, dtype, device, spread, quantization)
        entry = self._find(key)
        if entry is None:
            coming = self._expected_bytes(checkpoint, device, dtype, revision, quantization)
            self._make_room(_kind_of(str(device)), coming)
            entry = self._open(checkpoint, request)
        entry.keys.add(key)
        self._use(entry.turn)
        for kind in entry.kinds:
            self._make_room(kind, spared=entry)
        return entry.runner

    def close(self, runner: Runner | None = None) -> int | None:
        """Close one runner or all; returns the bytes freed, or None where the runner is not held here.

        Raises
        ------
        RunnerInUseError
            Called from inside a run of a runner that would be closed.
        """
        entries = [entry for entry in self._open_entries() if runner is None or entry.runner is runner]
        return None if runner is not None and not entries else self._drop(entries)

    def _find(self, key: RunnerKey) -> _Entry | None:
        self._entries = self._open_entries()
        return next((entry for entry in self._entries if key in entry.keys), None)

    def _open_entries(self) -> list[_Entry]:
        """The entries whose runner nobody closed by hand."""
        return [entry for entry in list(self._entries) if not entry.runner.closed]

    def _open(self, checkpoint: Any, request: dict[str, Any]) -> _Entry:
        """Load a runner, unless it turns out to be one that is loaded already and was asked for in other words."""
        turn = TurnLock(self._lock, self._use)
        try:
            runner = self._loader(checkpoint, **request, lock=turn)
        except OutOfMemoryError:
            idle = [entry for entry in self._entries if not entry.turn.depth]
            if not idle:
                raise
            self._drop(idle)
            runner = self._loader(checkpoint, **request, lock=turn)
        key = RunnerKey.of_loaded(runner.info)
        twin = self._find(key)
        if twin is not None:
            runner.close()
            return twin
        entry = _Entry(runner, turn, {key})
        self._entries.append(entry)
        return entry

    def _use(self, turn: TurnLock) -> None:
        for entry in self._entries:
            if entry.turn is turn:
                self._entries.remove(entry)
                self._entries.append(entry)
                return

    def _make_room(self, device: str, coming: int = 0, spared: _Entry | None = None) -> None:
        """Close what was unused for longest until the runners of a device, and ``coming`` bytes, are within budget."""
        budget = self.budget(device)
        while True:
            beside = [entry for entry in self._open_entries() if device in entry.kinds]
            idle = [entry for entry in beside if entry is not spared and not entry.turn.depth]
            if not idle or sum(entry.bytes_on(device) for entry in beside) + coming <= budget:
                return
            self._drop(idle[:1])

    def _drop(self, entries: list[_Entry]) -> int:
        """Close runners and say how many bytes that freed."""
        if not entries:
            return 0
        for entry in entries:
            if entry.turn.depth:
                raise RunnerInUseError(
                    f"{entry.runner!r} was to be closed from inside its own run",
                    next="Close it when the run has ended.",
                )
        on_host = sum(entry.bytes_on(kind) for entry in entries for kind in entry.kinds if kind != "cuda")
        allocated = memory.device_allocated()
        for entry in entries:
            self._entries.remove(entry)
            entry.runner.close()
        gc.collect()
        memory.release_device_cache()
        return on_host + max(0, allocated - memory.device_allocated())
