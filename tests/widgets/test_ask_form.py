"""The form to ask with: pictures from three sources, questions to try, and no run without the button."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from explore.jobs import Job
from explore.sessions import Session
from explore.sketch import examples
from tests.widgets.test_base import receive
from tests.widgets.test_job_bar import until
from widgets.ask_form import FIRST_DRAWING, AskForm


class Asked:
    """Stands in for the model and remembers what it was asked."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.questions: list[tuple[Image.Image, str]] = []

    def __call__(self, picture: Image.Image, question: str) -> Job[None]:
        self.questions.append((picture, question))
        return self.session.submit(lambda: None, name=question)


@pytest.fixture
def asked() -> Iterator[Asked]:
    with Session(cache_bytes=0) as session:
        yield Asked(session)


def png(size: tuple[int, int] = (30, 20), colour: str = "teal") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


def test_a_dozen_scenes_with_questions_they_can_answer(asked: Asked) -> None:
    form = AskForm(asked)
    assert len(form.examples) == 12
    assert all(2 <= len(example["questions"]) <= 4 for example in form.examples)
    assert form.examples[0]["title"] == examples()[0].caption()


def test_asking_runs_the_model_on_the_chosen_scene(asked: Asked) -> None:
    form = AskForm(asked)
    form.set_state({"example": 3})
    assert asked.questions == []
    receive(form, {"kind": "ask", "question": "What is this?"})
    (picture, question), *rest = asked.questions
    assert (question, rest) == ("What is this?", [])
    np.testing.assert_array_equal(picture, examples()[3].image)
    until(lambda: form.jobs[0]["state"] == "done")


def test_drawing_changes_the_picture_and_not_more(asked: Asked) -> None:
    form = AskForm(asked, origin="drawing")
    before = form.drawn
    drawing = {"things": [{**FIRST_DRAWING["things"][0], "kind": "sign", "text": "ZOO"}], "background": "snow"}  # type: ignore[index,dict-item]
    form.set_state({"drawing": drawing})
    receive(form, {"kind": "draw", "drawing": drawing})
    assert form.drawn["picture"] != before["picture"]
    assert "sign" in form.drawn["title"]
    assert asked.questions == []
    receive(form, {"kind": "ask", "question": "What does the sign say?"})
    assert asked.questions[0][0].size == (192, 192)


def test_an_impossible_drawing_is_explained(asked: Asked) -> None:
    form = AskForm(asked)
    receive(form, {"kind": "draw", "drawing": {"things": [], "background": "snow"}})
    assert "1 to 4 things" in form.error


def test_a_photo_is_read_like_any_picture(asked: Asked) -> None:
    form = AskForm(asked, origin="photo")
    receive(form, {"kind": "upload", "name": "p.png"}, [memoryview(png())])
    assert form.uploaded["name"] == "p.png"
    assert (form.uploaded["picture"]["width"], form.uploaded["picture"]["height"]) == (30, 20)
    receive(form, {"kind": "ask", "question": "What is this?"})
    assert asked.questions[0][0].size == (30, 20)


def test_what_is_no_picture_is_explained_and_the_form_stays_usable(asked: Asked) -> None:
    form = AskForm(asked, origin="photo")
    receive(form, {"kind": "upload", "name": "p.txt"}, [memoryview(b"hello")])
    assert form.error
    receive(form, {"kind": "ask", "question": "What is this?"})
    assert "no photo" in form.error
    receive(form, {"kind": "upload", "name": "p.png"}, [memoryview(png())])
    assert form.error == ""


def test_an_empty_question_is_refused(asked: Asked) -> None:
    form = AskForm(asked)
    receive(form, {"kind": "ask", "question": "  "})
    assert "empty" in form.error
    assert asked.questions == []


@pytest.mark.browser
def test_choosing_scene_and_question_asks_nothing_until_the_button(mount: Callable[..., Page], asked: Asked) -> None:
    form = AskForm(asked)
    page = mount(form)
    page.get_by_role("radiogroup", name="Scenes").get_by_role("radio").nth(5).check()
    question = form.examples[5]["questions"][1]
    page.get_by_role("button", name=question).click()
    assert page.evaluate("models[0].sent") == []
    page.get_by_role("button", name="Ask", exact=True).click()
    assert page.evaluate("models[0].sent[0].content") == {"kind": "ask", "question": question}
    assert page.evaluate("models[0].state.example") == 5
    page.get_by_label("Question", exact=True).fill("   ")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()


@pytest.mark.browser
def test_drawing_with_the_pointer_and_with_keys(mount: Callable[..., Page], asked: Asked) -> None:
    page = mount(AskForm(asked))
    page.get_by_role("radio", name="Draw").check()
    sheet = page.get_by_role("application")
    box = sheet.bounding_box()
    assert box is not None
    page.get_by_role("button", name="Remove the blue house").click()
    sheet.click(position={"x": box["width"] * 0.8, "y": box["height"] * 0.2})
    expect(page.locator(".vlms-things li")).to_have_count(2)
    page.get_by_label("Thing", exact=True).select_option("sign")
    page.get_by_label("Says").fill("zoo")
    page.get_by_role("radio", name="green").check()
    page.get_by_role("radio", name="small").check()
    page.get_by_label("Background").select_option("snow")
    sheet.focus()
    page.keyboard.press("ArrowDown")
    drawing = page.evaluate("models[0].sent.at(-1).content.drawing")
    assert drawing["background"] == "snow"
    thing = drawing["things"][1]
    assert thing == {
        "kind": "sign",
        "colour": "green",
        "size": "small",
        "x": pytest.approx(0.8, abs=0.01),
        "y": pytest.approx(0.24, abs=0.01),
        "text": "ZOO",
    }
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.24)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.up()
    moved = page.evaluate("models[0].sent.at(-1).content.drawing.things[1]")
    assert (moved["x"], moved["y"]) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01))


@pytest.mark.browser
def test_small_photos_go_as_they_are_and_large_ones_are_scaled(
    mount: Callable[..., Page], asked: Asked, tmp_path: Path
) -> None:
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    small.write_bytes(png())
    noise = np.random.default_rng(0).integers(0, 255, (1500, 4000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(large)
    page = mount(AskForm(asked))
    page.get_by_role("radio", name="Photo").check()
    chooser = page.locator("input[type=file]")
    chooser.set_input_files(small)
    page.wait_for_function("models[0].sent.length === 1")
    assert page.evaluate("models[0].sent[0]") == {
        "content": {"kind": "upload", "name": "small.png"},
        "sizes": [small.stat().st_size],
    }
    chooser.set_input_files(large)
    page.wait_for_function("models[0].sent.length === 2")
    assert page.evaluate("models[0].sent[1].sizes[0]") < 6_000_000 < large.stat().st_size
