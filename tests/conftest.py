"""What every test has: no network, no leftovers in the default session, and no browser test skipped in secret.

On a build machine ``VLMSCOPE_REQUIRE_BROWSER=1`` turns every skip of a browser or notebook test into a failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

# Before anything imports huggingface_hub, which reads it once.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest

from tests.browser import chromium  # noqa: F401  registered once: a process can drive one browser only

REQUIRED = ("browser", "notebook")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Notebooks that nbmake collects are notebook tests like the others."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker(pytest.mark.notebook)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.skipped and _must_run(item) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and VLMSCOPE_REQUIRE_BROWSER forbids that: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    if report.skipped and _strict():
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped whole, which VLMSCOPE_REQUIRE_BROWSER forbids"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A whole run without a single browser or notebook test is a failure too."""
    part = session.config.option.keyword or session.config.getoption("family", None)
    if not _strict() or part or session.testsfailed:
        return
    absent = [name for name in REQUIRED if not any(item.get_closest_marker(name) for item in session.items)]
    if absent:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"VLMSCOPE_REQUIRE_BROWSER: no {' or '.join(absent)} test was collected", red=True)


@pytest.fixture(autouse=True)
def _no_leftover_session(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test starts with no default session, and whatever one it opened is closed after it."""
    from explore import sessions

    monkeypatch.setattr(sessions, "_default", None)
    yield
    if sessions._default is not None:
        sessions._default.__exit__(None, None, None)


def _strict() -> bool:
    return os.environ.get("VLMSCOPE_REQUIRE_BROWSER", "") not in ("", "0")


def _must_run(item: pytest.Item) -> bool:
    return _strict() and any(item.get_closest_marker(name) for name in REQUIRED)
