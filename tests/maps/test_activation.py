"""The whole computation against the loop over cells, and its corner cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explore.errors import NotRecordedError, ParameterError
from explore.layout import Role
from explore.maps import token_activation_maps
from explore.maps.activation import counted_text, normalise_jointly
from explore.maps.scores import raw_scores
from explore.maps.tam import scores_of
from tests.maps.fakes import fake_trace
from tests.maps.naive import naive_maps


def tokens_of(trace):
    return [token for token in trace.tokens if token.role in (Role.QUESTION, Role.ANSWER)]


def loop_maps(trace, mode="paper", **options):
    scores = scores_of(trace, tokens_of(trace), mode)
    shapes = [(grid.rows, grid.cols) for grid in trace.layout.grids]
    return np.array(
        naive_maps(
            scores.visual.tolist(),
            scores.text.tolist(),
            scores.pieces,
            scores.prompt,
            shapes,
            flat="keep" if mode == "paper" else "zero",
            **options,
        )
    )


@pytest.mark.parametrize("rank_filter", [True, False])
@pytest.mark.parametrize("eci", [True, False])
@pytest.mark.parametrize("mode", ["paper", "reference"])
def test_equals_the_loop_over_cells(mode, eci, rank_filter):
    cells, off = 0, 0
    for seed in range(4):
        trace = fake_trace([(7, 9)], seed=seed)
        maps = token_activation_maps(trace, mode, eci, rank_filter)
        expected = loop_maps(trace, mode, eci=eci, rank_filter=rank_filter)
        np.testing.assert_allclose(maps.parts.maps, expected, atol=1e-5)
        # A cell may fall on the other side of a whole grey level, where a value is cut off rather than rounded.
        gap = np.abs((maps.parts.maps * 255).astype(int) - (expected * 255).astype(int))
        assert gap.max() <= 1
        cells, off = cells + gap.size, off + (gap > 0).sum()
    assert off <= 1e-3 * cells


@pytest.mark.parametrize("video", [True, False])
def test_several_grids_share_one_normalisation_and_are_filtered_apart(video):
    shapes = [(3, 4)] * 3 if video else [(3, 4), (5, 2), (3, 4)]
    trace = fake_trace(shapes, video=video)
    maps = token_activation_maps(trace)
    np.testing.assert_allclose(maps.array, loop_maps(trace), atol=1e-5)
    plain = token_activation_maps(trace, rank_filter=False)
    text = np.nanmax(plain.parts.text, axis=1)
    np.testing.assert_allclose(np.maximum(plain.array.max(axis=1), text), 1, atol=1e-6)


def test_switching_both_parts_off_leaves_the_raw_map():
    trace = fake_trace()
    maps = token_activation_maps(trace, eci=False, rank_filter=False)
    assert not maps.parts.scale.any()
    assert not maps.parts.interference.any()
    for row in range(len(maps)):
        counted = np.isfinite(maps.parts.text[row])
        both = np.concatenate([maps.parts.raw[row], scores_of(trace, maps.tokens).text[row][counted]])
        np.testing.assert_allclose(maps.array[row], (maps.parts.raw[row] - both.min()) / np.ptp(both), atol=1e-6)


def test_repeated_words_have_equal_raw_maps_and_maps_of_their_own():
    trace = fake_trace(seed=3)
    maps = token_activation_maps(trace)
    first, second = (word.tokens[0] for word in maps.find("the", role="answer"))
    rows = [maps.tokens.index(first), maps.tokens.index(second)]
    np.testing.assert_array_equal(*maps.parts.raw[rows])
    assert not np.array_equal(*maps.array[rows])


def test_pieces_of_a_word_are_spared_on_request_only():
    trace = fake_trace(seed=1)
    # The second piece lights up exactly where the first does, and the first is all that answers to it.
    logits = trace.columns.logits.copy()
    be, nch = (next(token.id for token in trace.tokens if token.text == text) for text in (" be", "nch"))
    logits[:, nch] = logits[:, be]
    trace = fake_trace(logits=logits)
    row = [token.text for token in tokens_of(trace)].index("nch")
    assert token_activation_maps(trace).parts.scale[row] > 0
    plain = token_activation_maps(trace, skip_own_word=True).parts
    without = np.delete(np.arange(row), row - 1)
    weights = scores_of(trace, tokens_of(trace)).text[row, without].astype(float)
    expected = weights @ plain.raw[without] / weights.sum()
    np.testing.assert_allclose(plain.interference[row], expected, rtol=1e-5, atol=1e-7)


def test_broken_characters_are_told_apart_by_id():
    trace = fake_trace(answer=["\ufffd", "\ufffd ", "x"])
    pieces = scores_of(trace, tokens_of(trace)).pieces
    assert len(set(pieces[-3:])) == 3


@pytest.mark.parametrize("mode", ["paper", "reference"])
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("Where", " is"), ()),
        (("Where", " is"), ("On",)),
        ((), ("On", " the")),
        ((), ()),
        (("the", "the", "the"), ("the", "the")),
    ],
)
def test_short_and_repetitive_texts_give_finite_maps(mode, question, answer):
    trace = fake_trace([(3, 3)], question, answer)
    maps = token_activation_maps(trace, mode)
    assert maps.array.shape == (len(question) + len(answer), 9)
    steps = maps.parts.maps if maps.tokens else maps.array  # nothing to explain has no steps
    np.testing.assert_allclose(steps, loop_maps(trace, mode).reshape(-1, 9), atol=1e-5)


def test_without_a_question_the_first_answer_token_is_read_at_the_end_of_the_prompt():
    trace = fake_trace(question=(), answer=("On", " the"))
    said = trace.tokens[trace.prompt_length].id
    assert token_activation_maps(trace).parts.classes[0] == said
    best = int(trace.columns.logits[trace.prompt_length - 1].argmax())
    assert token_activation_maps(trace, "reference").parts.classes[0] == best


@pytest.mark.parametrize(("mode", "value"), [("paper", "kept"), ("reference", 0)])
def test_single_visual_token(mode, value):
    maps = token_activation_maps(fake_trace([(1, 1)]), mode)
    assert np.isfinite(maps.array).all()
    expected = maps.parts.normalised if value == "kept" else 0 * maps.parts.normalised
    np.testing.assert_array_equal(maps.parts.maps, expected)


def test_constant_logits_give_zeros_not_nan():
    trace = fake_trace()
    flat = np.full_like(trace.columns.logits, 2.5)
    np.testing.assert_array_equal(token_activation_maps(fake_trace(logits=flat), eci=False).array, 0)


def test_negative_logits_everywhere_give_zeros():
    trace = fake_trace()
    maps = token_activation_maps(fake_trace(logits=-np.abs(trace.columns.logits) - 1))
    np.testing.assert_array_equal(maps.array, 0)


def test_constant_map_stays_constant_in_paper_mode():
    logits = fake_trace().columns.logits.copy()
    logits[1:21] = 1.0
    maps = token_activation_maps(fake_trace(logits=logits), eci=False)
    np.testing.assert_array_equal(maps.array, np.repeat(maps.array[:, :1], 20, axis=1))
    assert maps.array.max() > 0
    assert token_activation_maps(fake_trace(logits=logits), "reference", eci=False).array.max() == 0


def test_counted_text_is_the_question_then_everything_before():
    expected = [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]
    np.testing.assert_array_equal(counted_text(5, prompt=2), np.array(expected, bool))


def test_strong_text_scores_darken_the_map():
    maps = np.array([[0, 1, 2]], np.float32)
    seen, text = normalise_jointly(maps, np.array([[8.0]], np.float32), np.array([[True]]))
    np.testing.assert_array_equal(seen, [[0, 0.125, 0.25]])
    assert text == 1
    unseen, text = normalise_jointly(maps, np.array([[8.0]], np.float32), np.array([[False]]))
    np.testing.assert_array_equal(unseen, [[0, 0.5, 1]])
    assert np.isnan(text).all()


@given(st.integers(0, 500), st.sampled_from([0.125, 3.0, 1000.0]))
def test_the_scale_of_the_logits_does_not_matter(seed, factor):
    trace = fake_trace([(3, 3)], seed=seed)
    scaled = fake_trace([(3, 3)], logits=trace.columns.logits * np.float32(factor))
    np.testing.assert_allclose(token_activation_maps(scaled).array, token_activation_maps(trace).array, atol=1e-5)


@given(st.integers(0, 500))
def test_later_answer_tokens_do_not_change_earlier_maps(seed):
    answer = ("On", " the", "On")
    logits = fake_trace([(3, 3)], answer=answer, seed=seed).columns.logits
    longer = token_activation_maps(fake_trace([(3, 3)], answer=answer, logits=logits))
    shorter = token_activation_maps(fake_trace([(3, 3)], answer=answer[:2], logits=logits[:-1]))
    np.testing.assert_allclose(longer.array[:-1], shorter.array, atol=1e-6)


def test_a_run_without_columns_says_how_to_get_them():
    trace = fake_trace()
    object.__setattr__(trace, "columns", None)
    with pytest.raises(NotRecordedError, match="columns=True"):
        token_activation_maps(trace)


def test_a_missing_column_is_named():
    with pytest.raises(ParameterError, match=r"\[7\]"):
        raw_scores(
            np.zeros((6, 2), np.float32),
            [1, 2],
            visual=np.array([0]),
            question=np.array([], np.int64),
            question_ids=[],
            answer_ids=[2, 7],
            prompt_length=4,
            last_input_id=1,
            pieces=["a", "b"],
        )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logits_that_are_not_finite_are_refused(bad):
    logits = fake_trace().columns.logits.copy()
    logits[4] = bad
    with pytest.raises(ParameterError, match="finite"):
        token_activation_maps(fake_trace(logits=logits))


def test_a_run_without_a_picture_is_refused():
    with pytest.raises(ParameterError, match="picture"):
        token_activation_maps(fake_trace([]))


def test_an_unknown_mode_is_refused():
    with pytest.raises(ParameterError, match="'paper' and 'reference'"):
        token_activation_maps(fake_trace(), mode="papers")
