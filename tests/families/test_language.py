"""The language model alone: states of plain text are the library's own, and its head reads them as the model does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explore.errors import ParameterError
from explore.models.families.queries import LeadingQueries, MaskedQueries
from explore.models.text_states import padded
from tests.families.cases import SUPPORTED, runner_of

pytestmark = pytest.mark.filterwarnings("ignore")
families = pytest.mark.parametrize("name", SUPPORTED)
# Decoders that count positions from the padding on, or choose keys among it; padding on the left is never used.
LEFT = ("hunyuan_vl", "mistral_large4")
TEXTS = ["what is the colour of this?", "this is", "of the colour of this"]


@families
def test_padding_on_either_side_and_batches_give_the_same_states(name: str) -> None:
    runner = runner_of(name)
    language, layers = runner.language, [0, 1, runner.info.layers]
    sentences = [each.ids for each in language.tokenize(TEXTS)]
    right = language.states(sentences, layers)
    left = language.states(sentences, layers, padding_side="left")
    alone = [language.states([each], layers) for each in sentences]
    for layer in layers:
        single = torch.cat([each[layer] for each in alone])
        size = float(single.abs().max())
        assert torch.allclose(right[layer], single, atol=1e-4 * size)
        assert name in LEFT or torch.allclose(left[layer], single, atol=1e-4 * size)
    picked = language.states(sentences, [1], [[2], [0, 1], [3]])[1]
    first, second = len(sentences[0]), len(sentences[1])
    rows = [2, first, first + 1, first + second + 3]
    assert torch.allclose(picked, right[1][rows], atol=1e-4 * float(picked.abs().max()))


@families
def test_the_head_reads_the_last_state_as_the_model_does(name: str) -> None:
    runner = runner_of(name)
    language, family = runner.language, runner._family
    ids = language.tokenize(TEXTS[:1])[0].ids
    last = language.states([ids], [runner.info.layers])[runner.info.layers]
    if family.streams > 1:
        with pytest.raises(ParameterError, match="streams"):
            language.top_tokens(last, 3)
        return
    with torch.inference_mode():
        given = padded(family, [ids], [0])
        alone = getattr(family.model, "language_model", None)  # the whole model wants a picture
        run = alone if isinstance(family, LeadingQueries) and hasattr(alone, "lm_head") else family.model
        if isinstance(family, MaskedQueries):
            run = family.model.text_model
        logits = run(**given).logits[0].float()
    with language.readout() as read:
        read_out = read(last).detach()[:, : logits.shape[-1]]
    said = logits > -1e30
    assert torch.allclose(read_out[said], logits[said], atol=2e-4 * float(logits[said].abs().max()))
    top, values, chances = language.top_tokens(last, 3)
    assert top[:, 0].tolist() == read_out.argmax(-1).tolist()
    assert (np.diff(values) <= 0).all()
    np.testing.assert_allclose(chances[:, 0], read_out.softmax(-1).max(-1).values, rtol=1e-3)
    same = language.patched(ids, 2, 1, language.states([ids], [1], [[2]])[1])
    plain = language.patched(ids, 2, 1, None)
    assert torch.allclose(same, plain, atol=1e-4 * float(plain.abs().clamp(max=1e6).max()))
    other = language.patched(ids, 2, 1, torch.ones(2, runner.info.width))
    assert not torch.allclose(other[0], plain[0], atol=1e-3)
    assert torch.allclose(other[0], other[1], atol=1e-4 * float(plain.abs().clamp(max=1e6).max()))


@families
def test_words_leave_out_what_no_text_holds(name: str) -> None:
    runner = runner_of(name)
    language, family = runner.language, runner._family
    words = language.words()
    assert len(words) == len(language.embeddings())
    assert not words[[each for each in family.placeholder_ids if each < len(words)]].any()
    ids = language.tokenize(TEXTS[:1], special=False)[0].ids
    assert words[ids].all()
    assert "".join(language.token_texts(ids)).replace(" ", "") == TEXTS[0].replace(" ", "")
