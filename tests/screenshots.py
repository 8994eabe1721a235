"""`python -m tests.screenshots [folder] [--only name]`: pictures of every view, both themes, wide and narrow.

Nothing is compared: a person (or whoever reviews a change of the views) looks at them. Views that need a kernel stand
on a bare page, each drawn by a module of its own as in a notebook; the others, and names that begin with "saved", are
exported pages.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright

import explore
from explore.errors import CheckpointError
from explore.jobs import Job
from explore.layout import TokenLayout
from explore.lens import control
from explore.maps import METHODS
from explore.sessions import Session
from explore.trace import Trace
from tests.browser import CHROMIUM, FLAGS, PATIENCE, mount_on
from tests.query_traces import query_trace
from tests.widgets import flowing, lens_samples
from tests.widgets.samples import HOSTILE, answer_maps, sample_grid, sample_scene, sample_trace
from widgets import CompareMaps, FlowView, JobBar, LensView, Selection, SessionPanel, TokenImageView
from widgets.ask_form import AskForm
from widgets.base import View
from widgets.export import export_html

Scheme = Literal["light", "dark"]
FAILURE = "The prompt is 4096 tokens long. The model takes 2048. Use a shorter question or a smaller picture."
SIZES: tuple[tuple[int, Scheme], ...] = ((1200, "light"), (1200, "dark"), (480, "light"), (480, "dark"), (760, "dark"))


def main() -> None:
    """Write the pictures and say where."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description="Pictures of every view.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("runs/screenshots"))
    parser.add_argument("--only", default="", help="names that begin with this")
    wanted = parser.parse_args()
    folder = wanted.folder
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as pages:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS), timeout=PATIENCE)
        for name, views in scenes().items():
            if not name.startswith(wanted.only):
                continue
            path = export_html(views, Path(pages) / f"{name}.html", title=name.replace("-", " ").capitalize())
            live = not name.startswith("saved") and any(view.handlers() for view in views)
            for width, scheme in SIZES:
                page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
                page.set_default_timeout(PATIENCE)
                page.goto("about:blank" if live else path.as_uri())
                for view in views if live else ():
                    mount_on(page, view)
                if name in ("patch", "compare-made"):
                    pin(page)
                page.wait_for_timeout(300)
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                page.close()
        browser.close()
    print(f"Pictures are in {folder}.")


def scenes() -> dict[str, list[View]]:
    """What is photographed: name to the views of one page."""
    session = Session(cache_bytes=0)
    trace, made_up = shown_trace(session), sample_trace()
    of_queries = query_trace(((16, 16),), 32, pictures=[sample_scene().image])
    cat, house = sample_scene().masks
    jobs, asking = JobBar(session), AskForm(_never)
    jobs.jobs = [
        _job(1, "Ask “What is this?”", "done", 1.0),
        _job(2, "Ask “What is the colour of the thing that is left o…”", "failed", None, FAILURE),
        _job(3, "Build a bank", "running", 0.42, "phrase 420 of 1000"),
        _job(4, "Load Qwen2.5-VL", "queued", None),
    ]
    asking.jobs = [_job(5, "Ask “What do you see?”", "running", 0.3, "token 12 of 64")]
    return {
        "answer": [TokenImageView(trace)],
        "patch": [TokenImageView(trace, table=True)],
        "two-pictures": [TokenImageView(sample_trace(pictures=2), smooth=False, words=False)],
        "hostile": [TokenImageView(sample_trace(answer=(*HOSTILE, " house", "</s>")))],
        "portrait": [TokenImageView(portrait_trace())],
        "no-maps": [TokenImageView(replace(sample_trace(), columns=None))],
        "no-pictures": [TokenImageView(replace(sample_trace(), images=()))],
        "queries": [TokenImageView(of_queries)],
        "queries-one": [
            TokenImageView(
                of_queries, table=True, selection=Selection(patch=int(of_queries.layout.queries[0].positions[20]))
            )
        ],
        "queries-two-pictures": [TokenImageView(query_trace(each=8, pictures=(sample_scene().image, portrait())))],
        "queries-unrecorded": [TokenImageView(replace(of_queries, vision={}))],
        "nothing-said": [TokenImageView(sample_trace(answer=()))],
        "compare": [CompareMaps(made_up, masks={"cat": cat, "house": house}, region="house")],
        "compare-answer": [CompareMaps(trace, words=False, stretch=True)],
        "compare-made": [compared(made_up, masks={"cat": cat}, region="cat", opened=["tam", "knockout"], table=True)],
        "compare-two-pictures": [CompareMaps(sample_trace(pictures=2), shown=["tam", "logit"], grid=1)],
        "compare-portrait": [CompareMaps(portrait_trace(), region=(40, 240, 260, 460), opened=["random"])],
        "compare-no-pictures": [CompareMaps(replace(made_up, images=()), smooth=False)],
        "lens": [lens_view(made_up, drift=lens_samples.drift(made_up))],
        "lens-word": [lens_view(made_up, maps={"boat": lens_samples.exact(made_up)}, lens="LatentLens", word="boat")],
        "lens-no-pictures": [LensView(lens_samples.vocabulary(made_up), replace(made_up, images=()), word="zebra")],
        "lens-two-pictures": [LensView(lens_samples.phrases(two := sample_trace(pictures=2)), two)],
        "flow": [
            FlowView(
                flowing.TRACE,
                flowing.knockout_set(),
                flowing.heads(),
                flowing.cells(),
                flowing.graph(),
                selection=Selection(layer=3, head=1, patch=18),
            )
        ],
        "ask-scenes": [asking],
        "ask-drawing": [AskForm(_never, origin="drawing")],
        "ask-photo": [AskForm(_never, origin="photo")],
        "ask-portrait-and-answer": [with_photo(AskForm(_never, origin="photo")), TokenImageView(trace)],
        "session": [jobs, SessionPanel(session)],
        "saved-form": [AskForm(_never), AskForm(_never, origin="drawing")],
    }


