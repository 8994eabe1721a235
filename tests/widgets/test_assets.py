"""The static files: how they are joined, and what none of them may do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import widgets
from widgets import assets
from widgets.base import View

SCRIPTS = sorted(assets.STATIC.glob("*.js"))
STYLES = sorted(assets.STATIC.glob("*.css"))
VIEWS = [each for each in vars(widgets).values() if isinstance(each, type) and issubclass(each, View)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_never_parse_markup_load_or_evaluate(script: Path) -> None:
    text = script.read_text()
    markup = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc")
    for forbidden in (*markup, "eval(", "new Function"):
        assert forbidden not in text
    code = re.sub(r"/\*\*.*?\*/", "", text, flags=re.DOTALL)  # types in comments import too
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|import\(|WebSocket", code)
    assert not re.search(r"</script|<!--", text, re.IGNORECASE), "it would end the page's script element"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_short_and_say_what_they_are(script: Path) -> None:
    lines = script.read_text().splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= 250


@pytest.mark.parametrize("sheet", STYLES, ids=lambda path: path.name)
def test_styles_load_nothing(sheet: Path) -> None:
    assert not re.search(r"@import|url\(|https?:|</style", sheet.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_every_view_composes(view: type[View]) -> None:
    text = assets.module(view.static)
    assert text.rstrip().splitlines()[-1].startswith("export default ")
    assert not re.search(r"^import ", text, re.MULTILINE)
    assert text.count("export ") == 1
    assert f'mountViews("{view.static}"' in assets.page_module(view.static)
    assert assets.style("base", *view.styles)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    assets.module.cache_clear()
    yield tmp_path
    assets.module.cache_clear()


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text)


def test_what_is_imported_comes_first_and_once(folder: Path) -> None:
    write(
        folder,
        leaf="export const leaf = 1;\n",
        left='import { leaf } from "./leaf.js";\nexport function left() {}\n',
        view='import { leaf } from "./leaf.js";\nimport {\n  left,\n} from "./left.js";\n'
        "const view = {};\nexport default view;\n",
    )
    text = assets.module("view")
    order = [text.index(part) for part in ("const leaf", "function left", "const view", "export default view;")]
    assert order == sorted(order)
    assert text.count("const leaf") == 1
    assert "import" not in text


def test_names_declared_twice_are_refused(folder: Path) -> None:
    write(
        folder,
        other="export function helper() {}\n",
        view='import { helper } from "./other.js";\nfunction helper() {}\nconst v = {};\nexport default v;\n',
    )
    with pytest.raises(ValueError, match="helper"):
        assets.module("view")


def test_circles_are_refused(folder: Path) -> None:
    write(folder, a='import { b } from "./b.js";\nexport default a;\n', b='import { a } from "./a.js";\n')
    with pytest.raises(ValueError, match="a -> b -> a"):
        assets.module("a")


def test_a_view_without_its_last_line_is_refused(folder: Path) -> None:
    write(folder, view="const view = {};\n")
    with pytest.raises(ValueError, match="export default"):
        assets.module("view")


_CLASS = re.compile(r"\.([a-z][\w-]*)")
SHARED = ("base", "jobs", "page")
"""Style sheets that style more than one view, or the page around them."""


@pytest.mark.parametrize("sheet", [each for each in STYLES if each.stem not in SHARED], ids=lambda path: path.name)
def test_a_sheet_styles_its_own_view_only(sheet: Path) -> None:
    """anywidget adds every sheet to the page, where it applies to all views: each rule must name what is its own."""
    others = [selector for other in STYLES if other != sheet for selector in selectors(other)]
    elsewhere = {name for selector in others for name in _CLASS.findall(selector)}
    for selector in selectors(sheet):
        first = _CLASS.findall(selector.removeprefix(".vlms "))[0]
        assert first == f"vlms-{sheet.stem.replace('_', '-')}" or first not in elsewhere, selector


def selectors(sheet: Path) -> list[str]:
    """Every selector of a style sheet, those inside of queries too."""
    heads = re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL))
    return [each.strip() for head in heads if not head.strip().startswith("@") for each in head.split(",")]
