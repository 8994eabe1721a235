"""Workbench and ask panel with a real, tiny model behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import explore
from explore.models.runner import Runner
from tests.tiny import tiny_llava, tiny_runner
from tests.widgets.samples import position_of, sample_trace
from tests.widgets.test_ask_form import press_ask
from tests.widgets.test_job_bar import until
from widgets import AskPanel, Selection, TokenImageView, Workbench


@pytest.fixture
def panel() -> Iterator[AskPanel]:
    made = AskPanel(tiny_runner(), max_new_tokens=4)
    yield made
    made.close()


def test_a_workbench_has_one_selection() -> None:
    trace = sample_trace()
    bench = Workbench(trace, words=False)
    assert bench.view.words is False
    bench.selection = Selection(token=position_of(trace, " left"))
    assert bench.view.selection.token == position_of(trace, " left")


def test_a_workbench_refuses_what_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="Did you mean 'colormap'"):
        Workbench(sample_trace(), colourmap="viridis")  # type: ignore[call-arg]


def test_a_saved_run_opens_in_the_same_view(tmp_path: Path) -> None:
    trace = sample_trace()
    trace.save(tmp_path / "run.trace")
    again = TokenImageView(explore.open_trace(tmp_path / "run.trace"))
    first = TokenImageView(trace)
    assert again.run == first.run
    assert [m["packed"] for m in again.methods] == [m["packed"] for m in first.methods]
    assert again.tokens == first.tokens


def test_asking_in_the_panel_shows_a_workbench(panel: AskPanel) -> None:
    assert panel.trace is None
    press_ask(panel.form, "what is this ?")
    until(lambda: bool(panel.form.jobs) and panel.form.jobs[0]["state"] not in ("queued", "running"))
    assert panel.form.jobs[0]["state"] == "done", panel.form.jobs
    assert panel.trace is not None
    assert panel.workbench is not None
    assert panel.trace.question == "what is this ?"
    assert panel.children == (panel.form, panel.workbench)
    view = panel.workbench.view
    assert [token["text"] for token in view.tokens if token["role"] == "answer"] == [
        token.text for token in panel.trace.tokens[panel.trace.prompt_length :]
    ]
    assert len(view.methods) == 3


def test_the_next_answer_replaces_the_last(panel: AskPanel) -> None:
    picture = panel.form.picture
    panel.ask(picture, "what is this ?").result(60)
    first = panel.workbench
    panel.ask(picture, "what colour ?").result(60)
    assert panel.workbench is not first
    assert panel.children == (panel.form, panel.workbench)


def test_a_failed_question_leaves_the_panel_usable(panel: AskPanel) -> None:
    press_ask(panel.form, "what " * 2000)
    until(lambda: bool(panel.form.jobs) and panel.form.jobs[0]["state"] == "failed")
    assert "context" in panel.form.jobs[0]["message"].lower()
    panel.ask(panel.form.picture, "what is this ?").result(60)
    assert panel.trace is not None


def test_the_default_model_is_loaded_again_after_it_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = [fresh_runner()]
    monkeypatch.setattr("widgets.ask_panel.load", lambda: loaded[-1])
    panel = AskPanel(max_new_tokens=2)
    assert panel.runner is loaded[0]
    loaded[0].close()
    loaded.append(fresh_runner())
    panel.ask(panel.form.picture, "what is this ?").result(60)
    assert panel.trace is not None


def fresh_runner() -> Runner:
    """One that may be closed: the shared one must not."""
    model, processor = tiny_llava()
    return Runner(model, processor, checkpoint="tiny", revision="test")