def compared(trace: Trace, **settings: Any) -> CompareMaps:
    """Eight methods, some of which explain the answer only."""
    recorded = {name: METHODS[name]().maps(trace) for name in ("tam", "logit", "random", "centre")}
    rerun = {
        name: answer_maps(trace, name, seed=seed) for seed, name in enumerate(("rollout", "relevance", "occlusion"))
    }
    return CompareMaps(trace, {**recorded, **rerun, "knockout": answer_maps(trace, seed=9)}, **settings)


def lens_view(trace: Trace, **settings: Any) -> LensView:
    """Two lenses, one with a note and two controls."""
    latent = lens_samples.phrases(trace, ["3 states are zero: they have no direction and no label."])
    beside = [control(latent, "shuffled"), replace(latent, control="random", scores=latent.scores / 2)]
    return LensView([latent, lens_samples.vocabulary(trace), *beside], trace, **settings)


def portrait() -> Image.Image:
    """A tall picture with a disc, which shows any distortion."""
    picture = Image.new("RGB", (300, 700), "#f4efe6")
    ImageDraw.Draw(picture).ellipse((50, 250, 250, 450), fill="#b3402e")
    return picture


def portrait_trace() -> Trace:
    """The made-up run over the tall picture."""
    trace = sample_trace()
    grid = sample_grid(12, 12, 1, 0, (300, 700))
    return replace(trace, images=(portrait(),), layout=TokenLayout(trace.layout.roles, (grid,)))


def with_photo(form: AskForm) -> AskForm:
    """The form after an upload."""
    stream = io.BytesIO()
    portrait().save(stream, "PNG")
    form.handlers()["upload"]("a tall picture.png", buffers=[memoryview(stream.getvalue())])
    return form


def shown_trace(session: Session) -> Trace:
    """A run of the shipped model, or a made-up one where it is missing."""
    try:
        return session.load().ask(explore.sketch.examples()[4].image, "What do you see?")
    except CheckpointError:
        return sample_trace()


def pin(page: Page) -> None:
    """Mark a patch of the first picture."""
    grid = page.get_by_role("grid").first
    box = grid.bounding_box()
    assert box is not None
    grid.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.7})


def _job(number: int, name: str, state: str, progress: float | None, message: str = "") -> dict[str, object]:
    return {"id": number, "name": name, "state": state, "progress": progress, "message": message}


def _never(_picture: object, _question: str) -> Job[None]:
    raise AssertionError("nothing is asked here")


if __name__ == "__main__":
    main()
