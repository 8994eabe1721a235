"""What a label says, what two readings share, and whether intervals cover what they should."""

import numpy as np
import pytest

from explore.bench.data import SketchScenes
from explore.bench.lens_tables import LensScores
from explore.bench.lens_tallies import bank_tallies, label_names, name_tallies, shared_tallies
from explore.bench.metrics.names import NameMatcher
from explore.bench.named_patches import NameSet, named_data
from explore.bench.scene_scores import SceneScores
from explore.errors import ParameterError
from explore.lens.reading import Entry, LensReading
from tests.maps_bench.layouts import box_mask, plain

NAMES = NameSet(NameMatcher(["dog", "hot dog", "traffic light"], {"puppy": "dog"}))


def reading(ids, entries, bank_layers=None):
    """A reading of the first layer of a picture of 1 x n tokens; ids are (tokens, k)."""
    layout = plain(1, len(ids))
    found = np.array(ids)[None]
    return LensReading(
        method="fake",
        parameters={},
        score_name="cosine",
        layers=np.array([0]),
        positions=layout.visual,
        scores=np.zeros(found.shape, np.float32),
        ids=found,
        entries=entries,
        layout=layout,
        bank_layers=None if bank_layers is None else np.array(bank_layers)[None],
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (Entry(" dog"), {"dog"}),
        (Entry("Dogs"), {"dog"}),
        (Entry("puppies"), {"dog"}),
        (Entry("do"), set()),
        (Entry("light"), set()),
        (Entry("hot", "A hot dog on a plate", (1, 5)), {"hot dog"}),
        (Entry("dog", "A hot dog on a plate", (5, 9)), {"hot dog"}),
        (Entry("plate", "A hot dog on a plate", (14, 20)), set()),
        (Entry("dogs", "two dogs", (3, 6)), {"dog"}),
        (Entry("light", "a traffic light", (9, 15)), {"traffic light"}),
        (Entry("a", "a dog", (0, 1)), set()),
        (Entry("", "a dog", (1, 2)), set()),
        (Entry("dog", "a dog", None), {"dog"}),
    ],
)
def test_what_a_label_says(entry, said):
    found = label_names(reading([[0]], {0: entry}), NAMES)[0, 0, 0]
    assert {name for name, yes in zip(NAMES.names, found, strict=True) if yes} == said


def test_words_in_capitals_are_what_signs_say():
    things = named_data(SketchScenes(2)).sets["thing"]
    assert things.find(" bus") == {"bus"}
    assert things.find("Bus") == {"bus"}
    assert things.find(" BUS") == frozenset()
    assert things.find("ice creams") == {"ice cream"}
    texts = named_data(SketchScenes(2)).sets["text of a sign"]
    assert texts.find(" BUS") == {"BUS"}
    assert texts.find("Bus") == texts.find("ZOOS") == texts.find("ice cream") == frozenset()
    assert texts.find("The sign says 3", (14, 15)) == {"3"}


def test_hits_are_counted_by_first_label_and_by_any():
    entries = {0: Entry("dog"), 1: Entry("cow"), 2: Entry("hot dog")}
    made = reading([[0, 1], [1, 0], [1, 2], [-1, 0]], entries)
    dog, none = {"dog": box_mask((40, 10), 0, 0, 30, 10)}, {}
    found = name_tallies(made, {"thing": NAMES}, {"thing": dog}, [{"thing": none}, {"thing": dog}], 0.5)
    assert found == {"thing/0": [1, 2, 3, 1, 2, 3]}


def test_layers_of_the_bank_are_counted():
    assert bank_tallies(reading([[0]], {0: Entry("a")}), 3) == {}
    made = reading([[0, 0], [0, -1]], {0: Entry("a")}, [[1, 3], [3, -1]])
    assert bank_tallies(made, 3) == {"banks/0": [0, 1, 0, 2]}


def test_labels_shared_by_two_readings_are_counted_as_often_as_both_have_them():
    one = reading([[0, 1, 2]], {0: Entry(" dog", "a dog"), 1: Entry("dog", "the dog"), 2: Entry("cat", "a cat")})
    other = reading([[9, 8, 7]], {9: Entry("Dog", "a dog"), 8: Entry("cow", "a cow"), 7: Entry("cat", "my cat")})
    assert shared_tallies(one, other) == {"again/0": [2, 1, 3]}
    assert shared_tallies(one, one) == {"again/0": [3, 3, 3]}


def scene_rows(rng, share, scenes=60):
    """Scenes of some ten tokens that are all alike, so that tokens of a scene are no independent cases."""
    rows = []
    for number in range(scenes):
        tokens = int(rng.integers(5, 15))
        right = float(tokens * (rng.random() < share))
        rows.append(SceneScores(f"{number}", "lens", 0.1, {"thing/0": [right, right, tokens, 0.0, 0.0, 3.0 * tokens]}))
    return rows


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng, covered = np.random.default_rng(0), []
    for _ in range(150):
        row = LensScores(tuple(scene_rows(rng, 0.6)), ("lens",)).table.iloc[0]
        covered.append(row["low"] <= 0.6 <= row["high"])
    assert 0.88 <= np.mean(covered) <= 0.99


def test_intervals_are_wider_than_if_tokens_were_independent():
    row = LensScores(tuple(scene_rows(np.random.default_rng(1), 0.5)), ("lens",)).table.iloc[0]
    alone = 1.96 * np.sqrt(row["value"] * (1 - row["value"]) / row["tokens"])
    assert row["high"] - row["low"] > 2 * 2 * alone


def test_only_examples_that_every_lens_has_count():
    rows = scene_rows(np.random.default_rng(2), 0.5, 6)
    other = [SceneScores(row.example, "other", 0.1, row.tallies) for row in rows[:4]]
    assert set(LensScores((*rows, *other), ("lens", "other")).table["examples"]) == {4}
    with pytest.raises(ParameterError, match="every lens"):
        _ = LensScores(tuple(rows), ("lens", "other")).table
