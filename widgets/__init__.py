"""Views of a run for notebooks and for pages that travel.

>>> from widgets import Workbench
>>> Workbench(trace)

A new view is a class in ``NAME.py`` that derives from :class:`widgets.base.View`, a module ``static/NAME.js``, and, if
the shared styles do not do, ``static/NAME.css``; how the static files are joined stands in ``assets.py``.
"""

from widgets.ask_panel import AskPanel
from widgets.compare_maps import CompareMaps
from widgets.export import export_html
from widgets.flow_view import FlowView
from widgets.job_bar import JobBar
from widgets.lens_view import LensView
from widgets.regions import Region
from widgets.selection import Selection
from widgets.session_panel import SessionPanel
from widgets.token_image import TokenImageView
from widgets.workbench import Workbench

__all__ = [
    "AskPanel",
    "CompareMaps",
    "FlowView",
    "JobBar",
    "LensView",
    "Region",
    "Selection",
    "SessionPanel",
    "TokenImageView",
    "Workbench",
    "export_html",
]
