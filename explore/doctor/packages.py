"""Python and the packages, held against pyproject.toml's ranges and the lock."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from explore.doctor.checks import Check

DISTRIBUTION = "vlmscope"
LOCK = Path(__file__).parents[2] / "constraints.txt"

OPTIONAL = {
    "bitsandbytes": 'no checkpoint can be loaded in 4 or 8 bits: neither quantised before nor by quantization="4bit"',
    "sentencepiece": "checkpoints that come with a slow tokenizer only cannot be loaded",
    "timm": "FastVLM, Gemma 3n and Perception LM cannot be loaded",
    "av": "films in files cannot be opened, only their frames and animated pictures",
    "faiss": "phrase banks of many millions are searched slowly, in plain torch",
    "ray": "work cannot be spread over several machines",
}
_PIP_NAMES = {"faiss": "faiss-cpu"}
# timm asks for torchvision, which its vision towers do not use.
_PIP_OPTIONS = {"timm": "--no-deps "}


def python() -> Iterator[Check]:
    """The interpreter against ``requires-python``."""
    found = f"{platform.python_implementation()} {platform.python_version()}"
    try:
        wanted = metadata.metadata(DISTRIBUTION)["Requires-Python"]
    except metadata.PackageNotFoundError:
        yield Check(
            "installation",
            "broken",
            f"{DISTRIBUTION} is imported from a folder without being installed",
            "versions cannot be checked, and there is no `explore` command",
            "run `make lab`, or `pip install -c constraints.txt -e .`",
        )
        return
    fits = _in_range(platform.python_version(), f"python{wanted}")
    yield Check("python", "ok" if fits else "broken", found, "" if fits else f"needs {wanted}")


def required() -> Iterator[Check]:
    """Every package the distribution needs: installed, in range, and as tested?"""
    locked = _locked()
    for line in _requirements():
        requirement = Requirement(line)
        name, found = requirement.name, _installed(requirement.name)
        install = f"pip install -c constraints.txt '{name}{requirement.specifier}'"
        if found is None:
            yield Check(name, "broken", "not installed", "the toolkit cannot run", install)
        elif not _in_range(found, line):
            yield Check(name, "broken", f"{found}, needs {requirement.specifier}", "may fail anywhere", install)
        elif name in locked and Version(found).public != Version(locked[name]).public:
            yield Check(name, "note", found, f"tests ran on {locked[name]}")
        else:
            yield Check(name, "ok", found)


def optional() -> Iterator[Check]:
    """Packages that open further doors."""
    for name, consequence in OPTIONAL.items():
        found = _installed(_PIP_NAMES.get(name, name)) or _installed(name)
        if found is None:
            remedy = f"pip install {_PIP_OPTIONS.get(name, '')}{_PIP_NAMES.get(name, name)}"
            yield Check(name, "missing", "not installed", consequence, remedy)
        else:
            yield Check(name, "ok", found)


def version_of(name: str) -> str | None:
    """The installed version of a package, or None."""
    return _installed(name)


def _requirements() -> list[str]:
    """The distribution's own requirements; those of its extras belong to other checks."""
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    plain = [(line, Requirement(line)) for line in lines if "extra ==" not in line]
    return [line for line, requirement in plain if requirement.marker is None or requirement.marker.evaluate()]


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _in_range(version: str, requirement: str) -> bool:
    return Requirement(requirement).specifier.contains(version, prereleases=True)


def _locked() -> dict[str, str]:
    """Name to version from the lock; empty where the toolkit was installed without its sources."""
    if not LOCK.is_file():
        return {}
    pins = (line.split("==") for line in LOCK.read_text().splitlines() if "==" in line and not line.startswith("#"))
    return {name.strip().lower(): version.strip() for name, version in pins}
