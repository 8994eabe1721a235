"""What every view shares: strict keywords, messages, errors that are shown."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest
import traitlets

from explore.errors import ParameterError
from tests.widgets.samples import sample_trace
from widgets import JobBar, SessionPanel, TokenImageView
from widgets.ask_form import AskForm
from widgets.base import View


class Probe(View):
    """A view that takes one message."""

    static = "job_bar"
    styles = ("jobs",)
    settings = ("level",)
    level = traitlets.Float(0.5).tag(sync=True)

    def __init__(self, source: str = "", **settings: Any) -> None:
        super().__init__(settings)

    def handlers(self) -> dict[str, Callable[..., None]]:
        return {"rise": self._rise, "load": self._load}

    def _rise(self, by: float) -> None:
        if by < 0:
            raise ParameterError(f"by={by}", "It must not be negative.", "Use another.")
        self.level += by

    def _load(self, buffers: list[memoryview]) -> None:
        self.level = float(len(buffers[0]))


def receive(view: View, content: dict[str, Any], buffers: list[memoryview] | None = None) -> None:
    """What the widget machinery does when the browser sends a message."""
    view._handle_custom_msg(content, buffers or [])


def test_an_unknown_keyword_names_the_likely_one() -> None:
    with pytest.raises(TypeError, match=r"Probe has no keyword 'levle'\. Did you mean 'level'\?"):
        Probe(levle=1)


def test_an_unknown_keyword_lists_what_there_is() -> None:
    with pytest.raises(TypeError, match=r"It knows: level, source\.$"):
        Probe(zzz=1)


def test_what_a_view_computes_is_no_keyword() -> None:
    with pytest.raises(TypeError, match=r"TokenImageView has no keyword 'tokens'.*It knows: colormap, .*, maps, "):
        TokenImageView(sample_trace(), tokens=[])  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"no keyword 'session'\. .*It knows: source\.$"):
        SessionPanel(session=None)


@pytest.mark.parametrize("view", [JobBar, SessionPanel, AskForm])
def test_a_refused_view_goes_without_a_sound(view: type[View], monkeypatch: pytest.MonkeyPatch) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    with pytest.raises(TypeError, match="no keyword 'foo'"):
        view(None, foo=1)
    gc.collect()
    assert unraisable == []


def test_messages_reach_their_handlers() -> None:
    view = Probe()
    receive(view, {"kind": "rise", "by": 0.25})
    receive(view, {"kind": "rise", "by": 0.25})
    assert view.level == 1
    receive(view, {"kind": "load"}, [memoryview(b"abc")])
    assert view.level == 3


def test_our_errors_are_shown_and_the_next_message_clears_them() -> None:
    view = Probe()
    receive(view, {"kind": "rise", "by": -1})
    assert view.error == "by=-1. It must not be negative. Use another."
    assert view.level == 0.5
    receive(view, {"kind": "rise", "by": 1})
    assert view.error == ""


def test_other_errors_are_shown_with_their_kind(caplog: pytest.LogCaptureFixture) -> None:
    view = Probe()
    receive(view, {"kind": "rise", "by": "x"})
    assert view.error.startswith("TypeError: ")
    assert "rise" in caplog.text


def test_unknown_messages_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    view = Probe()
    receive(view, {"kind": "sing", "by": 1})
    receive(view, {"by": 1})
    assert (view.level, view.error) == (0.5, "")
    assert "sing" in caplog.text


def test_module_and_style_travel_with_the_view() -> None:
    state = Probe().get_state()
    assert "export default jobBar" in state["_esm"]
    assert ".vlms-job" in state["_css"]
    assert ".vlms {" in state["_css"]
