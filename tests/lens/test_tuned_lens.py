"""Fitting a tuned lens: it gets better than the logit lens, and being stopped changes no byte of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import explore
from explore.errors import Cancelled, ParameterError
from explore.lens import fit_tuned_lens, logit_lens, open_tuned_lens, tuned_lens
from explore.lens.translators import Translators, TunedLensFileError
from explore.models.runner import Runner
from explore.runs import Report
from explore.sketch.language import caption
from explore.sketch.scenes import draw_contents
from tests.lens.lens_cases import tiny_trace
from tests.tiny import tiny_llava, tiny_runner

FEW = {"steps": 8, "batch_tokens": 40, "held_out": 0.3}
TEXTS = [
    f"the {colour} {thing} is on the left" for colour in ("red", "blue", "green") for thing in ("dog", "cat", "house")
]


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with explore.Session() as session:
        yield session.load()


def stopped_at(step: int) -> Report:
    def progress(done: float | None, message: str) -> None:
        if message.startswith(f"step {step} "):
            raise Cancelled

    return progress


def test_a_fit_beats_the_logit_lens_on_texts_it_never_saw(runner: Runner, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = [caption(draw_contents(rng)).text for _ in range(200)]
    fitted = fit_tuned_lens(runner, texts, tmp_path / "lens", layers=[0, 2, 4], steps=20, batch_tokens=256)
    assert fitted.layers == (0, 2, 4)
    for each in fitted.held_out.values():
        assert each.tuned < 0.6 * each.logit
    picture = explore.sketch.scene(seed=7).image
    trace = runner.ask(picture, "What is in the picture?", max_new_tokens=1)
    reading = tuned_lens(trace, fitted)
    assert reading.layers.tolist() == [0, 2, 4]
    assert "in brackets that of the logit lens" in reading.notes[0]
    last = tuned_lens(trace, fitted, layers=[trace.layers])
    assert np.array_equal(last.ids, logit_lens(trace, layers=[trace.layers]).ids)
    with pytest.raises(ParameterError, match="no map for layer 1"):
        tuned_lens(trace, fitted, layers=[1])


@pytest.mark.parametrize("step", [1, 5, 8])
def test_a_stopped_fit_goes_on_to_the_same_bytes(step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explore.lens.tuned_fit._SAVE_EVERY", 3)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    fit_tuned_lens(tiny_runner(), TEXTS, whole, **FEW)
    with pytest.raises(Cancelled):
        fit_tuned_lens(tiny_runner(), TEXTS, cut, **FEW, progress=stopped_at(step))
    assert not cut.exists()
    told: list[str] = []
    fit_tuned_lens(tiny_runner(), TEXTS, cut, **FEW, progress=lambda done, message: told.append(message))
    assert len(told) == 8 - step
    assert cut.read_bytes() == whole.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cut", "whole"]


def test_a_killed_fit_goes_on_from_what_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill leaves no time to save: what was saved every few steps must do."""
    monkeypatch.setattr("explore.lens.tuned_fit._SAVE_EVERY", 3)
    fit_tuned_lens(tiny_runner(), TEXTS, tmp_path / "whole", **FEW)
    from explore.lens.fit_steps import Fitting

    step = Fitting.step

    def killed(self: Fitting, texts: object) -> float:
        if self.done == 5:
            raise KeyboardInterrupt
        return step(self, texts)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Fitting, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            fit_tuned_lens(tiny_runner(), TEXTS, tmp_path / "cut", **FEW)
    told: list[str] = []
    fit_tuned_lens(tiny_runner(), TEXTS, tmp_path / "cut", **FEW, progress=lambda done, message: told.append(message))
    assert len(told) == 5
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_finished_fit_is_opened_and_another_one_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "lens"
    fitted = fit_tuned_lens(tiny_runner(), TEXTS, path, **FEW)

    def never(done: float | None, message: str) -> None:
        raise AssertionError("it was fitted already")

    again = fit_tuned_lens(tiny_runner(), TEXTS, path, **FEW, progress=never)
    assert again.digest == fitted.digest == open_tuned_lens(path).digest
    assert again.held_out == fitted.held_out
    assert "logit lens" in repr(again)
    with pytest.raises(ParameterError, match="other settings"):
        fit_tuned_lens(tiny_runner(), TEXTS, path, **{**FEW, "seed": 1})
    with pytest.raises(Cancelled):
        fit_tuned_lens(tiny_runner(), TEXTS, tmp_path / "begun", **FEW, progress=stopped_at(2))
    with pytest.raises(ParameterError, match="another fit that was begun"):
        fit_tuned_lens(tiny_runner(), TEXTS[1:], tmp_path / "begun", **FEW)


def test_a_lens_of_another_model_is_refused(tmp_path: Path) -> None:
    model, processor = tiny_llava(seed=2)
    other = Runner(model, processor, checkpoint="other", revision="test")
    fitted = fit_tuned_lens(other, TEXTS, tmp_path / "lens", **FEW)
    with pytest.raises(ParameterError, match="this tuned lens"):
        tuned_lens(tiny_trace(), fitted)
    with pytest.raises(ParameterError, match="another model"):
        fit_tuned_lens(tiny_runner(), TEXTS, tmp_path / "lens", **FEW)


def test_files_that_are_no_lens_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "lens"
    Translators.zero((0, 1), 4, {"checkpoint": "tiny"}).save(path)
    assert open_tuned_lens(path).layers == (0, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\x01")
    with pytest.raises(TunedLensFileError, match="have changed"):
        open_tuned_lens(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TunedLensFileError, match="damaged"):
        open_tuned_lens(path)
    path.write_text("nothing")
    with pytest.raises(TunedLensFileError, match="cannot be opened"):
        open_tuned_lens(path)
    tiny_trace().save(path)
    with pytest.raises(TunedLensFileError, match="another kind"):
        open_tuned_lens(path)
    path.write_bytes(whole.replace(b'\\"version\\": 1', b'\\"version\\": 9'))
    with pytest.raises(TunedLensFileError, match="Update vlmscope"):
        open_tuned_lens(path)
    with pytest.raises(TunedLensFileError, match="no file"):
        open_tuned_lens(tmp_path / "nowhere")
    with pytest.raises(TunedLensFileError, match="cannot be written"):
        Translators.zero((0,), 4, {}).save(tmp_path / "no" / "folder")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"texts": "one text"}, "list of texts"),
        ({"texts": ["a dog", "a dog"]}, "1 different texts"),
        ({"texts": []}, "0 different texts"),
        ({"layers": [2]}, "layer 2 is what they are fitted to"),
        ({"layers": []}, "layers="),
        ({"steps": 0}, "above 0"),
        ({"held_out": 1.0}, "share"),
    ],
)
def test_what_cannot_be_fitted(change: dict, said: str, tmp_path: Path) -> None:
    given = {"texts": TEXTS, **FEW, **change}
    with pytest.raises(ParameterError, match=said):
        fit_tuned_lens(tiny_runner(), given.pop("texts"), tmp_path / "lens", **given)
