"""A given answer is read as if the model had just said it."""

from __future__ import annotations

import numpy as np
import pytest

from explore.layout import Role
from explore.models.runner import Runner
from explore.result_cache import ResultCache
from tests.models.samples import EVERYTHING, QUESTION, fresh, noise
from tests.tiny import tiny_llava, tiny_runner


@pytest.mark.parametrize("gqa", [True, False], ids=["grouped", "full"])
def test_read_gives_what_ask_gave(gqa: bool) -> None:
    _, runner = fresh(gqa=gqa, seed=1)
    asked = runner.ask(noise(), QUESTION, max_new_tokens=9, record=EVERYTHING)
    for answer in (asked.answer, asked.answer_ids, asked.answer_ids.tolist()):
        read = runner.read(noise(), QUESTION, answer, record=EVERYTHING)
        assert read.tokens == asked.tokens
        assert read.answer == asked.answer
        assert read.layout.to_json() == asked.layout.to_json()
        for name, array in asked.arrays().items():
            np.testing.assert_allclose(read.arrays()[name], array, atol=1e-4, err_msg=name)


def test_a_new_answer_is_tokenised_as_it_would_go_on() -> None:
    runner = tiny_runner()
    tokenizer = runner._family.processor.tokenizer
    trace = runner.read(noise(), QUESTION, "a small house.")
    assert [token.text for token in trace.tokens if token.role is Role.ANSWER] == [
        " a",
        " small",
        " house",
        ".",
        "</s>",
    ]
    assert trace.answer == "a small house."
    whole = tokenizer(f"{QUESTION} ASSISTANT: a small house.")["input_ids"]
    assert trace.ids.tolist()[-len(whole) - 1 :] == [*whole, tokenizer.eos_token_id]
    assert len(trace.logits) == 5


def test_an_empty_answer_is_the_end_token() -> None:
    trace = tiny_runner().read(noise(), QUESTION, "")
    assert trace.answer == ""
    assert [token.text for token in trace.tokens[trace.prompt_length :]] == ["</s>"]
    assert trace.positions_fed == trace.prompt_length
    assert trace.words() == []


def test_reading_a_cut_off_answer_after_the_model_was_loaded_again() -> None:
    model, processor = tiny_llava()
    cache = ResultCache(1 << 30)
    asked = Runner(model, processor, cache=cache).ask(noise(), QUESTION, max_new_tokens=3)
    again = Runner(model, processor, cache=cache)
    found = again.ask(noise(), QUESTION, max_new_tokens=3)
    assert found.logits is asked.logits  # from the cache
    assert found.origin() is again  # and to be run again by the runner that is asked, not by the one that made it
    assert again.read(noise(), QUESTION, asked.answer).ids.tolist() == asked.ids.tolist()
