"""Dropped visual tokens leave what masked ones leave, in prefill and in generation; who cannot drop is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explore.errors import CheckpointError
from explore.models import generation
from explore.models.attention import watched
from explore.models.drops import dropped
from explore.models.edges import blocked_keys
from explore.models.families.base import Family
from explore.models.inputs import prepare
from tests.families.cases import QUESTION, SUPPORTED, pictures_of, runner_of

pytestmark = pytest.mark.filterwarnings("ignore")
ANSWER = 4
# Linear attention and state spaces have convolutions too, and are found by them.
OTHERWISE = dict.fromkeys(
    (
        "qwen3_5",
        "qwen3_5_moe",
        "qwen4_exp",
        "glm5_next",
        "minicpmv4_6",
        "minicpmv4_7",
        "minicpm_ocr",
        "inkling_mm_model",
        "lfm2_vl",
        "lfm3_vl",
        "nemotron_h_omni",
    ),
    "convolutions over neighbouring tokens",
)
WINDOWED = ("aya_vision", "cohere2_vision", "cohere_compass", "dots3_note", "exaone4_5", "llama4", "step3p7")
# Their last layer takes keys, or the choice of keys, from a layer before it.
BORROWING = ("gemma3n", "mistral_large4")
DROPPING = [name for name in SUPPORTED if name not in OTHERWISE]


@dataclass(frozen=True)
class Case:
    """A family's model, a prompt for it, and which of its tokens are visual and which of these stay."""

    family: Family
    tensors: dict[str, Any]
    visual: np.ndarray
    kept: np.ndarray

    def logits(self) -> Tensor:
        """Logits (positions, vocabulary) of one run without a cache."""
        with torch.inference_mode():
            return self.family.model(**self.tensors, use_cache=False).logits[0].float()

    def generated(self) -> tuple[list[int], Tensor]:
        """A greedy answer and its logits (ANSWER, vocabulary); no token ends it."""
        with torch.inference_mode(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(generation, "end_ids", lambda family: ())
            return generation.generate(self.family, dict(self.tensors), ANSWER, logits=True)

    @contextmanager
    def masked(self, layer: int = 0) -> Iterator[None]:
        """Nobody but themselves attends to the others from this layer on, while prompt and answer are read.

        Only inside the decoder: some projectors read the decoder's config, and so would be watched and cut as well.
        """
        blocked = torch.from_numpy(np.append(~self.kept, np.zeros(ANSWER, bool)))[None]
        with watched(self.family.text_model), ExitStack() as hooks, ExitStack() as cut:

            def enter(module: nn.Module, args: Any) -> None:
                cut.enter_context(blocked_keys(blocked))

            def leave(module: nn.Module, args: Any, output: Any) -> None:
                cut.close()

            hooks.callback(self.family.layers[layer].register_forward_pre_hook(enter).remove)
            hooks.callback(self.family.text_model.register_forward_hook(leave).remove)
            yield


def case_of(name: str, sizes: tuple[tuple[int, int], ...] = ((40, 30), (30, 64))) -> Case:
    runner = runner_of(name)
    family, pictures = runner._family, pictures_of(name, *sizes)
    made = prepare(family, runner._writer.write(QUESTION, len(pictures)), pictures)
    visual = family.visual_mask(made.ids, made.tensors)
    kept = ~visual | (np.random.default_rng(0).random(len(visual)) < 0.4)
    assert 0 < (kept & visual).sum() < visual.sum()
    return Case(family, family.on_device(made.tensors), visual, kept)


def difference(one: Tensor, other: Tensor) -> float:
    """Largest difference of two sets of logits, in parts of their scale; forbidden tokens have the lowest number."""
    assert one.shape == other.shape
    said = other > 0.1 * torch.finfo(torch.float32).min
    assert torch.equal(said, one > 0.1 * torch.finfo(torch.float32).min)
    return float((one - other)[said].abs().max() / other[said].abs().max())


@contextmanager
def wide_windows(family: Family) -> Iterator[None]:
    """Sliding windows and chunks of attention that no prompt here outgrows."""
    config, names = family.text_config, ("sliding_window", "attention_chunk_size")
    before = {name: getattr(config, name) for name in names if getattr(config, name, None)}
    for name in before:
        setattr(config, name, 1024)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(config, name, value)


@pytest.mark.parametrize("name", DROPPING)
def test_without_tokens_the_others_say_what_they_say_when_these_are_masked(name: str) -> None:
    case = case_of(name)
    with wide_windows(case.family):
        plain = case.logits()
        with case.masked():
            masked = case.logits()[case.kept]
        with dropped(case.family, case.visual, case.kept) as positions:
            found = case.logits()
        after = case.logits()
    assert positions.tolist() == np.flatnonzero(case.kept).tolist()
    assert difference(found, masked) < 1e-4
    assert difference(found, plain[case.kept]) > 1e-3, "the dropped tokens made no difference"
    assert torch.equal(after, plain), "the model is not what it was"


@pytest.mark.parametrize("name", DROPPING)
def test_an_answer_goes_on_as_if_the_tokens_were_masked(name: str) -> None:
    case = case_of(name)
    with wide_windows(case.family):
        _, plain = case.generated()
        with case.masked():
            ids, masked = case.generated()
        with dropped(case.family, case.visual, case.kept):
            found, logits = case.generated()
    assert found == ids
    assert len(found) == ANSWER
    assert difference(logits, masked) < 1e-4
    assert difference(logits[:1], plain[:1]) > 1e-4, "the dropped tokens made no difference"


@pytest.mark.parametrize("name", DROPPING)
def test_tokens_can_go_from_a_later_layer_on(name: str) -> None:
    case = case_of(name)
    last = len(case.family.layers) - 1
    with wide_windows(case.family):
        plain = case.logits()
        if name in BORROWING:
            refused = pytest.raises(CheckpointError, match=f"use keys of layers before layer {last}")
            with refused, dropped(case.family, case.visual, case.kept, layer=last):
                case.logits()
        else:
            with case.masked(last):
                masked, (ids, logits) = case.logits()[case.kept], case.generated()
            with dropped(case.family, case.visual, case.kept, layer=last):
                found, (said, sure) = case.logits(), case.generated()
            assert difference(found, masked) < 1e-4
            assert (found - plain[case.kept]).abs().max() > 0
            assert said == ids
            assert difference(sure, logits) < 1e-4
        assert torch.equal(case.logits(), plain), "the model is not what it was"


@pytest.mark.parametrize("name", WINDOWED)
def test_a_window_shorter_than_the_prompt_reaches_further_back_without_tokens(name: str) -> None:
    case = case_of(name)
    with case.masked():
        masked = case.logits()[case.kept]
    with dropped(case.family, case.visual, case.kept):
        assert difference(case.logits(), masked) > 1e-3, "windows count positions after all: say so in drops.py"


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_decoder_in_which_dropping_is_not_masking_is_refused(name: str) -> None:
    case = case_of(name)
    plain = case.logits()
    with pytest.raises(CheckpointError, match=OTHERWISE[name]), dropped(case.family, case.visual, case.kept):
        raise AssertionError("it was not refused")
    assert torch.equal(case.logits(), plain)
