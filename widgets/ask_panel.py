"""Where a notebook begins: choose a picture, ask, and see the answer with its maps below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from explore.jobs import Job
from explore.sessions import Session, load, session
from explore.trace import Trace
from widgets.ask_form import AskForm
from widgets.workbench import Workbench

if TYPE_CHECKING:
    from PIL import Image

    from explore.models.runner import Runner


class AskPanel(ipywidgets.VBox):
    """The form to ask with, and below it the workbench of the last answer.

    Parameters
    ----------
    runner : Runner, optional
        The model to ask; by default the one that ships.
    max_new_tokens : int
        Longest answer in tokens.

    Attributes
    ----------
    trace : Trace or None
        The last run, for the cells that follow.
    workbench : Workbench or None
        Its views.
    """

    def __init__(self, runner: Runner | None = None, *, max_new_tokens: int = 64) -> None:
        if runner is None:
            load()  # now, so that the first question need not wait for it
        self._runner = runner
        self.max_new_tokens = max_new_tokens
        self.trace: Trace | None = None
        self.workbench: Workbench | None = None
        self._session: Session = session()
        self.form = AskForm(self.ask)
        super().__init__([self.form])

    @property
    def runner(self) -> Runner:
        """The model that is asked; the one that ships is loaded again where somebody closed it."""
        return self._runner if self._runner is not None else load()

    def ask(self, picture: Image.Image, question: str) -> Job[Trace]:
        """Ask the model as a job; its answer replaces the one shown."""
        return self._session.submit(self._run, picture, question, name=f"Ask “{_shortened(question)}”")

    def _run(self, picture: Image.Image, question: str, progress: Any = None) -> Trace:
        trace = self.runner.ask(picture, question, max_new_tokens=self.max_new_tokens, progress=progress)
        before, self.trace, self.workbench = self.workbench, trace, Workbench(trace)
        self.children = (self.form, self.workbench)
        if before is not None:
            before.view.close()
            before.close()
        return trace


def _shortened(text: str, length: int = 48) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
