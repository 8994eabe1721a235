"""From a training checkpoint to the folder that ships: half-precision safetensors, processor, provenance."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from explore.sketch.training.architecture import build_model, build_processor
from explore.sketch.training.stages import STAGES

WEIGHTS = Path(__file__).parents[1] / "weights"
SHIPPED = {"polish": "default", "frozen": "frozen"}
"""Stage -> folder under ``explore/sketch/weights``."""


def ship(stage: str, folder: Path, tokenizer: PreTrainedTokenizerFast, target: Path | None = None) -> Path:
    """Write the result of a stage as an ordinary checkpoint folder, in one move.

    The weights are stored in float16, half the bytes of what they were trained in; the exam is taken on what is
    stored. ``training.json`` beside them says how long every stage behind them took.
    """
    state = torch.load(folder / f"{stage}.pt", weights_only=True)
    model = build_model(tokenizer)
    model.load_state_dict(state["model"])
    target = target or WEIGHTS / SHIPPED[stage]
    draft = target.with_name(target.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    model.half().save_pretrained(draft)
    build_processor(tokenizer).save_pretrained(draft)
    (draft / "training.json").write_text(json.dumps(costs(folder, stage), indent=2) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    os.replace(draft, target)
    return target


def costs(folder: Path, last: str) -> dict[str, Any]:
    """Steps and seconds of every stage up to ``last``: as trained in ``folder``, else as the shipped weights record it.

    The second is for a stage that started from a shipped checkpoint (``--warm``).
    """
    names = list(STAGES)
    record = WEIGHTS / SHIPPED["frozen"] / "training.json"
    known: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
    found = {}
    for name in names[: names.index(last) + 1]:
        if (folder / f"{name}.pt").exists():
            state = torch.load(folder / f"{name}.pt", weights_only=True)
            found[name] = {"steps": int(state["step"]), "seconds": round(float(state["seconds"]))}
        elif name in known:
            found[name] = known[name]
    return found
