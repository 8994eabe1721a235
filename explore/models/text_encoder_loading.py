"""From a name to a text encoder, with every failure put into words."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoTokenizer

from explore.errors import CheckpointError
from explore.models.devices import resolve_device, resolve_dtype
from explore.models.failures import explaining
from explore.models.fingerprints import folder_revision
from explore.models.guards import memory_errors
from explore.models.sources import checkpoint_name, folder_of, locate
from explore.models.text_encoder_kinds import encoder_class
from explore.models.text_encoders import TextEncoder

_USE_LESS = 'Use dtype="bfloat16", or a smaller encoder, such as CLIP or T5-small in place of T5-XXL.'


def load_text_encoder(
    checkpoint: str | os.PathLike[str],
    *,
    subfolder: str = "",
    tokenizer_subfolder: str = "",
    revision: str | None = None,
    dtype: Any = None,
    device: Any = None,
    trust_remote_code: bool = False,
    lock: Any = None,
) -> TextEncoder:
    """Load a text encoder and its tokenizer.

    Parameters
    ----------
    checkpoint
        A folder or a name on the hub: of an encoder, or of a whole image pipeline.
    subfolder, tokenizer_subfolder
        Where in a pipeline they lie, such as "text_encoder_2" and "tokenizer_2".
    revision, dtype, device, trust_remote_code
        As for `explore.load`.
    lock
        See `TextEncoder`.

    Raises
    ------
    CheckpointError, RemoteCodeError, DeviceError, ParameterError, OutOfMemoryError
        As for `explore.load`.
    """
    where = resolve_device(device)
    numbers, name = resolve_dtype(dtype, where), checkpoint_name(checkpoint)
    source, options = _located(name, subfolder, revision)
    words, word_options = _located(name, tokenizer_subfolder or ("" if not subfolder else "tokenizer"), revision)
    for each in (options, word_options):
        each["trust_remote_code"] = bool(trust_remote_code)
    with explaining(name, options), memory_errors(f"Loading '{name}'", "Nothing of it is kept.", _USE_LESS):
        config = AutoConfig.from_pretrained(source, **options)
        model, report = _model(config, source, {**options, "dtype": numbers})
        tokenizer = AutoTokenizer.from_pretrained(words, **word_options)
    lacking = sorted(str(key) for key in report["missing_keys"])
    if lacking:
        raise CheckpointError(
            f"The checkpoint '{name}' lacks {len(lacking)} of the weights of its text encoder, such as {lacking[0]}",
            "It would run with random parts.",
            "Give the subfolder that holds the text encoder, or download the checkpoint again.",
        )
    found = folder_revision(Path(source)) if Path(source).is_dir() else getattr(config, "_commit_hash", None)
    return TextEncoder(model.to(where), tokenizer, checkpoint=name, revision=str(found or revision or ""), lock=lock)


def _model(config: Any, source: str, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The model with its weights, and what was missing of them."""
    load = partial(encoder_class(config).from_pretrained, source, output_loading_info=True, **options)
    try:
        made: tuple[Any, dict[str, Any]] = load(attn_implementation="sdpa")
    except ValueError as error:
        if "scaled_dot_product_attention" not in str(error):
            raise
        made = load()  # Gemma-2 is known to eager attention only, for its soft cap
    return made


def _located(name: str, subfolder: str, revision: str | None) -> tuple[str, dict[str, Any]]:
    """Where a part of a checkpoint is, and what to tell the library.

    Raises
    ------
    CheckpointError
        There is no such folder.
    """
    folder = folder_of(name)
    if folder.is_dir() and subfolder:
        inside = folder / subfolder
        if not inside.is_dir():
            raise CheckpointError(
                f"The folder '{name}' holds no '{subfolder}'",
                "A pipeline's folder holds one for each of its parts.",
                "Give subfolder= and tokenizer_subfolder=.",
            )
        return str(inside), {"local_files_only": True}
    source, options = locate(name, revision)
    return source, {**options, "subfolder": subfolder} if subfolder else options
