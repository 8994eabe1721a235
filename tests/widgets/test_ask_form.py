"""The form to ask with: pictures from three sources, questions to try, and no run without the button."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from explore.jobs import Job
from explore.sessions import Session
from explore.sketch import examples
from tests.widgets.test_base import receive
from tests.widgets.test_job_bar import WAIT, Slow, until
from widgets.ask_form import FIRST_DRAWING, AskForm, drawn_scene
from widgets.pictures import encode_picture


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


def press_ask(form: AskForm, question: str, **shown: Any) -> None:
    """The message the button sends: the question and what the browser shows."""
    now = {"origin": form.origin, "example": form.example, "drawing": form.drawing}
    receive(form, {"kind": "ask", "question": question, **now, **shown})


def test_a_dozen_scenes_with_questions_they_can_answer(asked: Asked) -> None:
    form = AskForm(asked)
    assert len(form.examples) == 12
    assert all(2 <= len(example["questions"]) <= 4 for example in form.examples)
    assert form.examples[0]["title"] == examples()[0].caption()


def test_asking_runs_the_model_on_the_chosen_scene(asked: Asked) -> None:
    form = AskForm(asked)
    form.set_state({"example": 3})
    assert asked.questions == []
    press_ask(form, "What is this?")
    (picture, question), *rest = asked.questions
    assert (question, rest) == ("What is this?", [])
    np.testing.assert_array_equal(picture, examples()[3].image)
    until(lambda: form.jobs[0]["state"] == "done")


def test_it_asks_about_what_the_browser_shows_though_its_traits_come_later(asked: Asked) -> None:
    form = AskForm(asked)
    press_ask(form, "What is this?", example=3)
    np.testing.assert_array_equal(asked.questions[0][0], examples()[3].image)
    assert (form.example, form.question) == (3, "What is this?")
    until(lambda: form.jobs[0]["state"] == "done")
    ball = {"kind": "ball", "colour": "red", "size": "small", "x": 0.5, "y": 0.5, "text": ""}
    press_ask(form, "What is this?", origin="drawing", drawing={"things": [ball], "background": "snow"})
    drawn = drawn_scene({"things": [ball], "background": "snow"})
    np.testing.assert_array_equal(asked.questions[1][0], drawn.image)


def test_a_given_drawing_is_shown(asked: Asked) -> None:
    drawing = {"things": FIRST_DRAWING["things"][:1], "background": "snow"}  # type: ignore[index]
    form = AskForm(asked, origin="drawing", drawing=drawing)
    assert form.drawn["title"] == drawn_scene(drawing).caption()
    assert form.drawn["picture"] == encode_picture(form.picture)


def test_a_second_click_asks_nothing_while_the_first_is_open(asked: Asked) -> None:
    form = AskForm(asked)
    work = Slow()
    asked.session.submit(work)
    assert work.started.wait(WAIT)
    press_ask(form, "What is this?")
    press_ask(form, "What is this?")
    assert len(asked.questions) == 1
    work.go_on.set()


def test_drawing_changes_the_picture_and_not_more(asked: Asked) -> None:
    form = AskForm(asked, origin="drawing")
    before = form.drawn
    drawing = {"things": [{**FIRST_DRAWING["things"][0], "kind": "sign", "text": "ZOO"}], "background": "snow"}  # type: ignore[index,dict-item]
    form.set_state({"drawing": drawing})
    receive(form, {"kind": "draw", "drawing": drawing})
    assert form.drawn["picture"] != before["picture"]
    assert "sign" in form.drawn["title"]
    assert asked.questions == []
    press_ask(form, "What does the sign say?")
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
    press_ask(form, "What is this?")
    assert asked.questions[0][0].size == (30, 20)


def test_what_is_no_picture_is_explained_and_the_form_stays_usable(asked: Asked) -> None:
    form = AskForm(asked, origin="photo")
    receive(form, {"kind": "upload", "name": "p.txt"}, [memoryview(b"hello")])
    assert form.error
    press_ask(form, "What is this?")
    assert "no photo" in form.error
    receive(form, {"kind": "upload", "name": "p.png"}, [memoryview(png())])
    assert form.error == ""


def test_an_empty_question_is_refused(asked: Asked) -> None:
    form = AskForm(asked)
    press_ask(form, "  ")
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
    sent = page.evaluate("models[0].sent[0].content")
    assert sent == {"kind": "ask", "question": question, "origin": "example", "example": 5, "drawing": FIRST_DRAWING}
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


@pytest.mark.browser
def test_ask_waits_for_its_own_job(mount: Callable[..., Page], asked: Asked) -> None:
    page = mount(AskForm(asked))
    button = page.get_by_role("button", name="Ask", exact=True)
    update = "(jobs) => { models[0].state.jobs = jobs; models[0].tell('jobs'); }"
    job = {"id": 1, "name": "Ask", "state": "queued", "progress": None, "message": ""}
    for state in ("queued", "running"):
        page.evaluate(update, [{**job, "state": state}])
        expect(button).to_be_disabled()
    page.get_by_label("Question", exact=True).press("Enter")
    assert page.evaluate("models[0].sent") == []
    page.evaluate(update, [{**job, "state": "failed", "message": "No."}])
    expect(button).to_be_enabled()


@pytest.mark.browser
def test_the_fifth_thing_is_refused_in_words(mount: Callable[..., Page], asked: Asked) -> None:
    page = mount(AskForm(asked, origin="drawing"))
    sheet = page.get_by_role("application")
    box = sheet.bounding_box()
    assert box is not None
    for x, y in ((0.1, 0.1), (0.1, 0.9)):
        sheet.click(position={"x": x * box["width"], "y": y * box["height"]})
    expect(page.locator(".vlms-things li")).to_have_count(4)
    sheet.click(position={"x": box["width"] * 0.95, "y": box["height"] * 0.95})
    expect(page.get_by_text("Four things are the most")).to_be_visible()
    page.locator(".vlms-things").get_by_role("button", name="Remove").first.click()
    expect(page.get_by_text("Click the picture to add a thing")).to_be_visible()


@pytest.mark.browser
def test_a_choice_updates_the_form_once(mount: Callable[..., Page], asked: Asked) -> None:
    page = mount(AskForm(asked))
    page.evaluate(
        """() => {
          window.drawn = 0;
          const image = document.querySelector(".vlms-stage img");
          new MutationObserver((all) => (drawn += all.length)).observe(image, { attributeFilter: ["alt"] });
        }"""
    )
    page.get_by_role("radiogroup", name="Scenes").get_by_role("radio").nth(5).check()
    page.wait_for_function("drawn > 0")
    assert page.evaluate("drawn") == 1
