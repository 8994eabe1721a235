"""The stages of the training, each resumable: tower, order, text, frozen, joint, polish.

text     the decoder learns the language from scenes put into words, patch by patch or as prose
tower    the vision tower learns to name what each patch of a crowded picture shows
order    and on scenes, which thing comes first, second … from the left and from the top
frozen   tower and projector learn to speak to the unchanged decoder
joint    everything is tuned together
polish   the same for longer, at a rate that no longer undoes what was learned
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress, TextColumn
from torch import nn
from transformers import LlavaForConditionalGeneration

from explore.sketch.training.batches import Batcher
from explore.sketch.training.master_weights import MasterWeights
from explore.sketch.training.objectives import (
    DenseHeads,
    NounHeads,
    alignment_loss,
    answer,
    tower_states,
    word_embeddings,
)
from explore.sketch.training.tally import Tally


@dataclass(frozen=True)
class Stage:
    """How long and how fast one stage learns."""

    name: str
    scenes: int
    batch: int
    rate: float
    trains: tuple[str, ...]
    """Parts that learn: "tower", "projector", "decoder"."""
    start: tuple[str, ...]
    """Earlier stages whose result this one starts from, later ones overriding earlier ones."""


STAGES = {
    stage.name: stage
    for stage in (
        Stage("tower", 28_000, 16, 2.5e-3, ("tower",), ()),
        Stage("order", 16_000, 16, 2e-3, ("tower",), ("tower",)),
        Stage("text", 24_000, 16, 4e-3, ("decoder",), ()),
        Stage("frozen", 7_200, 16, 2e-3, ("tower", "projector"), ("order", "text")),
        Stage("joint", 9_600, 16, 2e-3, ("tower", "projector", "decoder"), ("text", "frozen")),
        Stage("polish", 36_800, 16, 1e-3, ("tower", "projector", "decoder"), ("joint",)),
    )
}


class Heads(nn.Module):
    """What training reads the model's inside with."""

    def __init__(self, model: LlavaForConditionalGeneration) -> None:
        super().__init__()
        self.dense = DenseHeads(model.config.vision_config.hidden_size)
        self.noun = NounHeads(model.config.text_config.hidden_size)


def parts(model: LlavaForConditionalGeneration) -> dict[str, list[nn.Module]]:
    """The three parts of a LLaVA."""
    inner = model.model
    return {
        "tower": [inner.vision_tower],
        "projector": [inner.multi_modal_projector],
        "decoder": [inner.language_model, model.lm_head],
    }


def losses(
    stage: Stage, model: LlavaForConditionalGeneration, heads: Heads, batcher: Batcher, step: int, tally: Tally
) -> dict[str, torch.Tensor]:
    """The terms that the stage adds up at this step; answers that were right go into ``tally``."""
    if stage.name == "text":
        prose = step % 4 == 3
        batch = batcher.batch(step, stage.batch, prose=prose, pixels=False, drop=0.05)
        answers = answer(model, batch, None if prose else word_embeddings(model, batch.bags))
        if not prose:
            tally.add(batch, answers.hit)
        return {"answers": answers.loss, "nouns": 0.2 * heads.noun(answers.states, batch)}
    batch = batcher.batch(step, stage.batch)
    patches, cls = tower_states(model, batch.pixels)
    dense = heads.dense(patches, cls, batch.dense)
    if stage.trains == ("tower",):
        return {"dense": dense}
    visual = model.model.multi_modal_projector(patches)
    aligned = alignment_loss(visual, word_embeddings(model, batch.bags))
    weight = 1.0 if stage.name == "frozen" else 0.3
    answers = answer(model, batch, visual)
    tally.add(batch, answers.hit)
    nouns = heads.noun(answers.states, batch)
    return {"answers": answers.loss, "nouns": 0.2 * nouns, "dense": 0.3 * dense, "aligned": weight * aligned}


def rate_at(fraction: float) -> float:
    """Share of the full learning rate: a short warm-up, then a straight line down to almost nothing."""
    return min(1.0, fraction / 0.03 + 0.02) * (1.02 - fraction) / 1.02


def run_stage(
    stage: Stage,
    model: LlavaForConditionalGeneration,
    batcher: Batcher,
    folder: Path,
    *,
    report: int = 50,
    until: int | None = None,
) -> None:
    """Train one stage to its end, going on from its last checkpoint; writes ``folder/NAME.pt`` and ``NAME.jsonl``.

    Parameters
    ----------
    report
        Steps between two lines of the log.
    until
        Stop after this step, as if the machine had gone away, but with a checkpoint.
    """
    heads = Heads(model)
    for earlier in stage.start:
        _load_parts(model, heads, folder / f"{earlier}.pt", STAGES[earlier].trains)
    for name, modules in parts(model).items():
        for module in modules:
            module.requires_grad_(name in stage.trains).train(name in stage.trains)
    weights = MasterWeights({"model": model, "heads": heads}, stage.rate)
    checkpoint = folder / f"{stage.name}.pt"
    step, seconds = _resume(checkpoint, weights)
    steps = stage.scenes // stage.batch
    started, saved = time.monotonic() - seconds, time.monotonic()
    tally = Tally()
    with Progress(*Progress.get_default_columns(), TextColumn("{task.fields[terms]}")) as progress:
        task = progress.add_task(stage.name, total=steps, completed=step, terms="")
        while step < min(steps, until or steps):
            terms = losses(stage, model, heads, batcher, step, tally)
            torch.stack(list(terms.values())).sum().backward()
            weights.step(stage.rate * rate_at(step / steps))
            step += 1
            progress.advance(task)
            if step % report == 0:
                values = {name: round(float(value.detach()), 4) for name, value in terms.items()}
                values |= tally.shares()
                _log(folder / f"{stage.name}.jsonl", {"step": step, "seconds": time.monotonic() - started, **values})
                progress.update(task, terms=str(values))
            if time.monotonic() - saved > 120 or step in (steps, until):
                saved = time.monotonic()
                _save(checkpoint, {**weights.state(), "step": step, "seconds": saved - started})


def _save(path: Path, state: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)


def _resume(path: Path, weights: MasterWeights) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, weights_only=True)
    weights.restore(state)
    return int(state["step"]), float(state["seconds"])


def _load_parts(model: LlavaForConditionalGeneration, heads: Heads, path: Path, names: tuple[str, ...]) -> None:
    """Take over only what that stage trained."""
    state = torch.load(path, weights_only=True)
    donor = {key: value for key, value in state["model"].items() if _part_of(key) in names}
    model.load_state_dict(donor, strict=False)
    taught = {"tower": "dense.", "decoder": "noun."}
    prefixes = tuple(prefix for part, prefix in taught.items() if part in names)
    heads.load_state_dict({k: v for k, v in state["heads"].items() if k.startswith(prefixes)}, strict=False)


def _part_of(key: str) -> str:
    if "vision_tower" in key:
        return "tower"
    return "projector" if "multi_modal_projector" in key else "decoder"


def _log(path: Path, entry: dict[str, float]) -> None:
    with contextlib.suppress(OSError), path.open("a") as file:
        file.write(json.dumps(entry) + "\n")
