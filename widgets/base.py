"""The base of all views: one anywidget with its static files, strict keywords, messages and errors that are shown."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import anywidget
import traitlets

from explore.errors import ExploreError
from widgets.assets import module, style

log = logging.getLogger(__name__)


class View(anywidget.AnyWidget):
    """One widget of the toolkit.

    A subclass names its files: ``static/<static>.js`` ends in ``export default`` of an object with ``render``, and
    ``styles`` lists the style sheets behind ``base.css``. What the browser may ask for stands in :meth:`handlers`, and
    ``settings`` are the traits that a user may give as keywords.

    Parameters
    ----------
    settings
        What the user gave by keyword.
    **data
        The other traits, which the subclass computed.

    Raises
    ------
    TypeError
        For a keyword the view does not know, naming the likely one; traitlets would swallow it.
    """

    static: ClassVar[str] = ""
    styles: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]] = ()

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode(help="Shown inside the view; empty where nothing is wrong.").tag(sync=True)

    # Ends what the view listens to outside the browser. A default, because a view that was refused is closed too.
    _unobserve: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, settings: Mapping[str, Any] = MappingProxyType({}), /, **data: Any) -> None:
        check_keywords(type(self), settings)
        super().__init__(**data, **settings)
        self.on_msg(self._receive)

    def close(self) -> None:
        """Take the view away; what it showed goes on without it."""
        self._unobserve()
        super().close()

    def open(self) -> None:
        """Connect to the browser, taking its messages on whichever thread it sends them to.

        JupyterLab sends a widget's messages to a subshell, so that they are heard while a cell runs. ipykernel (7.4)
        would bring them back to the loop that last sent something, for widgets whose cell awaits the answer; ours
        never do, and a cancel button has to work during a cell.
        """
        super().open()
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = None

    @traitlets.default("_esm")
    def _compose_module(self) -> str:
        return module(self.static)

    @traitlets.default("_css")
    def _compose_style(self) -> str:
        return style("base", *self.styles)

    def handlers(self) -> dict[str, Callable[..., None]]:
        """What to call for each kind of message: ``handler(**content)``, with ``buffers`` where bytes came along."""
        return {}

    def _receive(self, _widget: object, content: dict[str, Any], buffers: list[memoryview]) -> None:
        """Hand a message from the browser to its handler; what goes wrong is shown in the view.

        A handler runs in a comm callback, perhaps on a subshell's thread, where an exception would reach nobody.
        """
        message = dict(content)
        handler = self.handlers().get(str(message.pop("kind", "")))
        if handler is None:
            log.warning("%s got a message it does not know: %s", type(self).__name__, content)
            return
        self.error = ""
        try:
            handler(**message, **({"buffers": buffers} if buffers else {}))
        except ExploreError as problem:
            self.error = str(problem)
        except Exception as problem:
            log.exception("%s failed on %s", type(self).__name__, content)
            self.error = f"{type(problem).__name__}: {problem}"


def check_keywords(view: type[View], given: Mapping[str, Any]) -> None:
    """Refuse keywords that nothing would read.

    Raises
    ------
    TypeError
        Naming the unknown keyword, the likely mistake, and what there is.
    """
    parameters = inspect.signature(view).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = [each.name for each in parameters if each.kind in kinds]
    known = sorted([*named, *view.settings])
    for name in given:
        if name in view.settings:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"{view.__name__} has no keyword {name!r}.{hint} It knows: {', '.join(known)}.")
