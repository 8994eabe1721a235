"""The browser side: what shows the widgets, and what tests them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from explore.doctor.checks import Check
from explore.doctor.packages import version_of

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_EXTENSIONS = {"anywidget": "anywidget", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}


def front_end() -> Iterator[Check]:
    """JupyterLab and the two extensions without which a widget stays a line of text."""
    lab = version_of("jupyterlab")
    if lab is None:
        yield Check(
            "jupyterlab",
            "missing",
            "not installed",
            "`explore lab` cannot serve the notebooks; VS Code and others still can",
            "pip install -c constraints.txt -e '.[lab]'",
        )
        return
    from jupyter_core.paths import jupyter_path

    folders = [Path(folder) for folder in jupyter_path("labextensions")]
    absent = [package for name, package in _EXTENSIONS.items() if not any((at / name).is_dir() for at in folders)]
    if absent:
        yield Check(
            "jupyterlab",
            "broken",
            f"{lab}, without the browser side of {', '.join(absent)}",
            "views show as text",
            f"pip install --force-reinstall --no-deps {' '.join(absent)}, then restart JupyterLab",
        )
    else:
        yield Check("jupyterlab", "ok", f"{lab}, with anywidget {version_of('anywidget')} in the browser")


def for_tests() -> Iterator[Check]:
    """A browser and its driver, which only the test suite needs."""
    browser = next((found for found in map(shutil.which, BROWSERS) if found), None)
    driver = version_of("playwright")
    if browser and driver:
        yield Check("test browser", "ok", f"{browser}, driven by playwright {driver}")
        return
    remedies = []
    if not browser:
        remedies.append("apt-get install chromium fonts-dejavu-core")
    if not driver:
        remedies.append("pip install -c constraints.txt -e '.[dev]'")
    lacking = " and ".join(what for what, there in (("browser", browser), ("playwright", driver)) if not there)
    yield Check("test browser", "missing", f"no {lacking}", "browser tests are skipped", "; ".join(remedies))
