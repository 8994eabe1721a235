"""``python -m explore.sketch.training COMMAND``: draw scenes, train a stage, write the shipped checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from huggingface_hub.constants import HF_HOME
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

from explore.errors import ParameterError
from explore.sketch.exams import FLOORS, run_exam
from explore.sketch.training.architecture import build_model, build_processor
from explore.sketch.training.batches import Batcher
from explore.sketch.training.card import write_card
from explore.sketch.training.fast_attention import use_training_attention
from explore.sketch.training.scene_store import SceneStore
from explore.sketch.training.shipping import SHIPPED, WEIGHTS, ship
from explore.sketch.training.stages import STAGES, run_stage
from explore.sketch.training.tokenizer import train_tokenizer

SCENES, CROWDS = 36_000, 14_000
DEFAULT_FOLDER = Path(HF_HOME).parent / "vlmscope" / "sketch-training"
Folder = Annotated[Path, typer.Option(help="Where scenes and checkpoints are kept.")]
Scenes = Annotated[int, typer.Option(help="How many scenes to draw and learn from.")]
Threads = Annotated[int | None, typer.Option(help="Processor threads; default: all.")]
app = typer.Typer(add_completion=False, help=__doc__)


def tokenizer_in(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of this training: learned on first use, always the same."""
    path = folder / "tokenizer"
    if not path.exists():
        train_tokenizer().save_pretrained(path)
    return PreTrainedTokenizerFast.from_pretrained(path)


@app.command()
def draw(folder: Folder = DEFAULT_FOLDER, scenes: Scenes = SCENES, workers: int | None = None) -> None:
    """Draw the training scenes; a stopped call goes on where it was."""
    for name in ("tower", "joint"):
        _store(name, folder, scenes).draw(workers)


def _store(stage_name: str, folder: Path, scenes: int) -> SceneStore:
    """The tower learns on crowded pictures, where half the patches show a thing; the others on scenes."""
    crowded = stage_name == "tower"
    return SceneStore(folder / "scenes", 0, CROWDS if crowded else scenes, crowded)


@app.command()
def stage(
    name: str,
    folder: Folder = DEFAULT_FOLDER,
    scenes: Scenes = SCENES,
    threads: Threads = None,
    warm: Annotated[
        Path | None, typer.Option(help="Start from this checkpoint folder instead of earlier stages.")
    ] = None,
) -> None:
    """Train one stage: tower, order, text, frozen, joint or polish; a stopped call goes on from its last checkpoint."""
    if name not in STAGES:
        raise ParameterError(f"There is no stage {name!r}", f"Stages are {', '.join(STAGES)}", "Pick one of these")
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    tokenizer = tokenizer_in(folder)
    store = _store(name, folder, scenes)
    store.draw()
    images = build_processor(tokenizer).image_processor
    batcher = Batcher(store, tokenizer, images.image_mean, images.image_std, seed=list(STAGES).index(name))
    model, chosen = build_model(tokenizer), STAGES[name]
    if warm is not None:
        model.load_state_dict(LlavaForConditionalGeneration.from_pretrained(warm, dtype=torch.float32).state_dict())
        chosen = replace(chosen, start=())
    use_training_attention(model)
    run_stage(chosen, model, batcher, folder)


@app.command(name="ship")
def ship_all(folder: Folder = DEFAULT_FOLDER) -> None:
    """Write the finished stages into the package as the shipped checkpoints."""
    for name in SHIPPED:
        if (folder / f"{name}.pt").exists():
            typer.echo(ship(name, folder, tokenizer_in(folder)))


@app.command()
def card(scenes: Annotated[int, typer.Option(help="Scenes of the exam.")] = 1000) -> None:
    """Examine both shipped checkpoints and write their card."""
    import explore

    results = [
        run_exam(explore.load(name), scenes, checkpoint=name, progress=lambda _, message: print(message))
        for name in FLOORS
    ]
    write_card(results, WEIGHTS)


@app.command(name="all")
def train_all(folder: Folder = DEFAULT_FOLDER, scenes: Scenes = SCENES, threads: Threads = None) -> None:
    """Draw, train every stage and write the shipped checkpoints."""
    for name in STAGES:
        stage(name, folder, scenes, threads)
    ship_all(folder)
    card()


if __name__ == "__main__":
    app()
