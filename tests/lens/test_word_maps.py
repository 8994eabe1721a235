"""Who says a word: the reverse of every lens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from explore.errors import ParameterError
from explore.lens import logit_lens, word_map
from explore.lens.word_forms import forms_of
from tests.lens.lens_cases import SENTENCES, MemoryBank, made, tiny_trace
from tests.tiny import tiny_runner

LENSES = ["latent", "logit", "embedding", "tuned", "patchscope"]


@pytest.mark.parametrize("name", LENSES)
def test_every_lens_can_be_asked_for_a_word(name: str) -> None:
    trace = tiny_trace()
    found = word_map(trace, "house", made(name))
    assert found.values.shape == (2, len(trace.layout.visual))
    assert found.values.dtype == np.float32
    assert found.method == name
    assert found.grid(1).shape == (4, 4)
    grid = trace.layout.grid()
    assert found.grid(1)[2, 3] == found.at(1)[found.positions.tolist().index(grid.positions[2, 3])]
    best = found.strongest(1, 3)
    assert found.at(1).max() == found.at(1)[found.positions.tolist().index(int(best[0]))]
    assert found.fingerprint["word_map"]["word"] == "house"
    assert repr(found).startswith(f"WordMap('house' by {name}")
    for wrong in ("", "  "):
        with pytest.raises(ParameterError, match="at least one letter"):
            word_map(trace, wrong, made(name))
    with pytest.raises(ParameterError, match="was not read"):
        found.grid(2)


def test_a_word_is_spelled_as_it_stands_and_behind_a_space() -> None:
    language = tiny_runner().language
    texts = ["".join(language.token_texts(form)) for form in forms_of(language, " house ")]
    assert sorted(texts) == [" house", "house"]


def test_cosines_with_the_embedding_of_the_word() -> None:
    trace, language = tiny_trace(), tiny_runner().language
    table = language.embeddings()
    forms = forms_of(language, "house")
    single = next(form for form in forms if len(form) == 1)
    at = int(trace.layout.visual[5])
    states = np.array(trace.hidden(1))
    states[at] = 9 * table[single[0]].numpy()
    found = word_map(replace(trace, hidden_states={1: states}), "house")
    assert found.strongest(1, 1).tolist() == [at]
    assert found.at(1)[5] == pytest.approx(1, abs=1e-5)
    rows = torch.nn.functional.normalize(torch.from_numpy(trace.hidden(1)[trace.layout.visual]).float(), dim=-1)
    expected = [(rows @ torch.nn.functional.normalize(table[form].float(), dim=-1).T).mean(-1) for form in forms]
    np.testing.assert_allclose(word_map(trace, "house").at(1), torch.stack(expected).amax(0), atol=1e-5)


def test_probabilities_are_those_of_the_lens() -> None:
    trace, language = tiny_trace(), tiny_runner().language
    reading = logit_lens(trace, 10**4, layers=[1])
    assert reading.probabilities is not None
    forms = forms_of(language, "red dog")
    for combine, how in (("mean", np.mean), ("min", np.min), ("first", lambda each: each[0])):
        found = word_map(trace, "red dog", "logit", layers=[1], combine=combine)  # type: ignore[arg-type]
        for place in (0, 7):
            likely = {
                int(token): float(chance)
                for token, chance in zip(reading.ids[0, place], reading.probabilities[0, place], strict=True)
            }
            expected = max(how([likely[int(each)] for each in form]) for form in forms)
            assert found.at(1)[place] == pytest.approx(expected, rel=1e-3)
    with pytest.raises(ParameterError, match="mean"):
        word_map(trace, "red dog", "logit", combine="magic")  # type: ignore[arg-type]


def test_the_share_of_neighbours_whose_word_it_is() -> None:
    trace = tiny_trace()
    bank = MemoryBank(tiny_runner(), SENTENCES, layers=(1,))
    words = [bank.token_texts[row].strip() for row in range(len(bank.token_texts))]
    lens = made("latent", k=len(words))
    found = word_map(trace, "THE", replace(lens, bank=bank), layers=[1])  # type: ignore[call-arg]
    share = sum(word == "the" for word in words) / len(words)
    np.testing.assert_allclose(found.values, share, atol=1e-6)
    both = word_map(trace, "the zebra", replace(lens, bank=bank), layers=[1])  # type: ignore[call-arg]
    np.testing.assert_allclose(both.values, share / 2, atol=1e-6)


def test_unknown_lenses_and_missing_banks_are_named() -> None:
    with pytest.raises(ParameterError, match="embedding"):
        word_map(tiny_trace(), "house", "magic")
    with pytest.raises(ParameterError, match="no bank"):
        word_map(tiny_trace(), "house", "latent")
