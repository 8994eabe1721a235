"""A session with room for two stand-ins and a half."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from explore.sessions import Session
from tests.sessions.stand_ins import Loader


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def session(loader: Loader) -> Iterator[Session]:
    with Session(budget_bytes=250, cache_bytes=1000, loader=loader) as session:
        yield session
