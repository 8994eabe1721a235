"""The browser fixtures for views."""

from tests.browser import _tab, chromium, mount, new_page, show

__all__ = ["_tab", "chromium", "mount", "new_page", "show"]
