"""Properties that hold for every family: golden G8 of specs/latent-lens.md."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explore.errors import ParameterError
from explore.lens import embedding_lens, latent_lens, logit_lens, patchscope_lens, tuned_lens
from explore.lens.patchscope import PatchscopeLens, prompt_ids
from explore.lens.translators import Translators
from explore.trace import Trace
from tests.families.cases import SUPPORTED, runner_of, trace_of
from tests.lens.lens_cases import MemoryBank

pytestmark = pytest.mark.filterwarnings("ignore")
families = pytest.mark.parametrize("name", SUPPORTED)
PROMPT = "what is the colour of this ?"


def states_of(trace: Trace, layer: int, states: np.ndarray) -> Trace:
    """The trace with other states in one layer, one for each of its first positions."""
    changed = np.array(trace.hidden(layer), np.float32)
    changed[: len(states)] = states
    return replace(trace, hidden_states={layer: changed})


@families
def test_the_last_layer_says_what_the_model_says(name: str) -> None:
    runner, trace = runner_of(name), trace_of(name)
    at = trace.answer_positions - 1
    if runner._family.streams > 1:
        for lens in (logit_lens, patchscope_lens):
            with pytest.raises(ParameterError, match="residual streams"):
                lens(trace, runner=runner)
        fitted = Translators.zero((0, 1), runner.info.width, runner.fingerprint)
        with pytest.raises(ParameterError, match="residual streams"):
            tuned_lens(trace, fitted, runner=runner)
        return
    reading = logit_lens(trace, 3, layers=[trace.layers], positions=at, runner=runner)
    assert trace.logits is not None
    logits = trace.logits.astype(np.float32)
    best = np.sort(logits, axis=-1)[:, ::-1][:, :3]
    scale = np.abs(best).max()
    np.testing.assert_allclose(reading.scores[0], best, atol=1e-3 * scale)
    assert np.isin(
        logit_lens(trace, layers=[0], words_only=True, runner=runner).ids, np.flatnonzero(runner.language.words())
    ).all()
    assert reading.probabilities is not None
    likely = np.exp(best[:, 0] - np.log(np.exp(logits.astype(np.float64)).sum(-1)))
    np.testing.assert_allclose(reading.probabilities[0, :, 0], likely, rtol=2e-2)


@families
def test_a_lens_that_was_not_tuned_is_the_logit_lens(name: str) -> None:
    runner, trace = runner_of(name), trace_of(name)
    if runner._family.streams > 1:
        return
    fitted = Translators.zero((0, 1), runner.info.width, runner.fingerprint)
    tuned = tuned_lens(trace, fitted, layers=[0, 1], runner=runner)
    plain = logit_lens(trace, layers=[0, 1], runner=runner)
    assert np.array_equal(tuned.scores, plain.scores)
    assert np.array_equal(tuned.ids, plain.ids)


@families
def test_embeddings_find_themselves(name: str) -> None:
    runner, trace = runner_of(name), trace_of(name)
    table, words = runner.language.embeddings().float().cpu().numpy(), np.flatnonzero(runner.language.words())
    if table.shape[1] != trace.width:
        with pytest.raises(ParameterError, match="wide"):
            embedding_lens(trace, runner=runner)
        return
    some = words[:: max(1, len(words) // 5)][:5]
    reading = embedding_lens(
        states_of(trace, 1, 37.0 * table[some]), layers=[1], positions=range(len(some)), runner=runner
    )
    assert reading.ids[0, :, 0].tolist() == some.tolist()
    np.testing.assert_allclose(reading.scores[0, :, 0], 1, atol=1e-5)
    assert np.isin(embedding_lens(trace, runner=runner).ids, words).all()


@families
def test_phrases_find_themselves(name: str) -> None:
    runner, trace = runner_of(name), trace_of(name)
    bank = MemoryBank(runner, layers=(0, 1))
    rows = bank.parts(1)[0].floats(0, 4).numpy()
    reading = latent_lens(states_of(trace, 1, 5.0 * rows), bank, layers=[1], positions=range(4))
    assert reading.bank_layers is not None
    np.testing.assert_allclose(reading.scores[0, :, 0], 1, atol=1e-5)
    for row in range(4):
        found = list(zip(reading.bank_layers[0, row].tolist(), reading.ids[0, row].tolist(), strict=True))
        tied = reading.scores[0, row] > 1 - 1e-5  # beginnings that are alike have one state
        assert (1, row) in [each for each, same in zip(found, tied, strict=True) if same]
    assert latent_lens(trace, bank).label(0, int(trace.layout.visual[0])).phrase


@families
def test_a_state_put_where_it_was_changes_nothing(name: str) -> None:
    runner, trace = runner_of(name), trace_of(name)
    if runner._family.streams > 1:
        return
    language = runner.language
    ids, place = prompt_ids(language, PROMPT)
    for layer in (0, 1):
        own = language.states([ids], [layer], [[place]])[layer].float().cpu().numpy()
        same = states_of(trace, layer, own)
        reading = patchscope_lens(same, 3, layers=[layer], positions=[0], prompt=PROMPT, pmi=True, runner=runner)
        np.testing.assert_allclose(reading.scores, 0, atol=1e-3)
        plain = language.patched(ids, place, 0, None).log_softmax(-1)[0]
        lens = PatchscopeLens(k=3, prompt=PROMPT, words_only=False)
        first = lens.read(same, [layer], [0], runner=runner)
        np.testing.assert_allclose(first.scores[0, 0], plain.topk(3).values.cpu(), atol=1e-3)


# Other things than the decoder's first state tell these which token stands at a place.
BY_ID = ("gemma4",)


@families
def test_an_embedding_put_into_a_prompt_is_its_word(name: str) -> None:
    runner = runner_of(name)
    if runner._family.streams > 1 or name in BY_ID:
        return
    language = runner.language
    ids, place = prompt_ids(language, PROMPT)
    spoken = ids.copy()
    spoken[place] = language.tokenize(["red house"], special=False)[0].ids[0]
    wanted = language.patched(spoken, place, 0, None)
    by_state = language.patched(ids, place, 0, language.states([spoken], [0], [[place]])[0])
    size = float(wanted.abs().clamp(max=1e6).max())
    np.testing.assert_allclose(by_state.cpu(), wanted.cpu(), atol=1e-4 * size)
