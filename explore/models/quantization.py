"""Weights in 8 or 4 bits, by bitsandbytes where it is installed and runs on the device."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn
from transformers import BitsAndBytesConfig
from transformers.utils import is_bitsandbytes_available

from explore.errors import CheckpointError, ParameterError

QUANTIZATIONS = ("8bit", "4bit")
_INSTALL = "pip install -U bitsandbytes"


def checked_quantization(quantization: Any) -> str | None:
    """The quantisation meant, None for none.

    Raises
    ------
    ParameterError
        There is no such.
    """
    if quantization is None or quantization in QUANTIZATIONS:
        found: str | None = quantization
        return found
    raise ParameterError(
        f"quantization={quantization!r} was given",
        'Allowed are "8bit", "4bit" and None.',
        "Checkpoints that come quantised need no word for it: they load as they are.",
    )


def missing_for(where: torch.device) -> str | None:
    """What stands between a device and quantised weights, as a sentence without its full stop; None if nothing does."""
    if find_spec("bitsandbytes") is None:
        return "bitsandbytes, which does it, is not installed"
    if not is_bitsandbytes_available():
        return f"bitsandbytes {_installed()} is older than the library wants"
    try:
        import bitsandbytes
    except Exception as error:  # a package built for another CUDA fails in many ways
        return f"bitsandbytes {_installed()} cannot be imported: {str(error)[:200]}"
    known: set[str] = getattr(bitsandbytes, "supported_torch_devices", set())
    if where.type not in known:
        return f"bitsandbytes {_installed()} does not run on '{where.type}', only on {', '.join(sorted(known))}"
    return None


def way_to(kind: str, where: torch.device) -> str | None:
    """How weights of this kind are asked for on a device, None where bitsandbytes is there but does not run on it."""
    words = f'quantization="{kind}"'
    if find_spec("bitsandbytes") is None:
        return f"{words} after `{_INSTALL}`"
    return words if missing_for(where) is None else None


def bitsandbytes_config(kind: str, numbers: Any, where: torch.device, own: Any) -> BitsAndBytesConfig:
    """What tells the library to quantise while it loads.

    Parameters
    ----------
    kind
        One of `QUANTIZATIONS`.
    numbers
        Torch dtype of what is computed; bfloat16 where it is not known ("auto").
    where
        The device that computes.
    own
        The checkpoint's own quantisation, None where it has none.

    Raises
    ------
    ParameterError
        The checkpoint is quantised already.
    CheckpointError
        It cannot be done on this machine; the message names what is missing and what to do instead.
    """
    if own is not None:
        raise ParameterError(
            f"quantization={kind!r} was given for a checkpoint that is quantised already ({_method(own)})",
            "Quantising twice is not possible.",
            "Leave quantization=None: it loads as it is.",
        )
    missing = missing_for(where)
    if missing is not None:
        raise CheckpointError(
            f"Weights cannot be loaded in {kind}: {missing}",
            'Without it, dtype="bfloat16" takes half of what float32 does, and device_map="auto" all memory there is.',
            f"Install it with: {_INSTALL}",
        )
    return BitsAndBytesConfig(
        load_in_8bit=kind == "8bit",
        load_in_4bit=kind == "4bit",
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=numbers if isinstance(numbers, torch.dtype) else torch.bfloat16,
    )


def leave_unpacked(model: nn.Module) -> None:
    """Keep bitsandbytes from packing 4-bit weights anew for some processors.

    That form takes only matrices whose sides are multiples of 32 and 64, which SigLIP's are not, and rounds their
    scales to bfloat16.
    """
    each: Any
    for each in model.modules():
        if getattr(each, "support_avx512bf16_for_cpu", False):
            each.support_avx512bf16_for_cpu = False


def quantization_of(config: Any) -> str:
    """How a loaded model's weights are quantised, from its config: "8bit", "4bit", another method's name, or ""."""
    own = getattr(config, "quantization_config", None)
    return "" if own is None else _method(own)


def _method(own: Any) -> str:
    """The name of a quantisation config, which is an object in a loaded model and a dict in a file."""
    fields = own if isinstance(own, dict) else own.to_dict()
    for kind in QUANTIZATIONS:
        if fields.get(f"load_in_{kind}"):
            return kind
    name = fields.get("quant_method", "quantised")
    return str(getattr(name, "value", name))


def _installed() -> str:
    try:
        return version("bitsandbytes")
    except PackageNotFoundError:
        return "without a version"
