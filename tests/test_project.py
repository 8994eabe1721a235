"""pyproject.toml, the lock and environment.yml say the same thing, and the environment is what the lock says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import explore

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][A-Za-z0-9.!]*)$")


def lock_lines() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def lock() -> dict[str, str]:
    pins = [PIN.match(line) for line in lock_lines()]
    return {canonicalize_name(pin[1]): pin[2] for pin in pins if pin}


def requirements() -> list[Requirement]:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    found = [Requirement(line) for line in [*PROJECT["dependencies"], *extras]]
    return [requirement for requirement in found if requirement.name != PROJECT["name"]]


@pytest.mark.parametrize("line", lock_lines())
def test_the_lock_holds_exact_public_versions_only(line: str) -> None:
    assert PIN.match(line), f"{line!r} is not name==version: no addresses, paths or local builds belong in the lock"


def test_no_package_is_locked_twice() -> None:
    assert len(lock()) == len(lock_lines())


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_requirement_is_locked_within_its_range(requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name)
    assert name in lock(), f"{name} is in pyproject.toml but not in the lock: make lock"
    assert requirement.specifier.contains(lock()[name]), f"{name}=={lock()[name]} is outside {requirement.specifier}"


def test_the_pinned_core() -> None:
    assert lock()["torch"] == "2.13.0"
    assert lock()["transformers"].startswith("5.23.")
    assert not {"torchvision", "torchaudio"} & set(lock())


def test_the_lock_is_complete() -> None:
    """Whatever a locked package needs here is locked too, so that a new environment is this one."""
    pins, unlocked = lock(), {}
    for name in pins:
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if needed and canonicalize_name(requirement.name) not in pins:
                unlocked[requirement.name] = name
    assert unlocked.keys() <= {"pip"}, f"needed but not locked: {unlocked}"


def test_this_environment_is_the_locked_one() -> None:
    off = {}
    for name, version in lock().items():
        found = metadata.version(name)
        if Version(found).public != version:
            off[name] = (found, version)
    assert not off, f"(installed, locked): {off}"


def test_environment_yml_installs_the_same() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == PROJECT["name"]
    conda = [line for line in environment["dependencies"] if isinstance(line, str)]
    (pip,) = [line["pip"] for line in environment["dependencies"] if isinstance(line, dict)]
    assert f"python{PROJECT['requires-python']}" in conda, "environment.yml and requires-python differ"
    assert "pip" in conda
    assert pip == ["-c constraints.txt", "-e .[dev]"], "versions come from the lock and from nowhere else"
    assert set(conda) == {f"python{PROJECT['requires-python']}", "pip"}


def test_make_installs_from_the_lock_and_notices_when_it_changes() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "$(STAMP): pyproject.toml constraints.txt\n" in makefile
    assert "-c constraints.txt" in makefile
    assert f"TIMM := timm=={metadata.version('timm')}\n" in makefile, (
        "installed without its dependencies, so not locked"
    )
    for target in ("lab", "test", "bench", "lint"):
        assert f"\n{target}: $(STAMP)\n" in makefile


def test_importing_the_package_is_quick_and_imports_no_torch() -> None:
    code = (
        "import sys, time; start = time.process_time(); import explore; took = time.process_time() - start;"
        "heavy = {'torch', 'transformers', 'numpy', 'ipywidgets'} & set(sys.modules);"
        "assert not heavy, heavy; assert took < 0.2, took"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_table_of_public_names_is_what_dir_shows() -> None:
    assert set(dir(explore)) == set(explore.__all__)
    with pytest.raises(AttributeError, match="lod"):
        explore.lod  # noqa: B018


@pytest.mark.parametrize("name", explore.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(explore, name) is not None
