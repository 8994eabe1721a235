"""Which device and which number type a request means, checked to be there."""

from __future__ import annotations

from typing import Any

import torch

from explore.errors import DeviceError, ParameterError


def resolve_device(device: Any) -> torch.device:
    """The device meant, checked to be there.

    Raises
    ------
    DeviceError
        It is not a device, or this machine does not have it.
    """
    if device is None or str(device) == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        where = torch.device(device)
        known = where.type in ("cpu", "cuda", "mps")
    except (RuntimeError, TypeError):
        known = False
    if not known:
        raise DeviceError(f"The device {device!r} was asked for", 'Devices are "cpu", "cuda", "cuda:1" and "mps".')
    if where.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (where.index or 0) >= count:
            raise DeviceError(
                f"The device '{where}' was asked for, but the number of CUDA devices here is {count}",
                'On the CPU everything runs too: device="cpu".',
                "If there should be a GPU, check its driver and that torch was built for CUDA (explore doctor).",
            )
        return torch.device("cuda", where.index or 0)
    if where.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("The device 'mps' was asked for, but this machine has none", 'Use device="cpu".')
    return where


def resolve_dtype(dtype: Any, device: torch.device) -> Any:
    """The torch dtype meant, or "auto"; None means float32 on the processor and "auto" elsewhere.

    Raises
    ------
    ParameterError
        It is no number type that weights can have.
    """
    if dtype is None:
        return torch.float32 if device.type == "cpu" else "auto"
    found = getattr(torch, dtype.removeprefix("torch."), None) if isinstance(dtype, str) and dtype != "auto" else dtype
    if found == "auto" or found in (torch.float32, torch.bfloat16, torch.float16, torch.float64):
        return found
    raise ParameterError(
        f"dtype={dtype!r} was given", 'Allowed: "float32", "bfloat16", "float16", "auto", or the torch dtype.'
    )


def own_dtype(config: Any, kind: Any) -> Any:
    """The torch dtype that a number type means for a checkpoint: "auto" is its own, where its config tells."""
    if kind != "auto":
        return kind
    own = getattr(config, "dtype", None)
    found = getattr(torch, own.removeprefix("torch."), None) if isinstance(own, str) else own
    return found if isinstance(found, torch.dtype) else "auto"
