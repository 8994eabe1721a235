"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Status = Literal["ok", "note", "missing", "broken"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What was looked at.
    status : {"ok", "note", "missing", "broken"}
        "note": works, but differs from what was tested; "missing": something optional would not work here;
        "broken": the toolkit itself does not work.
    found : str
        What is there.
    consequence : str
        What would not work because of it.
    remedy : str
        What to install or change.
    """

    name: str
    status: Status
    found: str
    consequence: str = ""
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)
