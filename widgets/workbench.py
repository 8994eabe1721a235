"""The workbench: the views of one run around one selection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Unpack

import ipywidgets

from explore.maps import QueryMaps
from explore.trace import Trace
from widgets.export import export_html
from widgets.map_choice import Maps
from widgets.selection import Selection
from widgets.token_image import TokenImageSettings, TokenImageView


class Workbench(ipywidgets.VBox):
    """Everything there is to see of one run.

    Parameters
    ----------
    trace : Trace
        The run, fresh or opened from a file.
    maps : TokenMaps or dict of them, or QueryMaps, optional
        See :class:`widgets.TokenImageView`.
    **settings
        Settings of the token-and-image view.

    Examples
    --------
    >>> bench = Workbench(explore.open_trace("house.trace"))
    >>> bench.save_html("house.html")
    """

    def __init__(self, trace: Trace, maps: Maps | QueryMaps = None, **settings: Unpack[TokenImageSettings]) -> None:
        self.trace = trace
        self.view = TokenImageView(trace, maps, **settings)
        super().__init__([self.view])

    @property
    def selection(self) -> Selection:
        """What is selected now; set it to select something else."""
        return self.view.selection

    @selection.setter
    def selection(self, value: Selection) -> None:
        self.view.selection = value

    def save_html(self, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
        """Write one page with everything in it that works without network and kernel; see :func:`export_html`."""
        return export_html(self.view, path, title=title or self.trace.question)
