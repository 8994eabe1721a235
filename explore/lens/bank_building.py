"""Building a bank: select, plan, encode part by part, and write a manifest when all is there.

A part whose files are whole is never encoded again, so a build that was killed goes on where it stopped, and ends in
the same bytes as one that was not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from explore.errors import ParameterError
from explore.lens.bank_encoding import STORE_DTYPES, StoreDtype, encoded_part
from explore.lens.bank_files import (
    FORMAT,
    MANIFEST,
    MEANS,
    PLAN,
    ROWS,
    SENTENCES,
    VERSION,
    map_tensors,
    part_note_name,
    read_json,
    shard_name,
    sweep_unfinished,
    write_json,
    write_tensors,
)
from explore.lens.bank_folders import claimed_folder, require_same_settings
from explore.lens.bank_plan import BankPlan, Part
from explore.lens.bank_tables import write_rows, write_sentences
from explore.lens.banks import Bank, open_bank
from explore.lens.corpus_files import open_corpus
from explore.lens.layer_rule import CONVENTION, checked_layers
from explore.lens.selection import Selection, select
from explore.lens.selection_rule import Mode, SelectionRule
from explore.lens.tokenized_texts import tokenizer_hash
from explore.runs import Report, RunnerLike

_SELECTING = 0.05  # share of the work


def build_bank(
    runner: RunnerLike,
    corpus: Iterable[str] | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    layers: Sequence[int] | None = None,
    cap: int | None = None,
    seed: int = 0,
    dtype: StoreDtype = "float16",
    mode: Mode = "default",
    first_position: int | None = None,
    longest: int = 512,
    batch_tokens: int = 4096,
    part_rows: int = 16_384,
    progress: Report | None = None,
) -> Bank:
    """Store states of the tokens of a corpus as unit vectors; a stopped build goes on where it was.

    Source: arXiv 2602.00462 (LatentLens).

    Parameters
    ----------
    runner
        The model whose visual tokens are to be compared with the bank.
    corpus
        Sentences: an iterable of str, with a `name` if it has one, or the path of a text file or Parquet table.
    path
        Folder of the bank; made if it is not there.
    layers
        Which layers are stored, 0 (the decoder's input) to L (before the final norm); None goes by `contextual_layers`.
    cap, seed, mode, first_position, longest
        Which tokens become rows; see `SelectionRule`.
    dtype
        "float16", or "int8" with one factor per row: half the size, cosines right to three digits.
    batch_tokens
        Most tokens of one forward pass, padding included.
    part_rows
        About how many rows a file has.
    progress
        Called with the fraction done and a message.

    Returns
    -------
    Bank
        Opened; a bank that is there already is opened as it is.

    Raises
    ------
    ParameterError
        A parameter has no such value, the corpus holds nothing that can be a row, or the folder holds something else.
    CheckpointError
        The model has states that are not finite.
    BankFileError
        A file cannot be written; what was written stays, and building again goes on from there.
    """
    _require(dtype in STORE_DTYPES, f"dtype={dtype!r} was given", f"It is {' or '.join(STORE_DTYPES)}.")
    _require(batch_tokens >= 1, f"batch_tokens={batch_tokens} was given", "It is at least 1.")
    _require(part_rows >= 1, f"part_rows={part_rows} was given", "It is at least 1.")
    stored = checked_layers(layers, runner.info.layers)
    tokenizer = tokenizer_hash(runner.language, runner.info.vocab)
    longest = min(longest, runner.info.context_length) if runner.info.context_length else longest
    rule = SelectionRule(mode, cap, seed, tokenizer, first_position, longest)
    folder = claimed_folder(path)
    source = open_corpus(corpus) if isinstance(corpus, (str, os.PathLike)) else corpus
    selection = select(runner.language, source, rule, progress=progress)
    _require_rows(selection)
    plan = BankPlan(selection, part_rows, batch_tokens)
    settings = _settings(runner, source, plan, stored, dtype)
    if require_same_settings(folder, settings):
        for left in [*folder.glob("part-*.json"), folder / PLAN]:
            left.unlink(missing_ok=True)
        return open_bank(folder, runner)
    sweep_unfinished(folder)
    write_json(folder / PLAN, settings)
    files = {ROWS: write_rows(folder, plan, runner.language), SENTENCES: write_sentences(folder, plan)}
    for part in plan.parts:
        files |= _part_files(folder, runner, plan, part, stored, dtype, progress)
    _finish(folder, settings, plan, files)
    return open_bank(folder, runner)


def _settings(
    runner: RunnerLike, corpus: Any, plan: BankPlan, layers: Sequence[int], dtype: StoreDtype
) -> dict[str, Any]:
    """Everything that decides the bytes of a bank."""
    selection = plan.selection
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": runner.fingerprint,
        "forward_dtype": runner.info.dtype,
        "tokenizer": selection.rule.tokenizer,
        "layers": list(layers),
        "layer_convention": CONVENTION,
        "width": runner.info.width,
        "store_dtype": dtype,
        "corpus": {
            "name": str(getattr(corpus, "name", None) or type(corpus).__name__),
            "source": getattr(corpus, "fingerprint", None),
            "sentences": selection.seen,
            "tokens": selection.tokens,
            "hash": f"{selection.corpus_hash:032x}",
        },
        "selection": {**selection.rule.to_json(), "digest": selection.digest},
        "rows": len(selection),
        "sentences": len(plan.texts),
        "batch_tokens": plan.batch_tokens,
        "parts": [len(part.rows) for part in plan.parts],
    }


def _part_files(
    folder: Path,
    runner: RunnerLike,
    plan: BankPlan,
    part: Part,
    layers: Sequence[int],
    dtype: StoreDtype,
    progress: Report | None,
) -> dict[str, Any]:
    """What the manifest notes of one part's files, which are made unless they are there."""
    note = folder / part_note_name(part.number)
    if note.is_file():
        known = read_json(note)
        sizes = {name: (folder / name).stat().st_size for name in known if (folder / name).is_file()}
        if sizes == {name: each["bytes"] for name, each in known.items()}:
            return known

    def check(done: int) -> None:
        if progress is not None:
            share = (part.sentences.start + done) / len(plan.texts)
            message = f"part {part.number + 1} of {len(plan.parts)} encoded"
            progress(_SELECTING + (1 - _SELECTING) * share, message)

    made = encoded_part(runner.language, plan, part, layers, runner.info.width, dtype, check)
    files = {
        shard_name(layer, part.number): write_tensors(folder / shard_name(layer, part.number), tensors)
        for layer, tensors in made.items()
    }
    write_json(note, files)
    return files


def _finish(folder: Path, settings: dict[str, Any], plan: BankPlan, files: dict[str, Any]) -> None:
    """Write the means and the manifest, then remove what only the building needed."""
    means, norms = {}, {}
    for layer in settings["layers"]:
        shards = [map_tensors(folder / shard_name(layer, part.number)) for part in plan.parts]
        total = np.sum([each["sum"].numpy() for each in shards], axis=0)
        means[str(layer)] = torch.from_numpy(total / settings["rows"]).float()
        sizes = np.concatenate([each["norms"].numpy() for each in shards]).astype(np.float64)
        low, median, high = np.quantile(sizes, (0, 0.5, 1)).tolist()
        norms[str(layer)] = {"min": low, "median": median, "mean": float(sizes.mean()), "max": high}
    files = {**files, MEANS: write_tensors(folder / MEANS, means)}
    write_json(folder / MANIFEST, {**settings, "norms": norms, "files": dict(sorted(files.items()))})
    for left in [*(folder / part_note_name(part.number) for part in plan.parts), folder / PLAN]:
        left.unlink(missing_ok=True)


def _require_rows(selection: Selection) -> None:
    _require(selection.seen > 0, "The corpus is empty", "It holds at least one sentence.")
    _require(
        len(selection) > 0,
        f"None of the {selection.tokens} tokens of {selection.seen} sentences can be a row",
        f"Rows are tokens from position {selection.rule.first_position} on"
        + (" that are no control tokens." if selection.rule.mode == "default" else "."),
    )


def _require(condition: bool, received: str, allowed: str) -> None:
    if not condition:
        raise ParameterError(received, allowed)
