"""Weights spread over several devices: which maps may be asked for, and where the weights of a loaded model lie.

accelerate moves what a part needs to where the part computes. Parts that lie on the disk, or in main memory beside a
GPU, come to a device only while they run: their weights cannot be read at other times.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import nn

from explore.errors import DeviceError, ParameterError
from explore.models.devices import resolve_device, resolve_dtype
from explore.models.quantization import checked_quantization

DeviceMap: TypeAlias = str | dict[str, str]

SPREADS = ("auto", "balanced", "balanced_low_0", "sequential")
_ALLOWED = (
    f"Allowed are {', '.join(SPREADS)}, or a dict from names of parts to devices, such as "
    '{"": "cuda:0", "model.language_model": "cuda:1"}; "disk" leaves a part on the disk.'
)


def checked_device_map(device_map: Any, device: Any = None) -> DeviceMap | None:
    """The map meant, devices in one spelling; None where the whole model goes to one device.

    Parameters
    ----------
    device_map
        One of `SPREADS`, or a device for every part by name.
    device
        What was asked for beside it.

    Raises
    ------
    ParameterError
        There is no such map, or a device was asked for too.
    DeviceError
        A device of it is not there.
    """
    if device_map is None:
        return None
    if device is not None:
        raise ParameterError(
            f"device={device!r} and device_map={device_map!r:.80} were given",
            "A model goes to one device, or is spread by a map.",
            "Leave one of them out.",
        )
    if isinstance(device_map, str) and device_map in SPREADS:
        return device_map
    if not isinstance(device_map, dict) or not device_map or not all(isinstance(part, str) for part in device_map):
        raise ParameterError(f"device_map={device_map!r:.80} was given", _ALLOWED, 'For one device use device="...".')
    found = {part: "disk" if each == "disk" else _device(each) for part, each in device_map.items()}
    if set(found.values()) == {"disk"}:
        raise ParameterError(
            f"device_map={device_map!r:.80} was given, which leaves everything on the disk",
            "One part at least lies on a device that computes.",
            'device_map="auto" leaves on the disk only what fits nowhere else.',
        )
    return found


def main_device(device_map: DeviceMap | None, device: Any = None) -> torch.device:
    """The device that computes, or the first of several.

    Raises
    ------
    DeviceError
        It is not a device, or this machine does not have it.
    """
    if not isinstance(device_map, dict):
        return resolve_device(device)
    places = [each for each in device_map.values() if each != "disk"]
    return torch.device(next((each for each in places if each != "cpu"), places[0]))


def spelled_out(
    device: Any, dtype: Any, device_map: Any = None, quantization: Any = None
) -> tuple[str, str, str | None, str | None]:
    """Device, dtype, map and quantisation of a request in one spelling, whatever words it was made in.

    Raises
    ------
    DeviceError, ParameterError
        One of them cannot be.
    """
    spread = checked_device_map(device_map, device)
    where = main_device(spread, device)
    mapped = json.dumps(spread, sort_keys=True) if isinstance(spread, dict) else spread
    numbers = str(resolve_dtype(dtype, where)).removeprefix("torch.")
    return str(where), numbers, mapped, checked_quantization(quantization)


def loaded_spread(load: Callable[[str], Any]) -> Any:
    """What `load` makes with a folder for weights on the disk; the folder goes when the model does.

    Only weights that have to be written anew come to lie there; most are read where the checkpoint is.
    """
    folder = tempfile.mkdtemp(prefix="vlmscope-weights-")
    try:
        model = load(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(model, shutil.rmtree, folder, ignore_errors=True)
    return model


def places_of(model: nn.Module) -> tuple[tuple[str, int], ...]:
    """Where a model's weights and buffers lie, and how many bytes in each place; tied weights count once.

    Returns
    -------
    tuple
        ("cuda:0", bytes) and so on, in the order of the model; what lies on the disk or waits in main memory is
        "disk" and "cpu".
    """
    mapped: dict[str, Any] = getattr(model, "hf_device_map", None) or {}
    found: dict[str, int] = {}
    named: dict[int, tuple[str, torch.Tensor]] = {}
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        named.setdefault(id(tensor), (name, tensor))
    for name, tensor in named.values():
        place = _mapped(name, mapped) if tensor.is_meta else str(tensor.device)
        found[place] = found.get(place, 0) + tensor.numel() * tensor.element_size()
    return tuple(found.items())


def input_device(model: Any) -> torch.device:
    """Where a model's inputs go: where it lies, or where accelerate lets its first part compute.

    The weights of a part that was left in main memory or on the disk are nowhere until it runs.
    """
    hook = getattr(model, "_hf_hook", None)
    for each in getattr(hook, "hooks", [hook]):
        computing = getattr(each, "execution_device", None)
        if computing is not None:
            return torch.device(f"cuda:{computing}" if isinstance(computing, int) else computing)
    lies: torch.device = model.device
    return lies


def readable(module: nn.Module | None) -> nn.Linear | None:
    """The module where it is a linear map whose weights can be read; quantised, offloaded and others only compute."""
    if type(module) is nn.Linear and module.weight.is_floating_point() and not module.weight.is_meta:
        return module
    return None


def _device(device: Any) -> str:
    """One device of a map; a number is a GPU, as in accelerate's own maps.

    Raises
    ------
    ParameterError, DeviceError
        There is no such.
    """
    if device is None or device == "auto":
        raise ParameterError(f"device_map sends a part to {device!r}", _ALLOWED)
    try:
        return str(resolve_device(f"cuda:{device}" if type(device) is int else device))
    except DeviceError as error:
        raise DeviceError(error.received, f'{error.allowed} In a device_map also "disk".', error.next) from error


def _mapped(name: str, mapped: dict[str, Any]) -> str:
    """Where a map sends a tensor: the longest part of its name that the map knows."""
    parts = [part for part in mapped if not part or name == part or name.startswith(f"{part}.")]
    place = mapped[max(parts, key=len)] if parts else "meta"
    return f"cuda:{place}" if isinstance(place, int) else str(place)
