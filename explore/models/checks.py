"""What a model must pass when it loads: one small recorded run that shows the family's parts are the right ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from PIL import Image

from explore.errors import CheckpointError
from explore.models.families.base import Family
from explore.models.guards import is_memory_error
from explore.models.heads import OutputHead, fitted_head
from explore.models.inputs import prepare
from explore.models.plans import RecordingPlan
from explore.models.prompts import PromptWriter
from explore.models.recorder import Recorder


def checked_head(family: Family, writer: PromptWriter) -> OutputHead:
    """Run one probe and return the head that explains its logits.

    Checked are the prompt and its grids, that every decoder layer was entered, that the final norm and the head are the
    model's last steps, and that recorded attention rows are distributions.

    Raises
    ------
    CheckpointError
        One of these is not so; the message says which.
    """
    layers = len(family.layers)
    pictures = [Image.new("RGB", (64, 48), (120, 140, 90))] * (family.pictures or 1)
    inputs = prepare(family, writer.write("What is this?", len(pictures)), pictures)
    recorder = Recorder(family, RecordingPlan(hidden="all", attention="answer"), inputs.length)
    with recorder.recording(), _explained(family):
        logits = family.model(**family.on_device(inputs.tensors), use_cache=False, logits_to_keep=1).logits[0]
    states, normed = recorder.hidden_states(inputs.length), recorder.normed(inputs.length)
    if any(values.shape != (inputs.length, family.text_config.hidden_size) for values in states.values()):
        raise CheckpointError(
            f"The {layers} decoder layers of {type(family.model).__name__} do not all see one state per position",
            "",
            "The family needs a file in explore/models/families that names its layers.",
        )
    # Where several streams run side by side, hidden states are their mean, which no norm reads.
    if family.streams == 1 and not torch.equal(family.final_norm(recorder.before_norm(inputs.length)[None])[0], normed):
        raise CheckpointError(f"The final norm of {type(family.model).__name__} gives another result when asked again")
    rows, _ = recorder.attention_rows(inputs.length)
    for layer, weights in rows.items():
        if abs(float(weights.astype("float32").sum(-1).mean()) - 1) > 1e-2:
            raise CheckpointError(f"Attention rows recorded in layer {layer} do not sum to one")
    configs = [family.text_config, family.model.config]
    return fitted_head(family.head, configs, normed[-1:], logits[-1:])


@contextmanager
def _explained(family: Family) -> Iterator[None]:
    """What a model raises over its inputs, in words.

    Raises
    ------
    CheckpointError
        Model and processor do not fit together.
    """
    try:
        yield
    except (ValueError, RuntimeError, IndexError, TypeError, KeyError) as error:
        if is_memory_error(error):
            raise
        raise CheckpointError(
            f"{type(family.model).__name__} does not take what {type(family.processor).__name__} makes: {error}",
            "Model and processor must belong together.",
            "Load both from one checkpoint.",
        ) from error
