"""The session: which models one kernel holds, what they take, and whose turn it is.

There is one lock, so that two threads asking at once take turns, and one worker thread for long work. When a device's
runners outgrow its budget, those unused for longest are closed (:mod:`explore.runner_pool`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from explore import memory
from explore.errors import ParameterError
from explore.jobs import Job
from explore.observers import Observers
from explore.result_cache import ResultCache
from explore.runner_pool import RunnerPool
from explore.workers import Worker

if TYPE_CHECKING:
    from explore.models.runner import Runner

T = TypeVar("T")
_JOBS_REMEMBERED = 20
_CACHE_SHARE = 8
_CACHE_LIMIT = 2 << 30


class Session:
    """The runners, jobs and kept results of one kernel.

    Parameters
    ----------
    budget_bytes : int, optional
        Bytes that the runners on one kind of device may take together; by default four fifths of the memory of the
        GPUs and half of main memory. A single runner larger than that is loaded all the same, alone.
    cache_bytes : int, optional
        Bytes of results to keep; by default an eighth of main memory and at most 2 GiB. 0 keeps none.
    loader : callable, optional
        What loads a runner: called like :func:`explore.models.loading.load_runner`.

    Attributes
    ----------
    lock : threading.RLock
        Held by whoever uses a model.
    cache : ResultCache
        Results by fingerprint.
    """

    def __init__(
        self,
        budget_bytes: int | None = None,
        *,
        cache_bytes: int | None = None,
        loader: Callable[..., Runner] | None = None,
    ) -> None:
        if budget_bytes is not None and budget_bytes <= 0:
            raise ParameterError(f"A budget of {budget_bytes} bytes was given", "It must be more than 0, or None")
        if cache_bytes is None:
            cache_bytes = min(memory.host_total() // _CACHE_SHARE, _CACHE_LIMIT)
        self.lock = threading.RLock()
        self.cache = ResultCache(cache_bytes)
        hooks = (_load_runner, _spelled_out, _expected_bytes) if loader is None else (loader,)
        self._pool = RunnerPool(self.lock, budget_bytes, *hooks)
        self._jobs: list[Job[Any]] = []
        self._jobs_lock = threading.Lock()
        self._worker = Worker()
        self._observers = Observers()

    @property
    def runners(self) -> tuple[Runner, ...]:
        """The loaded runners, the one unused for longest first."""
        return self._pool.runners

    @property
    def bytes(self) -> int:
        """Bytes the loaded runners take together."""
        return self._pool.bytes

    def budget(self, device: str = "cpu") -> int:
        """Bytes that the runners on a kind of device ("cpu", "cuda", "mps") may take together."""
        return self._pool.budget(device)

    @property
    def jobs(self) -> list[Job[Any]]:
        """Jobs that wait or run, and the last few that ended, oldest first."""
        with self._jobs_lock:
            return list(self._jobs)

    def load(
        self,
        checkpoint: str | os.PathLike[str] | None = None,
        *,
        device: Any = None,
        dtype: Any = None,
        device_map: Any = None,
        quantization: str | None = None,
        revision: str | None = None,
        trust_remote_code: bool = False,
    ) -> Runner:
        """The runner of a checkpoint: the one already loaded, or a new one.

        Parameters
        ----------
        checkpoint : str or path, optional
            A folder, a name on the hub, "sketch" (the default: the model that ships) or "sketch-frozen".
        device : str or torch.device, optional
            A CUDA GPU where there is one, else the processor, by default.
        dtype : str or torch.dtype, optional
            float32 on the processor and the checkpoint's own elsewhere by default; "auto" is the checkpoint's own.
        device_map : str or dict, optional
            In place of a device, to spread the weights through accelerate. "auto", "balanced", "balanced_low_0" and
            "sequential" fill all GPUs, then main memory, then the disk; a dict says which part of the model goes to
            which device or to the "disk". Parts that find no place on a GPU come to it only while they run.
        quantization : str, optional
            "8bit" or "4bit": matrices are quantised while loading, by bitsandbytes where that is installed.
        revision : str, optional
            Branch, tag or commit on the hub.
        trust_remote_code : bool
            Whether a checkpoint may run code of its own.

        Raises
        ------
        CheckpointError, RemoteCodeError, DeviceError, ParameterError
        OutOfMemoryError
            The weights do not fit on the device; the message says by how much, and what would. It is not raised before
            loading where a ``device_map`` was given, or where sizes are not known.
        """
        with self.lock:
            runner = self._pool.load(
                checkpoint,
                device=device,
                dtype=dtype,
                device_map=device_map,
                quantization=quantization,
                revision=revision,
                trust_remote_code=trust_remote_code,
                cache=self.cache,
            )
        self._observers.notify(self)
        return runner

    def submit(self, fn: Callable[..., T], *args: Any, name: str | None = None, **kwargs: Any) -> Job[T]:
        """Run ``fn(*args, **kwargs)`` on the session's worker thread; see :meth:`explore.workers.Worker.submit`."""
        job = self._worker.prepare(fn, *args, name=name, **kwargs)
        job.observe(lambda _: self._observers.notify(self))
        self._worker.start(job)
        self._remember(job)
        self._observers.notify(self)
        return job

    def observe(self, callback: Callable[[Session], None]) -> Callable[[], None]:
        """Call ``callback(session)`` when a runner comes or goes or a job changes; returns what stops this.

        The call comes from whichever thread made the change.
        """
        return self._observers.add(callback)

    def close(self, runner: Runner | None = None) -> int:
        """Close one runner, or cancel all jobs, close all runners and forget all results. More can be loaded after.

        A run under way ends first: at once where it belongs to a cancelled job.

        Returns
        -------
        int
            Bytes freed. On a GPU this is measured; in main memory it is what the closed models and results took.

        Raises
        ------
        ParameterError
            The runner is not one of this session's.
        RunnerInUseError
            Called from inside the runner's own run.
        """
        if runner is None:
            self._worker.cancel_all()
        with self.lock:
            freed = self._pool.close(runner)
            if freed is None:
                raise ParameterError(
                    f"{runner!r} is not loaded in this session",
                    "Only runners in session().runners can be closed here",
                    "It may have been closed before to make room.",
                )
            if runner is None:
                freed += self.cache.clear()
        if runner is None:
            with self._jobs_lock:
                self._jobs = [job for job in self._jobs if not job.done]
        self._observers.notify(self)
        return freed

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything, the worker thread included: nothing can be submitted afterwards."""
        self.close()
        self._worker.close()

    def __repr__(self) -> str:
        return f"<Session: {len(self.runners)} runners, {memory.readable(self.bytes)}>"

    def _remember(self, job: Job[Any]) -> None:
        """Keep the job for the panel; of those that ended only the last few stay."""
        with self._jobs_lock:
            self._jobs.append(job)
            ended = [old for old in self._jobs if old.done]
            for old in ended[:-_JOBS_REMEMBERED]:
                self._jobs.remove(old)


# Torch and transformers come with these: they are imported only when a model is first wanted.
def _load_runner(checkpoint: Any, **request: Any) -> Runner:
    from explore.models.loading import load_runner

    return load_runner(checkpoint, **request)


def _spelled_out(*asked: Any) -> tuple[str, str, str | None, str | None]:
    from explore.models.placement import spelled_out

    return spelled_out(*asked)


def _expected_bytes(*asked: Any) -> int:
    from explore.models.stored import expected_bytes

    return expected_bytes(*asked)


_default: Session | None = None
_default_lock = threading.Lock()


def session() -> Session:
    """The kernel's default session, which :func:`load` uses."""
    global _default
    with _default_lock:
        if _default is None:
            _default = Session()
        return _default


def load(
    checkpoint: str | os.PathLike[str] | None = None,
    *,
    device: Any = None,
    dtype: Any = None,
    device_map: Any = None,
    quantization: str | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Runner:
    """Load a vision-language model through the default session; see :meth:`Session.load`.

    >>> runner = explore.load()                       # the model that ships: no network, no GPU
    >>> runner = explore.load("llava-hf/llava-1.5-7b-hf", device="cuda", dtype="bfloat16")
    >>> runner = explore.load("Qwen/Qwen2.5-VL-72B-Instruct", device_map="auto")             # over all there is
    >>> runner = explore.load("Qwen/Qwen2.5-VL-7B-Instruct", quantization="4bit")
    """
    return session().load(
        checkpoint,
        device=device,
        dtype=dtype,
        device_map=device_map,
        quantization=quantization,
        revision=revision,
        trust_remote_code=trust_remote_code,
    )
