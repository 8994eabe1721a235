"""From a name to a runner, with every failure put into words."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModelForImageTextToText
from transformers.utils import logging

from explore.errors import CheckpointError
from explore.models.devices import own_dtype, resolve_dtype
from explore.models.failures import explaining
from explore.models.families import require_family
from explore.models.fingerprints import folder_revision
from explore.models.fitting import require_fit, spread_memory
from explore.models.guards import memory_errors
from explore.models.placement import checked_device_map, loaded_spread, main_device
from explore.models.processors import load_processor
from explore.models.quantization import bitsandbytes_config, checked_quantization, leave_unpacked
from explore.models.runner import Runner
from explore.models.sources import SHIPPED, checkpoint_name, locate
from explore.models.stored import stored_tensors

_USE_LESS = (
    'Use less of it: dtype="bfloat16", quantization="4bit" or device_map="auto"; or close other models first: '
    "explore.session().close()."
)


def load_runner(
    checkpoint: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    dtype: Any = None,
    device: Any = None,
    device_map: Any = None,
    quantization: str | None = None,
    trust_remote_code: bool = False,
    lock: Any = None,
    cache: Any = None,
) -> Runner:
    """Load a checkpoint and its processor.

    Parameters
    ----------
    checkpoint
        A folder, a name on the hub, "sketch" (None: the model that ships) or "sketch-frozen".
    revision
        Branch, tag or commit on the hub.
    dtype
        Number type of the weights, such as "bfloat16"; "auto" is the checkpoint's own. None means float32 on the CPU
        and the checkpoint's own elsewhere.
    device
        "cpu", "cuda", "cuda:1", ...; None or "auto" takes a GPU if there is one.
    device_map
        In place of a device: "auto", "balanced", "balanced_low_0" or "sequential" spread the weights over all GPUs,
        then main memory, then the disk; a dict says which part goes where.
    quantization
        "8bit" or "4bit" by bitsandbytes while loading; None leaves the weights as they are.
    trust_remote_code
        Whether a checkpoint may run Python code of its own.
    lock, cache
        The session's, see `Runner`.

    Raises
    ------
    CheckpointError
        Not found, unreadable, or of no known family.
    RemoteCodeError
        The checkpoint wants to run code of its own and was not allowed to.
    DeviceError
        The device is not there.
    ParameterError
        One of the arguments cannot be used, or not with another.
    OutOfMemoryError
        The weights do not fit; the message says by how much, and what would.
    """
    spread, quantized = checked_device_map(device_map, device), checked_quantization(quantization)
    where = main_device(spread, device)
    kind = resolve_dtype(dtype, where)
    name = checkpoint_name(checkpoint)
    source, options = locate(name, revision)
    options["trust_remote_code"] = bool(trust_remote_code)
    config = _loaded(name, AutoConfig, source, options)
    require_family(config)
    numbers, how = own_dtype(config, kind), {"dtype": kind}
    if quantized is not None:
        own = getattr(config, "quantization_config", None)
        how["quantization_config"] = bitsandbytes_config(quantized, numbers, where, own)
    load = partial(_model, name, source, options, **how)
    if spread is None:
        tensors = stored_tensors(name, revision, online=not options["local_files_only"])
        require_fit(name, tensors, where, numbers, quantized)
        model = load(device_map=where)
    else:
        model = loaded_spread(lambda folder: load(device_map=spread, offload_folder=folder, max_memory=spread_memory()))
    with explaining(name, options):
        processor = load_processor(source, options)
    found = folder_revision(Path(source)) if Path(source).is_dir() else getattr(config, "_commit_hash", None)
    return Runner(model, processor, checkpoint=name, revision=str(found or revision or ""), lock=lock, cache=cache)


def _model(name: str, source: str, options: dict[str, Any], **how: Any) -> Any:
    """The model with its weights, every one of them from the checkpoint."""
    memory = memory_errors(f"Loading '{name}'", "Nothing of it is kept.", _USE_LESS)
    with memory, _quiet() if name in SHIPPED else nullcontext():
        load = partial(_loaded, name, AutoModelForImageTextToText, source, options, output_loading_info=True, **how)
        try:
            model, report = load(attn_implementation="sdpa")
        except CheckpointError as error:
            if "scaled_dot_product_attention" not in str(error):
                raise
            model, report = load()  # a part of it knows eager attention only; the library then takes that for all
    _require_weights(name, report)
    leave_unpacked(model)
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar for weights that are read within a blink; in a notebook it would stay as an empty widget."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _require_weights(name: str, report: dict[str, Any]) -> None:
    """Refuse a model whose gaps the library filled with random weights; warn of layers it left out.

    Left out may be what only training needs, such as layers that predict several tokens at once.

    Raises
    ------
    CheckpointError
        Naming how many are missing, and one of them.
    """
    lacking = sorted(str(key) for key in report["missing_keys"])
    if lacking:
        raise CheckpointError(
            f"The checkpoint '{name}' lacks {len(lacking)} of the weights its config asks for, such as {lacking[0]}",
            "It would run with random parts.",
            "Download or save the checkpoint again, config.json and weights together.",
        )
    surplus = sorted(key for key in map(str, report["unexpected_keys"]) if ".layers." in key and "inv_freq" not in key)
    if surplus:
        warnings.warn(
            f"The config of '{name}' has no place for {len(surplus)} weights of layers, such as {surplus[0]}",
            stacklevel=3,
        )


def _loaded(name: str, kind: Any, source: str, options: dict[str, Any], **more: Any) -> Any:
    """One part of a checkpoint, by one of the library's automatic classes."""
    with explaining(name, options):
        return kind.from_pretrained(source, **options, **more)
