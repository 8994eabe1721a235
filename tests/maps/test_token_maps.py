"""Reading maps: by token, position, word and phrase, over one picture, several, and frames."""

import numpy as np
import pytest

from explore.errors import ParameterError
from explore.maps import token_activation_maps
from explore.maps.result import TokenMaps
from explore.trace import Token
from tests.maps.fakes import fake_trace


@pytest.fixture(scope="module")
def maps():
    return token_activation_maps(fake_trace())


def test_a_token_and_its_position_give_the_same_map(maps):
    token = maps.tokens[6]
    np.testing.assert_array_equal(maps[token], maps[token.position])
    np.testing.assert_array_equal(maps[token], maps[np.int64(token.position)])
    np.testing.assert_array_equal(maps[token].ravel(), maps.array[6])
    assert maps[token].shape == (4, 5)
    assert maps[token].dtype == np.float32


def test_the_visual_axis_follows_the_positions():
    trace = fake_trace([(2, 3), (4, 1)])
    maps = TokenMaps(trace.tokens[-1:], np.arange(10, dtype=np.float32)[None], trace.layout)
    np.testing.assert_array_equal(maps.positions, trace.layout.visual)
    for grid, values in zip(trace.layout.grids, maps[trace.tokens[-1]], strict=True):
        np.testing.assert_array_equal(values, grid.positions - 1)


def test_frames_of_a_video_are_stacked():
    trace = fake_trace([(2, 3)] * 4, video=True)
    maps = token_activation_maps(trace)
    assert maps[maps.tokens[0]].shape == (4, 2, 3)


def test_two_pictures_give_a_list():
    maps = token_activation_maps(fake_trace([(2, 3), (2, 3)]))
    assert [piece.shape for piece in maps[maps.tokens[0]]] == [(2, 3), (2, 3)]


def test_words_have_their_pieces(maps):
    assert [word.text for word in maps.words] == [
        *["Where", "is", "the", "dog", "?"],
        *["On", "the", "bench", "near", "the", "bench", "."],
    ]
    bench = maps.words[7]
    assert [token.text for token in bench.tokens] == [" be", "nch"]
    assert bench.role == "answer"
    assert bench.positions == tuple(token.position for token in bench.tokens)


def test_a_word_is_the_maximum_or_mean_of_its_pieces(maps):
    bench = maps.words[7]
    pieces = np.stack([maps[token] for token in bench.tokens])
    np.testing.assert_array_equal(maps[bench], pieces.max(axis=0))
    np.testing.assert_array_equal(maps.combine(bench), pieces.max(axis=0))
    np.testing.assert_allclose(maps.combine(bench, "mean"), pieces.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(maps[bench.tokens], maps[bench])
    np.testing.assert_array_equal(maps[bench.positions], maps[bench])


def test_find_gives_every_place(maps):
    assert [word.role for word in maps.find("the")] == ["question", "answer", "answer"]
    assert len({word.positions for word in maps.find("the")}) == 3
    assert len(maps.find("The", role="answer")) == 2
    assert [len(word.tokens) for word in maps.find("bench")] == [2, 1]
    assert maps.find("house") == ()
    assert maps.find("") == ()


def test_find_joins_phrases_within_one_role(maps):
    (phrase,) = maps.find("the bench near")
    assert phrase.text == "the bench near"
    assert [token.text for token in phrase.tokens] == [" the", " be", "nch", " near"]
    assert len(maps.find("the bench")) == 2
    assert maps.find("? On") == ()
    assert len(maps.find("dog?")) == 1


@pytest.mark.parametrize("key", ["the", 0, 9999, Token(30, 1, "no", "answer"), ()])
def test_wrong_keys_are_explained(maps, key):
    with pytest.raises(ParameterError):
        maps[key]


def test_text_as_a_key_points_to_find(maps):
    with pytest.raises(ParameterError, match=r"maps\.find\('the'\)"):
        maps["the"]


def test_a_token_of_another_run_is_no_key(maps):
    other = fake_trace(question=("Is", " it", " a", " cat", "?"))
    with pytest.raises(ParameterError, match="no map"):
        maps[next(token for token in other.tokens if token.text == " cat")]


def test_unknown_way_to_combine_is_refused(maps):
    with pytest.raises(ParameterError, match="'max' and 'mean'"):
        maps.combine(maps.words[0], "median")


def test_uint8_cuts_off():
    trace = fake_trace([(1, 3)])
    values = np.array([[0.0, 0.9999, 1.0]], np.float32)
    maps = TokenMaps(trace.tokens[-1:], values, trace.layout)
    np.testing.assert_array_equal(maps.uint8(), [[0, 254, 255]])
    assert maps.uint8().dtype == np.uint8


def test_parts_have_a_row_for_every_token(maps):
    parts = maps.parts
    assert parts.raw.shape == parts.interference.shape == parts.normalised.shape == maps.array.shape
    assert len(parts.scale) == len(parts.classes) == len(maps.tokens) == len(parts.text)
    assert np.nanmin(parts.text) >= 0
    assert np.nanmax(parts.text) <= 1
