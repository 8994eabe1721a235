"""Lenses on known truth: perfect labels score one, the control does not, and a stopped bench goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from explore.bench import score_lens
from explore.bench.data import CocoFolder, SketchScenes
from explore.bench.lens_scores import partners
from explore.bench.named_patches import COLOUR, ONE_TOKEN, THINGS, WRITTEN, named_data, names_under
from explore.errors import Cancelled, ParameterError
from explore.lens.embedding import EmbeddingLens
from explore.lens.logit import LogitLens
from explore.sketch import scene
from tests.lens_bench.oracle import Parrot, oracle
from tests.maps_bench.layouts import box_mask, plain
from tests.tiny import tiny_runner

DATA = SketchScenes(12, style="short")


@pytest.fixture(scope="module")
def known():
    return named_data(DATA)


@pytest.fixture(scope="module")
def scores(known):
    lenses = {"oracle": oracle(DATA, known), "half": oracle(DATA, known, wrong=0.5), "parrot": Parrot()}
    return score_lens(tiny_runner(), lenses, DATA, again={"oracle": oracle(DATA, known, wrong=1.0)})


def test_perfect_labels_score_one_and_nearly_nothing_against_other_pictures(scores):
    rows = scores.table.set_index(["lens", "names", "layer"])
    for layer in (0, 1, 2):
        row = rows.loc[("oracle", THINGS, layer)]
        assert row["value"] == row["low"] == row["high"] == 1
        assert row["first"] == 0, "the oracle says the truth last"
        assert row["control"] < 0.15
        assert row["lead"] == pytest.approx(1 - row["control"])
        assert row["tokens"] > 5
        assert row["examples"] == 12


def test_half_of_them_score_half(scores):
    row = scores.table.set_index(["lens", "names", "layer"]).loc[("half", THINGS, 1)]
    assert 0.25 < row["value"] < 0.75
    assert row["low"] < row["value"] < row["high"]


def test_the_same_words_for_all_lead_by_nothing(scores):
    row = scores.table.set_index(["lens", "names", "layer"]).loc[("parrot", THINGS, 2)]
    assert row["lead_low"] <= 0 <= row["lead_high"]
    assert row["first"] <= row["value"]


def test_colours_are_names_of_another_kind(known):
    found = score_lens(tiny_runner(), {"oracle": oracle(DATA, known, kind=COLOUR)}, DATA, layers=[1])
    rows = found.table.set_index("names")
    assert rows.loc[COLOUR, "value"] == 1
    assert rows.loc[THINGS, "value"] == 0


def test_what_signs_say_is_known_where_there_are_signs():
    data = SketchScenes(40, style="short")
    known = named_data(data)
    signs = [number for number in range(40) if known.masks(number)[WRITTEN]]
    assert 0 < len(signs) < 40
    for number in signs:
        drawn = scene(seed=data.first_seed + number)
        texts = {thing.text: drawn.mask(index) for index, thing in enumerate(drawn.things) if thing.text}
        found = known.masks(number)[WRITTEN]
        assert set(found) == set(texts)
        assert all((found[text] >= mask).all() for text, mask in texts.items())


def test_names_of_one_token_have_a_line_of_their_own(scores):
    # The tiny tokenizer has dog, cat and house as tokens.
    rows = scores.table.set_index(["lens", "names", "layer"])
    assert ONE_TOKEN in scores.names
    assert rows.loc[("oracle", ONE_TOKEN, 0), "tokens"] <= rows.loc[("oracle", THINGS, 0), "tokens"]


def test_where_labels_come_from_and_how_many_come_again(scores):
    banks = scores.bank_layers("oracle")
    assert list(banks.columns) == [1]
    assert (banks[1] == 1).all()
    again = scores.agreement("oracle")
    assert list(again["layer"]) == [0, 1, 2]
    # Four labels of five are "nothing" in both; the truth is taken away in one.
    assert ((again["words"] > 0.7) & (again["words"] <= 1)).all()
    for call in (
        lambda: scores.bank_layers("parrot"),
        lambda: scores.agreement("parrot"),
        lambda: scores.agreement("x"),
    ):
        with pytest.raises(ParameterError, match=r"parrot|'x'"):
            call()


def test_tables_for_people_and_files(scores):
    text = scores.markdown(THINGS).splitlines()
    assert text[0] == "| thing named, % | layer 0 | layer 1 | layer 2 |"
    assert text[2] == "| oracle | 100.0 ± 0.0 | 100.0 ± 0.0 | 100.0 ± 0.0 |"
    assert text[3].startswith("| oracle, other pictures |")
    assert len(text) == 2 + 2 * 3
    assert "| oracle | 0.0 ± 0.0 |" in scores.markdown(THINGS, first=True)
    assert "come again" in scores.report()
    whole = json.loads(json.dumps(scores.to_json(), allow_nan=False))
    assert len(whole["scores"]) == len(scores.table)
    assert set(whole["bank_layers"]) == {"oracle", "half"}
    with pytest.raises(ParameterError, match="no scores of 'smell'"):
        scores.markdown("smell")


def test_every_shuffle_moves_every_example():
    for count in (2, 3, 5, 12, 300):
        for shuffles in (1, 3, 7):
            moved = np.array([partners(number, count, shuffles) for number in range(count)])
            assert moved.shape[1] == min(shuffles, count - 1) or count <= shuffles
            assert (moved != np.arange(count)[:, None]).all()
            assert all(sorted(column) == list(range(count)) for column in moved.T)


def test_real_lenses_are_read_in_every_layer():
    found = score_lens(tiny_runner(), [LogitLens(), EmbeddingLens()], SketchScenes(2, style="short"))
    assert set(found.table["layer"]) == {0, 1, 2}
    assert found.table["value"].between(0, 1).all() or found.table["tokens"].eq(0).any()


def test_a_stopped_bench_goes_on_and_ends_with_the_same_scores(tmp_path, known):
    lenses = {"half": oracle(DATA, known, wrong=0.5), "parrot": Parrot()}

    def stop(fraction, message):
        if fraction > 0.4:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        score_lens(tiny_runner(), lenses, DATA, layers=[0, 2], folder=tmp_path / "stopped", progress=stop)
    path = tmp_path / "stopped" / "scores-0-of-1.jsonl"
    done = path.read_text()
    assert done.count("\n") == 2 * 5
    with path.open("a") as file:
        file.write('{"example": "half a li')
    again = score_lens(tiny_runner(), lenses, DATA, layers=[0, 2], folder=tmp_path / "stopped")
    whole = score_lens(tiny_runner(), lenses, DATA, layers=[0, 2], folder=tmp_path / "whole")
    assert path.read_text().startswith(done)
    assert lines(path) == lines(tmp_path / "whole" / "scores-0-of-1.jsonl")
    assert again.markdown() == whole.markdown()


def test_two_processes_share_a_folder(tmp_path):
    score_lens(tiny_runner(), [Parrot()], DATA, folder=tmp_path, part=(0, 2))
    found = score_lens(tiny_runner(), [Parrot()], DATA, folder=tmp_path, part=(1, 2))
    assert found.markdown() == score_lens(tiny_runner(), [Parrot()], DATA).markdown()


def test_lenses_may_be_added_and_other_experiments_are_refused(tmp_path):
    data = SketchScenes(2, style="short")
    score_lens(tiny_runner(), [Parrot()], data, folder=tmp_path)
    found = score_lens(tiny_runner(), [LogitLens()], data, folder=tmp_path)
    assert found.lenses == ("logit",)
    for lens, given in (
        (replace(Parrot(), words=("dog",)), {}),
        (Parrot(), {"cover": 0.7}),
        (Parrot(), {"layers": [1]}),
    ):
        with pytest.raises(ParameterError, match="another experiment"):
            score_lens(tiny_runner(), [lens], data, folder=tmp_path, **given)


def test_bad_requests_are_refused():
    for lenses, given, says in (
        ([Parrot()], {"data": None}, "No data"),
        ([Parrot()], {"data": SketchScenes(1)}, "one example"),
        ([Parrot()], {"cover": 0}, "cover=0"),
        ([Parrot()], {"shuffles": 0}, "shuffles=0"),
        ([Parrot()], {"part": (1, 1)}, "part="),
        ([Parrot(), Parrot()], {}, "one name"),
        ([], {}, "lenses="),
        (["logit"], {}, "something that is none"),
        ([Parrot()], {"again": {"latent": Parrot()}}, "second lens"),
        ([Parrot()], {"data": list(SketchScenes(2))}, "names"),
    ):
        with pytest.raises(ParameterError, match=says):
            score_lens(tiny_runner(), lenses, **{"data": DATA, **given})


def test_a_plain_list_is_scored_with_names_given():
    found = score_lens(tiny_runner(), [Parrot()], list(DATA[:4]), names=["dog", "house"])
    assert found.names[0] == THINGS


@pytest.fixture
def folder(tmp_path):
    """Two pictures of 64 x 64 pixels: a hot dog on the left of one, a dog on the right of the other."""
    boxes = {1: (3, [0, 0, 32, 64]), 2: (1, [32, 0, 32, 64])}
    content = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": 64, "height": 64} for n in boxes],
        "categories": [{"id": 1, "name": "dog"}, {"id": 3, "name": "hot dog"}],
        "annotations": [{"id": n, "image_id": n, "category_id": kind, "bbox": box} for n, (kind, box) in boxes.items()],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    for number in boxes:
        Image.new("RGB", (64, 64), (90 * number, 20, 200)).save(tmp_path / f"{number}.png")
    return tmp_path


def test_a_coco_folder_is_scored_by_the_names_of_its_categories(folder):
    data = CocoFolder(folder)
    known = named_data(data)
    found = score_lens(
        tiny_runner(), {"oracle": oracle(data, known), "parrot": Parrot(words=("dogs",))}, data, layers=[0]
    )
    rows = found.table[found.table["names"] == THINGS].set_index("lens")
    assert rows.loc["oracle", "tokens"] == 16, "half of the 4 x 4 tokens of each picture"
    assert rows.loc["oracle", "value"] == 1
    assert rows.loc["oracle", "control"] == 0
    assert rows.loc["parrot", "value"] == 0.5, "a dog is no hot dog"
    assert rows.loc["parrot", "control"] == 0.5


def test_a_token_counts_where_half_of_it_is_covered():
    layout = plain(2, 2)
    masks = {"dog": box_mask((20, 20), 0, 0, 20, 5), "cat": box_mask((20, 20), 0, 10, 14, 20)}
    under = names_under(masks, ["dog", "cat", "cow"], layout, layout.visual)
    assert under.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]]
    stretched = {"dog": box_mask((40, 40), 0, 0, 40, 20)}
    assert names_under(stretched, ["dog"], layout, layout.visual)[:, 0].tolist() == [1, 1, 0, 0]
    assert names_under(masks, ["cat"], layout, layout.visual[[2]])[:, 0].tolist() == [1]
    assert not names_under(masks, ["dog"], layout, layout.visual, cover=0.6).any()


def lines(path):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]
