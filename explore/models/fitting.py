"""Whether a checkpoint fits where it is to be loaded: by how much it does not, and what would make it fit.

Everything here is computed, from the headers of the weights and from what is free now. Runs need memory beside the
weights, so a checkpoint that just fits may still run out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from explore import memory
from explore.errors import OutOfMemoryError
from explore.models.quantization import QUANTIZATIONS, missing_for, way_to
from explore.models.stored import StoredTensor, bytes_of

_SHARE = 0.9  # of what is free goes to spread weights; what loading and runs take comes on top


@dataclass(frozen=True)
class Way:
    """One way of loading a checkpoint.

    Parameters
    ----------
    words
        How it is asked for.
    needed, free
        Bytes its weights take, and bytes there are for them.
    """

    words: str
    needed: int
    free: int

    @property
    def fits(self) -> bool:
        return self.needed <= self.free

    def __str__(self) -> str:
        return f"{self.words} ({memory.readable(self.needed)} of {memory.readable(self.free)} free)"


def require_fit(
    name: str, tensors: tuple[StoredTensor, ...], where: torch.device, dtype: Any, quantization: str | None = None
) -> None:
    """Refuse weights that are larger than what is free on their device.

    Parameters
    ----------
    name
        The checkpoint's.
    tensors
        Its weights; none where their sizes are not known, and then nothing is refused.
    where, dtype, quantization
        How they are to be loaded.

    Raises
    ------
    OutOfMemoryError
        They do not fit; the message says by how much, and which other ways would.
    """
    needed, free = bytes_of(tensors, dtype, quantization), memory.available(str(where))
    if needed <= free:
        return
    found = [str(way) for way in other_ways(tensors, where, dtype, quantization) if way.fits]
    raise OutOfMemoryError(
        f"The weights of '{name}' take {memory.readable(needed)} ({_spelled(dtype, quantization)}), and "
        f"{memory.readable(free)} are free on '{where}': {memory.readable(needed - free)} are missing",
        f"What would fit: {'; '.join(found)}." if found else "No other number type or device of this machine fits it.",
        "Load it in one of these ways, or close other models first: explore.session().close()."
        if found
        else f"{_from_disk(tensors, dtype)} Else use a smaller checkpoint, or a machine with more memory.",
    )


def other_ways(
    tensors: tuple[StoredTensor, ...], where: torch.device, dtype: Any, quantization: str | None
) -> list[Way]:
    """The other ways a checkpoint could be loaded on this machine, those nearest to what was asked for first."""
    free = memory.available(str(where))
    asked = bytes_of(tensors, dtype, quantization)
    ways = []
    half = bytes_of(tensors, torch.bfloat16)
    if quantization is None and half < asked:
        ways.append(Way('dtype="bfloat16"', half, free))
    ways += [
        Way(f'device="{device}"', asked, memory.available(device))
        for device in memory.devices()
        if torch.device(device) != where and (quantization is None or missing_for(torch.device(device)) is None)
    ]
    # Numbers that are not quantised stay as they were asked for.
    ways += [
        Way(words, bytes_of(tensors, dtype, kind), free)
        for kind in _smaller(tensors, quantization)
        if (words := way_to(kind, where)) is not None
    ]
    if len(memory.devices()) > 1:
        words = 'device_map="auto"' + (" with quantization=None" if quantization else "")
        ways.append(Way(words, bytes_of(tensors, dtype), sum(spread_memory().values())))
    return ways


def spread_memory() -> dict[int | str, int]:
    """Bytes that spread weights may take, by accelerate's names: GPUs by number, then "cpu"."""
    return {
        "cpu" if device == "cpu" else int(device.partition(":")[2]): int(_SHARE * memory.available(device))
        for device in memory.devices()
    }


def _smaller(tensors: tuple[StoredTensor, ...], quantization: str | None) -> tuple[str, ...]:
    """Quantisations that take less than the one asked for; none for weights that come quantised."""
    if any(each.packed for each in tensors):
        return ()
    return QUANTIZATIONS if quantization is None else QUANTIZATIONS[QUANTIZATIONS.index(quantization) + 1 :]


def _from_disk(tensors: tuple[StoredTensor, ...], dtype: Any) -> str:
    needed, held = bytes_of(tensors, dtype), sum(spread_memory().values())
    return (
        f'device_map="auto" would keep {memory.readable(held)} in memory and read the other '
        f"{memory.readable(needed - held)} from the disk for every token, slowly."
    )


def _spelled(dtype: Any, quantization: str | None) -> str:
    numbers = str(dtype).removeprefix("torch.") if isinstance(dtype, torch.dtype) else "as they are stored"
    return numbers if quantization is None else f"{quantization}, the rest {numbers}"
