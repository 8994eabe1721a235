"""What this machine has, what would not work here, and what to install: ``explore doctor``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from explore.doctor import browser, machine, model, packages
from explore.doctor.checks import Check, Status

__all__ = ["Check", "Status", "healthy", "report"]

_EXAMINATIONS: tuple[Callable[[], Iterable[Check]], ...] = (
    packages.python,
    packages.required,
    machine.devices,
    machine.main_memory,
    machine.disk,
    model.shipped,
    browser.front_end,
    browser.for_tests,
    packages.optional,
    model.hub,
)


def report() -> list[Check]:
    """Examine this machine; takes a few seconds, most of them to import torch and to load the shipped model.

    An examination that itself fails is reported as broken and does not keep the others from being made.
    """
    checks: list[Check] = []
    for examine in _EXAMINATIONS:
        try:
            checks.extend(examine())
        except Exception as error:  # a doctor who faints at the sight of illness helps nobody
            name = examine.__name__.replace("_", " ")
            checks.append(Check(name, "broken", f"the check itself failed: {type(error).__name__}: {error}"))
    return checks


def healthy(checks: Iterable[Check]) -> bool:
    """Whether nothing essential is broken."""
    return all(check.status != "broken" for check in checks)
