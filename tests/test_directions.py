"""Who may import whom (design: layout and direction of dependency), read from the sources without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("maps", "lens", "flow", "sparsity", "prune", "kv", "tokenizers")

GROUND = frozenset(
    f"explore.{name}"
    for name in (
        "attention_rows",
        "cost",
        "edits",
        "errors",
        "frame_times",
        "jobs",
        "layout",
        "memory",
        "observers",
        "prompt_states",
        "result_cache",
        "runs",
        "trace",
        "trace_files",
        "version",
        "workers",
        "written_parts",
    )
)
"""No model, no method: everybody may import these, and they import only each other."""

ALLOWED: dict[str, frozenset[str]] = {
    **dict.fromkeys(GROUND, GROUND),
    **{f"explore.{room}": GROUND for room in ROOMS},
    "explore.sketch": GROUND,
    "explore.models": GROUND,
    "explore.runner_pool": GROUND | {"explore.models"},
    "explore.sessions": GROUND | {"explore.models", "explore.runner_pool"},
    "explore.bench": GROUND | {"explore.sketch"} | {f"explore.{room}" for room in ROOMS},
    "explore.doctor": GROUND | {"explore.models"},
}
"""Part of the project -> the parts it may import, itself always included. Parts not listed may not exist."""

FRONT_DOORS = ("explore", "explore.cli", "explore.bank_commands", "explore.bank_search_command")
"""The package's table of public names and the command line put everything together and may import everything."""


def sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Full names of all modules a file imports, inside functions and for type checking too."""
    found: set[str] = set()
    here = module_name(path).split(".")
    package = here if path.name == "__init__.py" else here[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            found |= {prefix} | {f"{prefix}.{alias.name}" for alias in node.names}
    return found


def functions(path: Path) -> set[str]:
    """Public functions a file defines."""
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def reexported(init: Path) -> set[str]:
    """Names a package takes from the files in it; importing the files themselves does not count."""
    inside = f"{module_name(init)}."
    return {
        alias.asname or alias.name
        for node in ast.parse(init.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(inside)
        for alias in node.names
    }


def part_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def ours(modules: set[str]) -> set[str]:
    """The parts of the project among imported names; `from explore import maps` counts as importing explore.maps."""
    parts = {part_of(name) for name in modules if name.split(".")[0] == "explore"}
    real = {part for part in parts if (ROOT / part.replace(".", "/")).is_dir() or _file(part).is_file()}
    return real - {"explore"}


def _file(part: str) -> Path:
    return ROOT / (part.replace(".", "/") + ".py")


EXPLORE = [path for path in sources("explore") if module_name(path) not in FRONT_DOORS]


@pytest.mark.parametrize("path", EXPLORE, ids=module_name)
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    part = part_of(module_name(path))
    assert part in ALLOWED, f"{part} is new: say in this test what it may import"
    above = ours(imports(path)) - ALLOWED[part] - {part}
    assert not above, f"{module_name(path)} may not import {', '.join(sorted(above))}"


@pytest.mark.parametrize("path", EXPLORE, ids=module_name)
def test_explore_never_imports_widgets_notebooks_or_tests(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & {"widgets", "notebooks", "tests", "ipywidgets", "anywidget"}


@pytest.mark.parametrize("path", list(sources("widgets")), ids=module_name)
def test_widgets_see_arrays_and_never_a_tensor_or_a_model(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & {"torch", "transformers", "tests", "notebooks"}


@pytest.mark.parametrize("room", ROOMS)
def test_methods_see_tensors_and_never_a_model_class(room: str) -> None:
    for path in sources(f"explore/{room}"):
        roots = {name.split(".")[0] for name in imports(path)}
        assert "transformers" not in roots, f"{module_name(path)} imports transformers"


@pytest.mark.parametrize("part", sorted(part for part in GROUND if _file(part).is_file()))
def test_the_ground_floor_needs_no_torch_to_be_imported(part: str) -> None:
    """A recorded run opens on a laptop that has no torch: at the top of a file nothing may import it."""
    top = [node for node in ast.parse(_file(part).read_text()).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
    assert not {name.split(".")[0] for name in names} & {"torch", "transformers"}


@pytest.mark.parametrize("package", sorted({path.parent for path in sources("explore", "widgets")}), ids=module_name)
def test_no_file_shares_its_name_with_a_public_function_beside_it(package: Path) -> None:
    """`explore.session` the function and `explore/session.py` the module would shadow each other."""
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    public = {path.stem for path in package.glob("*.py") if path.stem in functions(path)}
    init = package / "__init__.py"
    if init.is_file():
        public |= functions(init) | reexported(init)
    if package.name == "explore":
        import explore

        public |= set(explore._NAMES)
    assert not modules & public, f"{', '.join(sorted(modules & public))}: both a module and a function"


@pytest.mark.parametrize("path", list(sources("explore", "widgets")), ids=module_name)
def test_modules_stay_small(path: Path) -> None:
    """400 lines is a smell: split by concept."""
    assert len(path.read_text().splitlines()) <= 400


def test_imports_are_seen_in_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader of imports itself, on the forms it has to know."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    path = tmp_path / "explore" / "maps" / "a.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "import explore.models.runner as r\nfrom ..sessions import load\ndef f():\n    from explore import lens\n"
    )
    assert {"explore.models.runner", "explore.sessions", "explore.lens"} <= imports(path)
