"""What the token-and-image view sends, without a browser."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import traitlets
from PIL import Image

import explore
from explore.errors import ParameterError
from explore.layout import ImageGrid, Role, TokenLayout
from tests.widgets.samples import position_of, sample_trace
from widgets import Selection, TokenImageView
from widgets.codec import unpack
from widgets.map_view import first_token, run_id
from widgets.pictures import MAX_SIDE, encode_picture


@pytest.fixture(scope="module")
def trace() -> explore.Trace:
    return sample_trace()


@pytest.fixture
def view(trace: explore.Trace) -> TokenImageView:
    return TokenImageView(trace)


def test_a_view_opens_on_a_word_and_not_on_a_full_stop_that_shines_everywhere(trace: explore.Trace) -> None:
    maps = explore.maps.METHODS["random"]().maps(trace)
    stops = [token.role is Role.ANSWER and not token.text.strip().isalnum() for token in maps.tokens]
    assert any(stops)
    bright = replace(maps, array=np.where(np.array(stops)[:, None], np.float32(1), maps.array * np.float32(0.5)))
    shown = first_token(bright)
    assert shown is not None
    assert trace.tokens[shown].text.strip().isalnum()


def test_it_sends_question_and_answer_tokens_by_position(view: TokenImageView, trace: explore.Trace) -> None:
    wanted = [token for token in trace.tokens if token.role in (Role.QUESTION, Role.ANSWER)]
    assert [token["position"] for token in view.tokens] == [token.position for token in wanted]
    assert [token["text"] for token in view.tokens] == [token.text for token in wanted]
    assert [token["special"] for token in view.tokens][-1] is True
    assert {token["role"] for token in view.tokens} == {"question", "answer"}


def test_it_sends_three_methods_with_their_controls(view: TokenImageView) -> None:
    assert [method["name"] for method in view.methods] == ["tam", "logit", "random"]
    assert [method["control"] for method in view.methods] == [False, False, True]
    assert "2506.23270" in view.methods[0]["about"]
    assert view.method == "tam"


def test_maps_arrive_as_computed(view: TokenImageView, trace: explore.Trace) -> None:
    maps = explore.maps.token_activation_maps(trace)
    sent = view.methods[0]
    decoded = unpack(sent["packed"])
    assert sent["positions"] == [token.position for token in maps.tokens]
    np.testing.assert_allclose(decoded[: len(maps)], maps.array, atol=1 / 510)


def test_words_of_several_pieces_have_rows_of_their_own(view: TokenImageView, trace: explore.Trace) -> None:
    maps = explore.maps.token_activation_maps(trace)
    sent = view.methods[0]
    first = position_of(trace, " drag")
    assert [first, first + 1, first + 2] in sent["words"]
    assert all(len(word) > 1 for word in sent["words"])
    row = len(sent["positions"]) + sent["words"].index([first, first + 1, first + 2])
    np.testing.assert_allclose(unpack(sent["packed"])[row], maps.flat(maps.find("dragonfly")[0]), atol=1 / 510)


def test_the_first_selection_is_the_highest_answer_token_and_only_a_suggestion(
    view: TokenImageView, trace: explore.Trace
) -> None:
    maps = explore.maps.token_activation_maps(trace)
    peaks = {token.position: float(maps[token].max()) for token in maps.tokens if token.role is Role.ANSWER}
    del peaks[trace.tokens[-1].position]  # the end token says nothing about the picture
    assert view.selection.token == max(peaks, key=lambda position: peaks[position])
    assert view.selection.by == "auto"
    assert TokenImageView(trace, selection=Selection(token=151)).selection == Selection(token=151)


def test_patches_are_sequence_positions(view: TokenImageView, trace: explore.Trace) -> None:
    np.testing.assert_array_equal(unpack(view.patches), trace.layout.visual)
    assert view.grids == [
        {
            "label": "Picture",
            "picture": 0,
            "rows": 12,
            "cols": 12,
            "start": 0,
            "box": [0.0, 0.0, 1.0, 1.0],
            "size": list(trace.images[0].size),
        }
    ]


def test_several_pictures_stand_side_by_side() -> None:
    view = TokenImageView(sample_trace(pictures=2))
    assert [(grid["label"], grid["picture"], grid["start"]) for grid in view.grids] == [
        ("Image 0", 0, 0),
        ("Image 1", 1, 144),
    ]
    assert len(view.pictures) == 2


def test_a_grid_over_padding_reaches_outside_its_picture(trace: explore.Trace) -> None:
    grid = trace.layout.grids[0]
    shifted = ImageGrid(0, 0, 0, grid.positions, grid.boxes - [0, 48, 0, 48], (192, 96))
    padded = replace(trace, layout=TokenLayout(trace.layout.roles, (shifted,)))
    assert TokenImageView(padded).grids[0]["box"] == pytest.approx([0, -0.5, 1, 2])


def test_pictures_are_small_and_know_their_size() -> None:
    sent = encode_picture(Image.new("RGB", (4000, 1000), "teal"))
    shown = Image.open(io.BytesIO(sent["bytes"]))
    assert (sent["width"], sent["height"], sent["mime"]) == (4000, 1000, "image/jpeg")
    assert shown.size == (MAX_SIDE, MAX_SIDE // 4)
    assert encode_picture(Image.new("RGB", (192, 192)))["mime"] == "image/png"


def test_a_run_without_columns_says_what_to_do(trace: explore.Trace) -> None:
    view = TokenImageView(replace(trace, columns=None))
    assert view.methods == []
    assert "RecordingPlan(columns=True)" in view.note
    assert view.selection.token is None


def test_maps_of_another_run_are_refused(trace: explore.Trace) -> None:
    others = explore.maps.token_activation_maps(sample_trace(rows=6, cols=6))
    with pytest.raises(ParameterError, match="another run"):
        TokenImageView(trace, others)


def test_what_is_no_maps_is_refused(trace: explore.Trace) -> None:
    with pytest.raises(ParameterError, match="ndarray"):
        TokenImageView(trace, {"mine": np.zeros((3, 3))})  # type: ignore[dict-item]


def test_one_method_keeps_its_name(trace: explore.Trace) -> None:
    view = TokenImageView(trace, explore.maps.METHODS["logit"]().maps(trace))
    assert [method["name"] for method in view.methods] == ["logit"]


def test_settings_are_strict(trace: explore.Trace) -> None:
    with pytest.raises(TypeError, match="Did you mean 'opacity'"):
        TokenImageView(trace, opactiy=0.5)  # type: ignore[call-arg]
    with pytest.raises(traitlets.TraitError, match="jet"):
        TokenImageView(trace, colormap="jet")
    with pytest.raises(ParameterError, match="tam"):
        TokenImageView(trace, method="gradcam")
    with pytest.raises(traitlets.TraitError):
        TokenImageView(trace, opacity=2.0)


def test_runs_are_told_apart_and_views_of_one_run_are_not(trace: explore.Trace) -> None:
    assert TokenImageView(trace).run == TokenImageView(sample_trace(), method="logit").run
    assert run_id(trace) != run_id(sample_trace(seed=1))
    assert run_id(trace) != run_id(sample_trace(answer=(" A", " cat", "</s>")))


def test_settings_changed_in_the_page_reach_python(view: TokenImageView) -> None:
    view.set_state({"method": "random", "opacity": 0.3, "words": False})
    assert (view.method, view.opacity, view.words) == ("random", 0.3, False)


def test_a_twenty_four_grid_of_sixty_maps_stays_small() -> None:
    words = tuple(f" word{number}" for number in range(30))
    view = TokenImageView(sample_trace(answer=words, question=words, rows=24, cols=24))
    sent = sum(len(method["packed"]["buffer"]) for method in view.methods)
    assert sent == 3 * 60 * (8 + 576)
