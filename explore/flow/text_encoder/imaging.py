"""Images from states of a prompt, by any pipeline that takes `prompt_embeds`; nothing inside the pipeline is changed.

diffusers is an optional extra: only `load_pipeline` needs it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from explore.errors import CheckpointError, ParameterError
from explore.prompt_states import PromptStates

SEEDS = (42, 43, 44, 45)


def load_pipeline(checkpoint: str, **options: Any) -> Any:
    """A pipeline of diffusers by name or folder; `options` go to its `from_pretrained`.

    Raises
    ------
    CheckpointError
        diffusers is not installed, or cannot load it.
    """
    try:
        diffusers = import_module("diffusers")
    except ImportError as error:
        raise CheckpointError(
            "diffusers is not installed",
            "Images are made by its pipelines; everything about the text encoder works without them.",
            "Install it with: pip install diffusers",
        ) from error
    try:
        return diffusers.AutoPipelineForText2Image.from_pretrained(checkpoint, **options)
    except Exception as error:  # whatever a damaged or missing checkpoint makes of it
        raise CheckpointError(
            f"The pipeline '{checkpoint}' cannot be loaded: {' '.join(str(error).split())[:400]}",
            "It is a folder or a name on the hub.",
            "Or load it with diffusers, and hand it over.",
        ) from error


def images_from(
    pipeline: Callable[..., Any],
    states: PromptStates,
    *,
    pooled: np.ndarray | None = None,
    seeds: Sequence[int] = SEEDS,
    **settings: Any,
) -> list[Any]:
    """One image for each seed.

    Source: Kaplan et al., arXiv 2504.01137; settings per pipeline in `specs/information-flow.md` §3.2 (5).

    Parameters
    ----------
    pipeline
        Of diffusers, or anything called alike: it takes `prompt_embeds` and returns an object with `images`.
    states
        What `mixed` or `repaired` made; of the width that the pipeline expects, and encoded with mask=True where it
        takes a `prompt_attention_mask`. Where several encoders' states are
        joined (SDXL, SD3), join them as the pipeline does and hand over the joined states.
    pooled
        For pipelines with `pooled_prompt_embeds`, (pooled_width,). None takes the states' own; where those have none
        (FLUX, whose states come from T5), encode the empty prompt with the pipeline's CLIP.
    seeds
        Of the noise.
    settings
        Whatever else the pipeline takes, such as num_inference_steps=4, guidance_scale=0.0.

    Raises
    ------
    ParameterError
        The pipeline takes no `prompt_embeds`, or wants a pooled vector and there is none.
    """
    import torch  # here, because the results open without it

    known = _parameters(pipeline)
    if "prompt_embeds" not in known:
        raise ParameterError(
            f"{type(pipeline).__name__} takes no prompt_embeds", "Most pipelines of diffusers do.", "Use one of these."
        )
    numbers, where = getattr(pipeline, "dtype", torch.float32), getattr(pipeline, "device", "cpu")
    given: dict[str, Any] = {"prompt_embeds": torch.from_numpy(states.states.copy())[None].to(where, numbers)}
    vector = states.pooled if pooled is None else pooled
    if "pooled_prompt_embeds" in known:
        if vector is None:
            raise ParameterError(
                f"{type(pipeline).__name__} wants a pooled vector, and the states have none",
                "",
                'Give pooled=clip.encode("").pooled of its CLIP encoder.',
            )
        given["pooled_prompt_embeds"] = torch.from_numpy(np.array(vector))[None].to(where, numbers)
    if "prompt_attention_mask" in known and states.seen is not None:
        given["prompt_attention_mask"] = torch.from_numpy(states.seen)[None].long().to(where)
    found = []
    for seed in seeds:
        generator = torch.Generator("cpu").manual_seed(int(seed))
        found.append(pipeline(**given, generator=generator, **settings).images[0])
    return found


def _parameters(pipeline: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(pipeline).parameters)
