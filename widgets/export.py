"""Pages that travel: views as one file that works without network, kernel or this package."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explore.errors import ParameterError
from explore.version import __version__
from widgets.assets import page_module, style
from widgets.base import View

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="generator" content="vlmscope {version}">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<main>
<header><h1>{title}</h1><button type="button" data-vlms-theme>Light or dark</button></header>
{views}
</main>
{scripts}
</body>
</html>
"""

# A model may say half a character, which no file can hold.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def export_html(view: View | Sequence[View], path: str | os.PathLike[str], *, title: str | None = None) -> Path:
    """Write views with their data and code into one HTML file.

    Views of one run stay linked. The file is written aside first and then moved into place, so that a failure leaves
    no half page behind.

    Parameters
    ----------
    view : View or sequence of them
        What the page shows, from top to bottom.
    path : path
        The file; one that is there already is replaced.
    title : str, optional
        Heading of the page.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    ParameterError
        No view, something that is no view, or a folder that is not there.
    """
    views = [view] if isinstance(view, View) else list(view)
    wrong = [type(each).__name__ for each in views if not isinstance(each, View)]
    if wrong or not views:
        raise ParameterError(f"{', '.join(wrong) or 'Nothing'} to export", "A page is made of one or more views.")
    target = Path(path)
    if not target.parent.is_dir():
        raise ParameterError(f"There is no folder {str(target.parent)!r}", "", "Make it first.")
    _write_atomically(target, page_text(views, title or "Visual tokens"))
    return target


def page_text(views: Sequence[View], title: str) -> str:
    """The whole page as text; see :func:`export_html`."""
    kinds = list(dict.fromkeys(type(view).static for view in views))
    css = style("base", *dict.fromkeys(name for view in views for name in view.styles), "page")
    code = [page_module(kind) for kind in kinds]
    return _PAGE.format(
        policy=_policy(css, code),
        version=html.escape(__version__, quote=True),
        title=html.escape(_LONE_SURROGATE.sub("\ufffd", title)),
        css=css,
        views="\n".join(_holder(view) for view in views),
        scripts="\n".join(f'<script type="module">{text}</script>' for text in code),
    )


def page_state(view: View) -> dict[str, Any]:
    """The traits of a view that its module reads."""
    base = View.class_trait_names()
    names = [name for name in view.trait_names(sync=True) if not name.startswith("_") and name not in base]
    return dict(view.get_state(key=[*names, "error"]))


def safe_json(state: Any) -> str:
    """JSON that may stand inside a script element, whatever its texts hold; bytes become ``{"$bytes": base64}``.

    Everything but plain ASCII is escaped, and of that ``<``, ``>`` and ``&`` too, so no text can end the element or
    begin a comment.
    """
    text = json.dumps(state, default=_bytes_to_json, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _holder(view: View) -> str:
    state = safe_json(page_state(view))
    return f'<div data-vlms-view="{type(view).static}"><script type="application/json">{state}</script></div>'


def _policy(css: str, code: Sequence[str]) -> str:
    """A content security policy under which exactly this style and these scripts run and nothing is loaded."""
    scripts = " ".join(_hash(text) for text in code)
    return f"default-src 'none'; img-src blob:; style-src {_hash(css)}; script-src {scripts}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _bytes_to_json(value: object) -> dict[str, str]:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"A view's state holds a {type(value).__name__}, which no page can carry.")


def _write_atomically(target: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # A temporary file is private; the page gets the permissions any new file would have.
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
