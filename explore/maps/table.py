"""Every map method by name. A new one is its own file and one line here; the contract tests pick it up."""

from __future__ import annotations

from explore.maps.chance import RandomMap
from explore.maps.logit import LogitMap
from explore.maps.method import MapMethod
from explore.maps.tam import TokenActivation

METHODS: dict[str, type[MapMethod]] = {
    "tam": TokenActivation,
    "logit": LogitMap,
    "random": RandomMap,
}
