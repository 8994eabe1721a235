"""Parity with the published code on the synthetic case, cell by cell."""

import zlib

import numpy as np
import pytest

from explore.maps import token_activation_maps
from tests.maps.golden_tam import golden_case

SCALES = [0, 0, 0, 0.989090, 0.555397, 0.313335, 0.313335, 0.399873]
RAW_SUMS = [2.44682, 2.73530, 2.73530, 4.55541, 3.73571, 6.01677, 6.01677, 4.89591]
ENTRIES = [
    [26, 23, 23, 23, 6, 8, 8, 18, 26, 45, 45, 59],
    [0, 0, 23, 23, 0, 6, 36, 74, 0, 6, 46, 85],
    [0, 0, 23, 23, 0, 6, 36, 74, 0, 6, 46, 85],
    [0, 0, 1, 2, 11, 14, 10, 13, 10, 14, 10, 14],
    [4, 4, 14, 14, 4, 3, 14, 15, 0, 0, 0, 1],
    [0, 14, 15, 23, 25, 27, 30, 36, 25, 15, 19, 14],
    [0, 14, 15, 23, 25, 27, 30, 36, 25, 15, 19, 14],
    [106, 80, 80, 51, 93, 48, 29, 12, 57, 47, 24, 23],
]


@pytest.fixture(scope="module")
def case():
    return golden_case()


def test_the_case_is_the_one_that_was_measured(case):
    step_0 = case.logits[:32]
    assert case.prompt == [17, 15, 15, 17]
    assert case.answer == [14, 16, 16, 11]
    assert case.prompt_length == 32
    assert zlib.crc32(step_0.tobytes()) == 0x58BE6C2C
    np.testing.assert_allclose(step_0[0, :5], [-0.454671, -0.991647, 0.060144, 1.340215, -0.492207], atol=1e-6)


def test_reference_mode_gives_every_measured_cell(case):
    parts = token_activation_maps(case.trace(), mode="reference").parts
    np.testing.assert_allclose(parts.scale, SCALES, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(parts.raw.sum(axis=1), RAW_SUMS, atol=1e-5)
    np.testing.assert_array_equal((parts.maps * np.float32(255)).astype(np.uint8), ENTRIES)


def test_reference_mode_returns_the_first_map_for_the_first_answer_token(case):
    maps = token_activation_maps(case.trace(), mode="reference")
    expected = [*ENTRIES[:4], ENTRIES[0], *ENTRIES[5:]]
    np.testing.assert_array_equal(maps.uint8(), expected)
    np.testing.assert_array_equal(maps[32], maps[case.question[0]])


def test_reference_mode_explains_the_last_input_token_in_place_of_the_first_answer_token(case):
    classes = token_activation_maps(case.trace(), mode="reference").parts.classes
    best = int(case.logits[case.question[0]].argmax())
    assert classes == (best, 15, 15, 17, 505, 16, 16, 11)


def test_paper_mode_explains_the_first_answer_token_itself(case):
    maps = token_activation_maps(case.trace())
    assert maps.parts.classes[4] == case.answer[0]
    np.testing.assert_array_equal(maps.array, maps.parts.maps)
    expected = np.maximum(case.logits[case.visual, case.answer[0]], 0)
    np.testing.assert_array_equal(maps.parts.raw[4], expected)


def test_modes_differ_only_in_the_first_answer_entry_and_what_it_interferes_with(case):
    paper = token_activation_maps(case.trace()).parts
    reference = token_activation_maps(case.trace(), mode="reference").parts
    assert [j for j in range(8) if not np.array_equal(paper.raw[j], reference.raw[j])] == [4]
    changed = [j for j in range(8) if not np.array_equal(paper.interference[j], reference.interference[j])]
    # Entry 7 does not respond where the first answer token is predicted, so nothing of it reaches that far.
    assert changed == [4, 5, 6]
    assert [j for j in range(8) if not np.array_equal(paper.maps[j], reference.maps[j])] == [4, 5, 6]
