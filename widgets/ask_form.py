"""The form that starts a run: a shipped scene, a drawing or a photograph, and a question."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import traitlets
from PIL import Image

from explore.errors import ParameterError, QuestionError
from explore.jobs import Job
from explore.sketch import BACKGROUNDS, COLOURS, KINDS, Scene, Thing, examples, scene
from explore.sketch.language import questions
from explore.sketch.scenes import SIZE, SIZES
from widgets.base import View
from widgets.job_bar import JobMirror
from widgets.pictures import encode_picture

ABOUT_ANYTHING = ("What do you see?", "What is this?", "How many things are there?")
FIRST_DRAWING = {
    "things": [
        {"kind": "cat", "colour": "orange", "size": "large", "x": 0.3, "y": 0.62, "text": ""},
        {"kind": "house", "colour": "blue", "size": "large", "x": 0.74, "y": 0.36, "text": ""},
    ],
    "background": "grass",
}
_SUGGESTIONS = 4

Ask = Callable[[Image.Image, str], Job[Any]]


class AskForm(View):
    """Pick a scene, draw one or upload a photo; type a question; ask.

    Drawing and uploading only change the picture. The model runs when the *Ask* button is pressed, as a job.

    Parameters
    ----------
    ask : callable
        Called with the picture and the question; returns the job that runs the model.

    Other Parameters
    ----------------
    origin : {"example", "drawing", "photo"}
        Where the picture comes from at first.
    example : int
        Which of the scenes.
    drawing : dict
        What the drawing shows; see ``FIRST_DRAWING``.
    question : str
        What stands in the line.
    """

    static = "ask_form"
    styles = ("ask_form", "jobs")
    settings = ("origin", "example", "drawing", "question")

    examples: Any = traitlets.List().tag(sync=True)
    palette: Any = traitlets.Dict(help="What a drawing can be made of.").tag(sync=True)
    suggestions: Any = traitlets.List(list(ABOUT_ANYTHING)).tag(sync=True)
    drawn: Any = traitlets.Dict(help="The drawing as the kernel drew it last.").tag(sync=True)
    uploaded: Any = traitlets.Dict().tag(sync=True)
    jobs: Any = traitlets.List().tag(sync=True)

    origin = traitlets.Enum(("example", "drawing", "photo"), "example").tag(sync=True)
    example = traitlets.Int(0).tag(sync=True)
    drawing: Any = traitlets.Dict(FIRST_DRAWING).tag(sync=True)
    question = traitlets.Unicode(ABOUT_ANYTHING[0]).tag(sync=True)

    def __init__(self, ask: Ask, **settings: Any) -> None:
        self._ask_model = ask
        self._scenes = _examples()
        # Something to compare is a better start than a single thing.
        settings.setdefault("example", next((i for i, each in enumerate(self._scenes) if len(each.things) > 2), 0))
        self._photo: Image.Image | None = None
        self._job: Job[Any] | None = None
        super().__init__(
            settings,
            examples=[_scene_state(each) for each in self._scenes],
            palette=_palette(),
            drawn=_scene_state(drawn_scene(settings.get("drawing", FIRST_DRAWING))),
        )
        self._mirror = JobMirror(self, lambda: [self._job] if self._job else [])

    def handlers(self) -> dict[str, Callable[..., None]]:
        return {"draw": self._draw, "upload": self._upload, "ask": self._ask, "cancel": self._cancel}

    @property
    def picture(self) -> Image.Image:
        """The picture that would be asked about now.

        Raises
        ------
        ParameterError
            No photo was uploaded yet.
        """
        if self.origin == "example":
            return self._scenes[self.example].image
        if self.origin == "drawing":
            return drawn_scene(self.drawing).image
        if self._photo is None:
            raise ParameterError("There is no photo yet", "", "Choose a file first.")
        return self._photo

    def _draw(self, drawing: dict[str, Any]) -> None:
        self.drawn = _scene_state(drawn_scene(drawing))

    def _upload(self, name: str, buffers: Sequence[memoryview]) -> None:
        from explore.models.pictures import open_picture  # the same reader as for pictures in code

        self._photo = open_picture(bytes(buffers[0]))
        self.uploaded = {"name": name, "picture": encode_picture(self._photo)}

    def _ask(self, question: str, origin: str, example: int, drawing: dict[str, Any]) -> None:
        """Ask about what the browser shows.

        It says so in the message itself: changed traits wait in the browser while the kernel is busy, messages do not.
        """
        if self._job is not None and not self._job.done:
            return  # clicked twice, before the browser heard of the job
        if not question.strip():
            raise QuestionError("The question is empty", "", "Type one, or take one of those below the line.")
        self.set_state({"question": question, "origin": origin, "example": example, "drawing": drawing})
        self._job = self._ask_model(self.picture, question)
        self._job.observe(self._mirror.refresh)
        self._mirror.refresh()

    def _cancel(self, id: int) -> None:
        if self._job is not None and self._job.id == id:
            self._job.cancel()


@functools.cache
def _examples() -> list[Scene]:
    """Drawn once a kernel: a dozen scenes take longer than everything else here."""
    return examples()


def drawn_scene(drawing: dict[str, Any]) -> Scene:
    """The scene of a drawing as the browser describes it.

    Raises
    ------
    ParameterError
        For an unknown kind, colour, size or background, a place outside the picture, or no things or more than four.
    """
    things = [
        Thing(
            str(thing["kind"]),
            str(thing["colour"]),
            str(thing["size"]),
            (float(thing["x"]), float(thing["y"])),
            str(thing["text"]) if thing["kind"] == "sign" else "",
        )
        for thing in drawing["things"]
    ]
    return scene(things, background=str(drawing["background"]))


def _scene_state(drawn: Scene) -> dict[str, Any]:
    return {"title": drawn.caption(), "picture": encode_picture(drawn.image), "questions": _suggested(drawn)}


def _suggested(drawn: Scene) -> list[str]:
    """A few questions this scene can answer, of different types."""
    by_type = {question.type: question.text for question in questions(drawn, np.random.default_rng(drawn.seed))}
    wanted = [by_type[name] for name in ("relation", "sign", "colour", "count", "where") if name in by_type]
    return [ABOUT_ANYTHING[0], *wanted][:_SUGGESTIONS]


def _palette() -> dict[str, Any]:
    return {
        "kinds": [{"name": name, "group": kind.group} for name, kind in KINDS.items()],
        "colours": {name: f"rgb({red} {green} {blue})" for name, (red, green, blue) in COLOURS.items()},
        "sizes": {name: sum(span) / 2 / SIZE for name, span in SIZES.items()},
        "backgrounds": list(BACKGROUNDS),
    }
