"""Turns the small ES modules of ``widgets/static`` into the one module a widget may carry.

anywidget takes one module per widget, and an exported page must load nothing. The files stay plain ES modules
that a browser or an editor can read as they are; this file joins them by three rules:

1. ``import { a, b } from "./other.js";`` puts ``other.js`` in front, once, and the import line goes.
2. ``export`` goes from the declarations of the files in front.
3. The last line of a view's file is ``export default NAME;``. A widget keeps it; on an exported page it becomes
   ``mountViews("file", NAME);``.

All files of one module share a scope, so a top-level name may be declared once only (checked here).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|let|class)\b)", re.MULTILINE)
_DEFAULT = re.compile(r"^export default (\w+);\n?\Z", re.MULTILINE)
_DECLARED = re.compile(r"^(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)


@cache
def module(name: str) -> str:
    """Text of the ES module of the view ``static/<name>.js`` with everything it imports.

    Raises
    ------
    ValueError
        If two of the joined files declare the same top-level name, or the file has no ``export default`` line.
    """
    body, default = _joined(name)
    return f"{body}\nexport default {default};\n"


@cache
def page_module(name: str) -> str:
    """The same module as it stands in an exported page: it mounts itself through ``static/host.js``."""
    body, default = _joined("host", name)
    return f'{body}\nmountViews("{name}", {default});\n'


@cache
def style(*names: str) -> str:
    """Text of ``static/<name>.css`` for each of the names, in this order."""
    return "\n".join((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in names)


def _joined(*names: str) -> tuple[str, str]:
    """Text of the files and their imports in order of need, and the name the last one exports by default."""
    order: list[str] = []
    for name in names:
        _visit(name, order, ())
    text = "\n".join(_EXPORT.sub("", _IMPORT.sub("", _source(name))) for name in order)
    found = _DEFAULT.search(text)
    if found is None:
        raise ValueError(f"static/{names[-1]}.js must end with the line 'export default NAME;'.")
    declared = _DECLARED.findall(text)
    twice = sorted({name for name in declared if declared.count(name) > 1})
    if twice:
        raise ValueError(f"Top-level names declared twice among {order}: {twice}. Rename one of each pair.")
    return text[: found.start()], found.group(1)


def _visit(name: str, order: list[str], above: tuple[str, ...]) -> None:
    """Append ``name`` to ``order`` behind everything it imports."""
    if name in above:
        raise ValueError(f"static/{name}.js imports itself through {' -> '.join((*above, name))}.")
    if name in order:
        return
    for needed in _IMPORT.findall(_source(name)):
        _visit(needed, order, (*above, name))
    order.append(name)


def _source(name: str) -> str:
    return (STATIC / f"{name}.js").read_text(encoding="utf-8")
