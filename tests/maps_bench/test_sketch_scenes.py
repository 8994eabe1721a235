"""The sketch world as data: unseen scenes, exact masks, and words that name things in any caption."""

import numpy as np
import pytest

from explore.bench.data import FIRST_BENCH_SEED, SketchScenes, find_things
from explore.errors import ParameterError
from explore.sketch import Thing, scene
from explore.sketch.exams import FIRST_EXAM_SEED
from explore.sketch.scenes import EXAMPLE_SEEDS

PAIR = scene([Thing("dog", "red", at=(0.2, 0.5)), Thing("dog", "blue", at=(0.8, 0.5)), Thing("cat", at=(0.5, 0.15))])
RED, BLUE, CAT = (PAIR.mask(index) for index in range(3))
NONE = np.zeros_like(CAT)


def found(text, drawn=PAIR, **options):
    """(words, mask) of every target."""
    return [(text[slice(*target.span)], target.mask) for target in find_things(drawn, text, **options)]


def check(text, *expected, drawn=PAIR, **options):
    targets = found(text, drawn, **options)
    assert [words for words, _ in targets] == [words for words, _ in expected]
    for (words, mask), (_, truth) in zip(targets, expected, strict=True):
        np.testing.assert_array_equal(mask, truth, err_msg=words)


def test_scenes_are_new_to_training_exam_and_notebook():
    last_exam_anybody_runs = FIRST_EXAM_SEED + 10**8
    assert last_exam_anybody_runs < FIRST_BENCH_SEED
    assert max(EXAMPLE_SEEDS) < FIRST_BENCH_SEED


def test_the_same_parameters_give_the_same_examples():
    first, again = SketchScenes(3), SketchScenes(3)
    assert first == again
    for one, two in zip(first, again, strict=True):
        assert (one.id, one.question, one.answer) == (two.id, two.question, two.answer)
        np.testing.assert_array_equal(np.asarray(one.image), np.asarray(two.image))
    assert first[0].id != SketchScenes(3, first_seed=7)[0].id
    assert len({example.id for example in first}) == 3


def test_any_number_any_part_and_any_seed():
    data = SketchScenes(10**6, first_seed=42)
    assert len(data) == 10**6
    assert data[-1].id == data[10**6 - 1].id
    assert [example.id for example in data[2:4]] == [data[2].id, data[3].id]
    with pytest.raises(IndexError):
        data[10**6]


@pytest.mark.parametrize("style", ["full", "scene", "short"])
@pytest.mark.parametrize("extent", ["noun", "phrase"])
def test_the_matcher_finds_what_the_caption_knows(style, extent):
    """Of the world's own captions: same words, same things, things that look alike told apart."""
    for example in SketchScenes(15, style=style, extent=extent):
        matched = example.find(example.answer)
        assert [target.span for target in matched] == [target.span for target in example.targets]
        assert [target.label for target in matched] == [target.label for target in example.targets]
        for one, two in zip(matched, example.targets, strict=True):
            np.testing.assert_array_equal(one.mask, two.mask)
            assert two.present


def test_targets_are_words_and_function_words_are_not():
    example = SketchScenes(1, style="scene")[0]
    for target in example.targets:
        assert example.answer[slice(*target.span)] == target.label
        assert target.mask.shape == (example.image.height, example.image.width)
    functions = [example.answer[slice(*span)] for span in example.function_words]
    assert functions[:2] == ["There", "a"] or functions[:2] == ["There", "an"]
    assert not set(functions) & {target.label for target in example.targets}


def test_the_answer_may_be_left_to_the_model():
    example = SketchScenes(1, own_words=True)[0]
    assert example.answer is None
    assert example.targets == example.function_words == ()
    kind = SketchScenes(1)[0].targets[0].label
    answered = example.answered(f"It is the {kind}.")
    assert [target.label for target in answered.targets] == [kind]
    assert len(answered.function_words) == 2
    assert (answered.id, answered.question) == (example.id, example.question)


def test_colours_tell_things_of_a_kind_apart():
    check("A blue dog, a red dog and a cat.", ("dog", BLUE), ("dog", RED), ("cat", CAT))
    check("The dog that is red", ("dog", RED | BLUE))


def test_a_wrong_colour_names_the_thing_all_the_same():
    check("A green cat.", ("cat", CAT))
    check("A green dog.", ("dog", RED | BLUE))


def test_sizes_tell_things_apart_too():
    drawn = scene([Thing("cup", size="small", at=(0.2, 0.5)), Thing("cup", size="large", at=(0.7, 0.5))])
    check("A large red cup and a small red cup", ("cup", drawn.mask(1)), ("cup", drawn.mask(0)), drawn=drawn)


def test_plurals_and_numbers_mean_all():
    check("Two dogs and a cat.", ("dogs", RED | BLUE), ("cat", CAT))
    check("Red dogs.", ("dogs", RED))
    fish = scene([Thing("fish", at=(0.2, 0.5)), Thing("fish", at=(0.8, 0.5))])
    check("Two fish.", ("fish", fish.mask(0) | fish.mask(1)), drawn=fish)


def test_as_many_mentions_as_things_go_from_left_to_right():
    twins = scene([Thing("dog", at=(0.8, 0.5)), Thing("dog", at=(0.2, 0.5))])
    left, right = twins.mask(1), twins.mask(0)
    check("A red dog and a red dog.", ("dog", left), ("dog", right), drawn=twins)
    check("A dog.", ("dog", left | right), drawn=twins)
    check("A dog, a dog, a dog.", *[("dog", left | right)] * 3, drawn=twins)


def test_what_is_not_there_has_an_empty_mask():
    check("A castle beside a cat.", ("castle", NONE), ("cat", CAT))
    assert not find_things(PAIR, "a castle")[0].present


def test_phrases_reach_back_to_their_article():
    check("See the small blue dog, two cats!", ("the small blue dog", BLUE), ("two cats", CAT), extent="phrase")
    check("grass, blue dog", ("blue dog", BLUE), extent="phrase")
    check("red, dog", ("dog", RED | BLUE), extent="phrase")


def test_what_a_sign_says_names_nothing():
    drawn = scene([Thing("sign", text="BUS", at=(0.3, 0.5)), Thing("bus", at=(0.7, 0.5))])
    check("The sign says BUS", ("sign", drawn.mask(0)), drawn=drawn)
    check("Bus.", ("Bus", drawn.mask(1)), drawn=drawn)


def test_names_of_two_words_are_whole():
    drawn = scene([Thing("ice cream")])
    check("A red ice cream.", ("ice cream", drawn.mask(0)), drawn=drawn)


def test_no_words_no_targets():
    assert find_things(PAIR, "") == ()


@pytest.mark.parametrize("options", [{"scenes": 0}, {"first_seed": -1}, {"style": "long"}, {"extent": "word"}])
def test_parameters_out_of_range_are_refused(options):
    with pytest.raises(ParameterError):
        SketchScenes(**options)


def test_the_fingerprint_decides_the_examples():
    assert SketchScenes(3).fingerprint == SketchScenes(3).fingerprint
    assert SketchScenes(3).fingerprint != SketchScenes(3, style="short").fingerprint
