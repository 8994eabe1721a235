"""Methods and metrics as words: a name of a table, with parameters if wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from explore.errors import ParameterError


def spelled(text: str, table: Mapping[str, type[Any]]) -> Any:
    """What a text such as "tam" or "tam:eci=false,kernel=5" stands for.

    Values are JSON (numbers, true, false, null, lists) or else plain text.

    Raises
    ------
    ParameterError
        The table has no such name, or the name no such parameter.
    """
    name, _, rest = text.partition(":")
    if name not in table:
        raise ParameterError(f"There is no {name!r}", f"There are {', '.join(table)}.")
    known, settings = {each.name for each in fields(table[name])}, dict[str, Any]()
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if key not in known or not equals:
            raise ParameterError(
                f"{part!r} was given for {name!r}",
                f"Parameters are {', '.join(sorted(known)) or 'none'}.",
                f"Write {name}:parameter=value.",
            )
        settings[key] = _value(value)
    return table[name](**settings)


def _value(text: str) -> Any:
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return tuple(found) if isinstance(found, list) else found
