"""Answers are plain greedy ones whatever the checkpoint prefers, and end where they must."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.models.samples import QUESTION, fresh, noise
from tests.tiny import tiny_runner


@pytest.mark.parametrize(
    "setting",
    [
        {"no_repeat_ngram_size": 2},
        {"min_new_tokens": 8},
        {"suppress_tokens": list(range(5, 60))},
        {"repetition_penalty": 5.0},
        {"bad_words_ids": [[7]]},
        {"num_return_sequences": 3},
        {"num_beams": 4},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_the_checkpoints_own_generation_settings_change_nothing(setting: dict[str, Any]) -> None:
    model, runner = fresh(seed=3)
    plain = runner.ask(noise(), QUESTION, max_new_tokens=8).ids.tolist()
    for name, value in setting.items():
        setattr(model.generation_config, name, value)
    assert runner.ask(noise(), QUESTION, max_new_tokens=8).ids.tolist() == plain
    assert runner.answers([(noise(), QUESTION)], max_new_tokens=8)
    assert getattr(model.generation_config, next(iter(setting))) == next(iter(setting.values()))


def test_a_static_cache_in_the_checkpoint_is_set_aside() -> None:
    model, runner = fresh(seed=7)
    expected = runner.ask(noise(), QUESTION, max_new_tokens=3)
    model.generation_config.cache_implementation = "static"
    model.generation_config.repetition_penalty = 5.0
    again = runner.ask(noise(), QUESTION, max_new_tokens=3)
    np.testing.assert_array_equal(again.logits, expected.logits)
    np.testing.assert_array_equal(again.attention(1), expected.attention(1))


def test_an_answer_stops_at_the_end_token() -> None:
    model, runner = fresh(seed=2)
    third = int(runner.ask(noise(), QUESTION, max_new_tokens=6).answer_ids[2])
    model.generation_config.eos_token_id = [third, 2]
    trace = runner.ask(noise(), QUESTION, max_new_tokens=6)
    assert trace.answer_ids[-1] == third
    assert len(trace.answer_ids) <= 3
    assert len(trace.hidden(0)) == len(trace.tokens) - 1
    assert trace.attention(0).shape == (4, len(trace.answer_ids), len(trace.tokens) - 1)


def test_the_answer_ends_where_the_context_does() -> None:
    _, runner = fresh(seed=7, context=40)
    trace = runner.ask(noise(), "a", max_new_tokens=64)
    assert len(trace.tokens) <= 40


def test_batched_answers_end_where_the_context_does() -> None:
    runner = tiny_runner()
    room = runner.info.context_length - runner.ask(noise(), QUESTION, max_new_tokens=1).prompt_length
    long = QUESTION + " dog" * (room - 3)
    pairs = [(noise(), long), (noise(), QUESTION)]
    asked = [runner.ask(*pair, max_new_tokens=12).answer for pair in pairs]
    assert runner.answers(pairs, max_new_tokens=12) == asked


def test_pairs_may_come_one_by_one() -> None:
    runner = tiny_runner()
    expected = [runner.ask(noise(seed=n), QUESTION, max_new_tokens=4).answer for n in range(5)]
    lazy = ((noise(seed=n), QUESTION) for n in range(5))
    assert runner.answers(lazy, max_new_tokens=4, batch_size=2) == expected  # type: ignore[arg-type]
