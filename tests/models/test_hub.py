"""One short request finds out whether the hub can be reached; here it goes to servers on this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import close_session

from explore.errors import CheckpointError
from explore.models import loading, sources
from explore.models.loading import load_runner
from explore.models.sources import hub_answers, hub_silence


class Answer(BaseHTTPRequestHandler):
    """To /200 the status 200, to /503 the status 503."""

    def do_HEAD(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library with its network allowed, and without a proxy that would answer for the hub."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(sources, "ANSWER_SECONDS", 0.5)
    monkeypatch.setenv("NO_PROXY", "*")
    close_session()  # the client of an earlier test would keep the proxies of then
    yield
    close_session()


@pytest.fixture
def answering() -> Iterator[int]:
    """The port of a server that answers."""
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port that refuses connections: it is taken, so that nobody else gets it, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def hub_at(monkeypatch: pytest.MonkeyPatch, port: int, path: str = "") -> None:
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}/{path}")


@pytest.mark.parametrize("status", ["200", "404", "503"])
def test_whatever_a_hub_says_it_answers(answering: int, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_at(monkeypatch, answering, status)
    assert hub_answers() is True
    assert hub_silence() is None


@pytest.mark.parametrize(("port", "reason"), [("refusing", "refused"), ("silent", "timed out")])
def test_a_hub_that_does_not_answer_is_given_up_soon(
    port: str, reason: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    hub_at(monkeypatch, request.getfixturevalue(port))
    start = time.monotonic()
    assert hub_answers() is False
    assert time.monotonic() - start < 10  # the library alone goes on for half a minute
    assert reason in str(hub_silence())


@pytest.mark.parametrize(("port", "path", "local"), [("answering", "200", False), ("refusing", "", True)])
def test_the_library_may_use_the_network_only_if_the_hub_answers(
    port: str, path: str, local: bool, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    asked: dict[str, Any] = {}

    def note(source: str, **options: Any) -> None:
        asked.update(options, source=source)
        raise OSError("404 Not Found")

    monkeypatch.setattr(loading.AutoConfig, "from_pretrained", note)
    hub_at(monkeypatch, request.getfixturevalue(port), path)
    with pytest.raises(CheckpointError, match="hub cannot be reached" if local else "404 Not Found"):
        load_runner("nobody/has-this-model")
    assert asked["source"] == "nobody/has-this-model"
    assert asked["local_files_only"] is local


def test_offline_by_choice_asks_nobody(answering: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub_at(monkeypatch, answering, "200")
    assert hub_answers() is False
    assert "by choice" in str(hub_silence())
