"""Views of a run for notebooks and for pages that travel.

>>> from widgets import Workbench
>>> Workbench(trace)
"""

from widgets.export import export_html
from widgets.selection import Selection
from widgets.token_image import TokenImageView

__all__ = ["Selection", "TokenImageView", "export_html"]
