"""The doctor: what it sees, what it says about it, and that no illness makes it faint."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import constants
from rich.console import Console

from explore import doctor, memory
from explore.doctor import browser, machine, model, packages
from explore.doctor.checks import Check
from explore.doctor.drawing import draw
from explore.errors import CheckpointError
from explore.models import sources

LOADER = "explore.models.loading.load_runner"


def only(checks: Iterator[Check]) -> Check:
    (check,) = checks
    return check


def test_every_finding_that_is_not_well_says_what_to_do_or_what_follows() -> None:
    for check in [*packages.python(), *packages.required(), *packages.optional(), *browser.front_end()]:
        assert check.status == "ok" or check.consequence or check.remedy, check


def test_this_python_and_these_packages_are_well() -> None:
    assert only(packages.python()).status == "ok"
    found = {check.name: check for check in packages.required()}
    assert {"torch", "transformers", "anywidget", "typer"} <= set(found)
    assert {check.status for check in found.values()} == {"ok"}
    assert found["torch"].found == metadata.version("torch")
    assert "pytest" not in found, "extras belong to other checks"


@pytest.mark.parametrize(
    ("version", "status"), [(None, "broken"), ("5.0.0", "broken"), ("5.23.99", "note"), ("5.23.0", "ok")]
)
def test_versions_are_held_against_range_and_lock(
    monkeypatch: pytest.MonkeyPatch, version: str | None, status: str
) -> None:
    real = packages._installed
    monkeypatch.setattr(packages, "_installed", lambda name: version if name == "transformers" else real(name))
    (check,) = (check for check in packages.required() if check.name == "transformers")
    assert check.status == status
    if status == "broken":
        assert check.remedy.startswith("pip install")
        assert "5.23" in check.remedy


def test_a_checkout_that_was_never_installed_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "DISTRIBUTION", "no-such-distribution")
    check = only(packages.python())
    assert (check.status, list(packages.required())) == ("broken", [])
    assert "make lab" in check.remedy


def test_optional_packages_name_what_is_lost_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_installed", lambda name: "1.0" if name == "ray" else None)
    found = {check.name: check for check in packages.optional()}
    assert found["ray"].status == "ok"
    assert found["faiss"].status == "missing"
    assert found["faiss"].remedy == "pip install faiss-cpu"


def test_a_machine_without_gpu_gets_a_note_and_one_whose_gpu_is_unusable_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    assert only(machine.devices()).status == "note"
    monkeypatch.setattr(machine.shutil, "which", lambda name: f"/usr/bin/{name}")
    check = only(machine.devices())
    assert check.status == "missing"
    assert "CUDA" in check.remedy


def test_every_gpu_is_listed_with_its_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda card: SimpleNamespace(name=f"Card {card}"))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda card: (10_000_000_000, 24_000_000_000))
    assert [(check.name, check.found) for check in machine.devices()] == [
        ("device cuda:0", "Card 0, 10.0 GB of 24.0 GB free"),
        ("device cuda:1", "Card 1, 10.0 GB of 24.0 GB free"),
    ]


def test_tight_memory_and_disk_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "host_available", lambda: 1_000_000_000)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: SimpleNamespace(free=2_000_000_000))
    assert "500 MB will not fit" in only(machine.main_memory()).consequence
    assert (only(machine.disk()).status, "2.0 GB free" in only(machine.disk()).found) == ("missing", True)
    monkeypatch.undo()
    assert 0 < memory.host_available() <= memory.host_total()


def test_a_container_has_the_memory_of_its_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit, used = tmp_path / "memory.max", tmp_path / "memory.current"
    monkeypatch.setattr(memory, "_LIMITS", (tmp_path / "absent", limit))
    monkeypatch.setattr(memory, "_USES", (used,))
    limit.write_text("1000000\n")
    used.write_text("400000\n")
    stats = tmp_path / "memory.stat"
    monkeypatch.setattr(memory, "_STATS", (stats,))
    assert (memory.host_total(), memory.host_available()) == (1_000_000, 600_000)
    limit.write_text("max\n")
    assert memory.host_total() > 1_000_000


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (123_456_789, "123 MB"),
        (7.2e9, "7.2 GB"),
        (3e15, "3000.0 TB"),
    ],
)
def test_bytes_for_people(count: int, text: str) -> None:
    assert memory.readable(int(count)) == text


def test_jupyterlab_without_the_widgets_browser_side_is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "@jupyter-widgets" / "jupyterlab-manager").mkdir(parents=True)
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *parts: [str(tmp_path)])
    check = only(browser.front_end())
    assert check.status == "broken"
    assert "anywidget" in check.remedy
    assert "jupyterlab_widgets" not in check.remedy
    (tmp_path / "anywidget").mkdir()
    assert only(browser.front_end()).status == "ok"
    monkeypatch.setattr(browser, "version_of", lambda name: None)
    assert only(browser.front_end()).status == "missing"


def test_what_browser_tests_need_is_named_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    monkeypatch.setattr(browser, "version_of", lambda name: "1.65")
    check = only(browser.for_tests())
    assert (check.found, "chromium" in check.remedy, "[dev]" in check.remedy) == ("no browser", True, False)
    monkeypatch.setattr(browser, "version_of", lambda name: None)
    assert "[dev]" in only(browser.for_tests()).remedy


def test_a_shipped_model_that_does_not_load_is_broken_and_one_that_does_is_closed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(**request: Any) -> None:
        raise CheckpointError("The weights are cut short")

    monkeypatch.setattr(LOADER, fail)
    check = only(model.shipped())
    assert (check.status, check.found) == ("broken", "The weights are cut short.")
    closed: list[bool] = []
    loaded = SimpleNamespace(info=SimpleNamespace(nbytes=20_000_000), close=lambda: closed.append(True))
    monkeypatch.setattr(LOADER, lambda **request: loaded)
    check = only(model.shipped())
    assert (check.status, closed) == ("ok", [True])
    assert check.found.startswith("20.0 MB, loads in")


class Answer(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_the_hub_is_reachable_unreachable_or_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(model.hub()).status == "note", "the tests run with HF_HUB_OFFLINE"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        monkeypatch.setattr(constants, "ENDPOINT", address)
        assert only(model.hub()).status == "ok", "even an error page is an answer"
        thread.join()
    check = only(model.hub())
    assert check.status == "missing"
    assert address in check.found


def test_a_hub_that_accepts_and_then_keeps_silent_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(sources, "ANSWER_SECONDS", 0.1)
        assert "timed out" in only(model.hub()).found


def test_an_examination_that_fails_itself_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def main_memory() -> Iterator[Check]:
        raise PermissionError("no looking")

    well = Check("disk", "ok", "plenty")
    monkeypatch.setattr(doctor, "_EXAMINATIONS", (main_memory, lambda: [well]))
    checks = doctor.report()
    assert checks[0].name == "main memory"
    assert (checks[0].status, "PermissionError: no looking" in checks[0].found, checks[1]) == ("broken", True, well)
    assert not doctor.healthy(checks)


def test_only_what_is_broken_is_unhealthy() -> None:
    for status, healthy in (("ok", True), ("note", True), ("missing", True), ("broken", False)):
        assert doctor.healthy([Check("x", status, "y")]) is healthy  # type: ignore[arg-type]


def test_the_table_shows_found_things_literally() -> None:
    console = Console(width=120, file=io.StringIO())
    console.print(draw([Check("odd", "missing", "a [red]name[/red]", "nothing works", "pip install '.[dev]'")]))
    text = console.file.getvalue()
    assert "a [red]name[/red]" in text
    assert "nothing works. To do: pip install '.[dev]'" in text
