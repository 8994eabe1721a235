"""Captions scored like the published code, to its printed digits, and correctly, and where the two part."""

import numpy as np
import pytest

from explore.bench.metrics import METRICS, NameMatcher, Truth, WordMaps, score_caption, score_words
from explore.bench.metrics.fixed_point import fixed_point_resize
from explore.errors import ParameterError
from tests.maps_bench import golden_captions as golden
from tests.maps_bench.layouts import box_mask, grid, layout


def scores(pieces=golden.PIECES, maps=None, labels=None, categories=golden.CATEGORIES, **options):
    options = {"tag": golden.tag, "match": golden.match} | options
    maps = golden.maps()[: len(pieces)] if maps is None else maps
    return score_caption(pieces, maps, golden.labels() if labels is None else labels, categories, **options)


def reference(pieces=golden.PIECES, **options):
    return scores(pieces, mode="reference", **options)


def test_the_reference_to_its_printed_digits():
    found = reference()
    np.testing.assert_allclose(found.objects, golden.OBJECTS, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.functions, golden.FUNCTIONS, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.precision, golden.PRECISION, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.recall, golden.RECALL, rtol=0, atol=1e-7)
    assert found.threshold == golden.THRESHOLD


def test_the_own_tagger_and_plurals_agree_with_the_reference_here():
    found = reference(tag=None, match=lambda word, part: word.lower() == part)
    np.testing.assert_allclose(found.objects, golden.OBJECTS, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.functions, golden.FUNCTIONS, rtol=0, atol=1e-7)


def test_correct_mode_knows_a_dog():
    """With the reference's resize, all that differs is what a noun means and that a name is scored whole."""
    found = scores(resize=fixed_point_resize)
    np.testing.assert_allclose(found.objects, [golden.DOG, *golden.OBJECTS], rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.functions, golden.FUNCTIONS, rtol=0, atol=1e-7)
    assert found.threshold == 87, "three nouns: the two words of the traffic light are one"


def test_exact_interpolation_changes_the_third_digit():
    np.testing.assert_allclose(scores().objects, [golden.DOG, *golden.OBJECTS], atol=0.01)
    assert not np.allclose(scores().objects, [golden.DOG, *golden.OBJECTS], atol=1e-4)


def test_the_last_category_wins_in_the_reference_only():
    """So a dog is scored as a dog where hot dogs come first, or not at all."""
    for categories in ({"hot dog": 58, "dog": 18}, {"dog": 18}):
        np.testing.assert_allclose(reference(categories=categories).objects, [golden.DOG], rtol=0, atol=1e-7)
    assert len(reference(categories={"dog": 18, "hot dog": 58}).objects) == 0


def test_a_part_of_a_name_is_the_thing_in_the_reference_only():
    pieces = ("The", " light", " is", " on")
    assert len(reference(pieces).objects) == 1
    assert len(scores(pieces).objects) == 0


def test_the_reference_merges_scores_that_do_not_belong_together():
    """ "dog dog" twice means the absent hot dog, and so merges bench and traffic light."""
    pieces = (" bench", " traffic", " dog", " dog")
    assert len(reference(pieces).objects) == 1
    assert len(reference(pieces[:3]).objects) == 2
    assert reference(pieces).objects[0] == reference(pieces[:3]).objects.max()
    assert len(scores((" bench", " traffic", " light", " dog", " dog")).objects) == 4


def test_end_tokens_stick_to_the_last_word_in_the_reference_only():
    pieces = (" a", " dog", "<end>")
    only_dogs = {"dog": 18}
    assert len(reference(pieces, categories=only_dogs).objects) == 0, "the word is 'dog<end>'"
    assert len(scores(pieces, categories=only_dogs, special=[2]).objects) == 1
    assert len(reference((" dog", ".", "<end>"), categories=only_dogs).objects) == 1, "a full stop keeps it away"


def test_a_dark_map_has_no_precision_in_the_reference_and_0_else():
    dark = np.zeros((1, 4, 6), np.uint8)
    assert np.isnan(reference(("dog",), maps=dark, categories={"dog": 18}).precision).all()
    found = scores(("dog",), maps=dark)
    assert found.precision == found.objects == found.recall == 0


def test_a_bright_constant_map_is_all_bright_in_the_reference_and_says_nothing_else():
    bright = np.full((1, 4, 6), 200, np.uint8)
    assert reference(("dog",), maps=bright, categories={"dog": 18}).recall == 1
    assert scores(("dog",), maps=bright).objects == 0


def test_float_maps_are_cut_to_grey_levels_in_the_reference_only():
    precise = (golden.maps() + 0.9) / 255
    np.testing.assert_allclose(reference(maps=precise.astype(np.float64)).objects, golden.OBJECTS, atol=1e-7)
    assert scores(maps=precise).threshold < 1


