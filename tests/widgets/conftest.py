"""The browser fixtures for views."""

from tests.browser import _tab, mount, new_page, show

__all__ = ["_tab", "mount", "new_page", "show"]