def test_correct_mode_is_blind_to_scale():
    maps = golden.maps().astype(float)
    np.testing.assert_allclose(scores(maps=maps / 255).objects, scores(maps=maps).objects, atol=1e-9)
    np.testing.assert_allclose(scores(maps=maps / 255).functions, scores(maps=maps).functions)


def test_without_nouns_function_words_have_no_score():
    found = scores((" the", " a"))
    assert len(found.objects) == len(found.functions) == 0
    assert np.isnan(found.threshold)


def test_nouns_that_are_not_in_the_picture_set_the_threshold_all_the_same():
    pieces = (" the", " table", " dog")
    with_table, without = scores(pieces), scores(pieces, tag=lambda word: "function" if word == "the" else "other")
    assert len(with_table.objects) == len(without.objects) == 1
    assert with_table.threshold != without.threshold


def test_sentencepiece_blanks_are_blanks():
    pieces = tuple(piece.replace(" ", "▁") for piece in golden.PIECES)
    np.testing.assert_array_equal(reference(pieces).objects, reference().objects)
    np.testing.assert_array_equal(scores(pieces).objects, scores().objects)


def test_plurals_and_capitals_name_the_thing():
    assert len(scores(("Two", " DOGS", " on", " benches")).objects) == 2


@pytest.mark.parametrize("mode", ["correct", "reference"])
def test_captions_that_do_not_fit_are_refused_where_the_reference_drops_them(mode):
    with pytest.raises(ParameterError, match="14 pieces"):
        scores(maps=golden.maps()[:13], mode=mode)


def test_there_is_no_other_mode():
    with pytest.raises(ParameterError, match="'paper'"):
        scores(mode="paper")


def test_the_best_piece_of_a_word_counts():
    mask = np.zeros((4, 6), bool)
    mask[:2] = True
    right, wrong = mask.astype(float).ravel(), 1 - mask.astype(float).ravel()
    word = WordMaps("bench", np.stack([wrong, right]), "noun", mask)
    found = score_words([word], lambda flat: flat.reshape(4, 6))
    assert found.objects == found.precision == found.recall == 1


def test_a_constant_map_scores_nothing_drawn_from_any_layout():
    truth = Truth(box_mask((640, 427), 10, 10, 300, 200), layout(grid(24, 24, (640, 427))))
    found = score_words([WordMaps("dog", np.full((1, 576), 0.7), "noun", truth.mask)], truth.pixels)
    assert found.objects == found.precision == 0
    assert found.threshold == 0.7


def test_function_words_by_hand():
    """The noun's threshold lies between 0 and 1; three of four cells of "the" are below it."""
    noun = WordMaps("dog", np.array([[0.0, 0.0, 1.0, 1.0]]), "noun")
    dark = WordMaps("the", np.array([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]]), "function")
    found = score_words([noun, dark], lambda flat: flat.reshape(2, 2))
    assert found.functions == pytest.approx((0.75 + 0.5) / 2)
    assert 0 <= found.threshold < 1
    assert len(found.objects) == 0, "what the noun names is not in the picture"


def test_pixels_that_no_token_sees_are_never_bright():
    mask = np.array([[True, True], [False, False]])
    word = WordMaps("dog", np.array([[1.0, 0.0]]), "noun", mask)
    found = score_words([word], lambda flat: np.array([[1.0, np.nan], [0.0, np.nan]]))
    assert found.objects == pytest.approx(0.5)
    assert found.precision == 1


@pytest.mark.parametrize("maps", [np.ones(4), np.empty((0, 4)), np.array([[np.nan]])])
def test_maps_that_are_none_are_refused(maps):
    with pytest.raises(ParameterError, match="dog"):
        WordMaps("dog", maps, "noun")


def test_masks_of_another_size_are_refused():
    word = WordMaps("dog", np.ones((1, 4)), "noun", np.ones((3, 3), bool))
    with pytest.raises(ParameterError, match=r"\(3, 3\)"):
        score_words([word], lambda flat: flat.reshape(2, 2))


def test_the_dataset_means_count_words():
    first, second = scores(resize=fixed_point_resize), scores((" the", " dog"))
    objects, functions, both = (METRICS[name]() for name in ("obj_iou", "func_iou", "f1_iou"))
    mean = np.concatenate([first.objects, second.objects]).mean()
    dark = np.concatenate([first.functions, second.functions]).mean()
    assert objects.pool(objects.tally([first, second])) == pytest.approx(mean)
    assert functions.pool(functions.tally([first, second])) == pytest.approx(dark)
    assert both.pool(both.tally([first, second])) == pytest.approx(2 * mean * dark / (mean + dark))
    assert both.pool(np.array([0.0, 2, 0, 3])) == 0


def test_the_names_of_the_golden_case_are_found_longest_first():
    found = NameMatcher(golden.CATEGORIES).find("A hot dog, a dog, a light and a traffic light.")
    assert [name.name for name in found] == ["hot dog", "dog", "traffic light"]
