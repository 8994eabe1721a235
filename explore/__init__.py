"""Explore the visual tokens of vision-language models from a notebook.

>>> import explore
>>> runner = explore.load()
>>> trace = runner.ask(explore.sketch.scene(seed=7).image, "What is in the picture?")
>>> explore.maps.token_activation_maps(trace)

Importing this package imports neither torch nor transformers: every public name is looked up when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from explore.version import __version__

if TYPE_CHECKING:
    import explore.doctor as doctor
    import explore.edits as edits
    import explore.errors as errors
    import explore.flow as flow
    import explore.lens as lens
    import explore.maps as maps
    import explore.models as models
    import explore.sketch as sketch
    from explore.jobs import Job
    from explore.layout import Role, TokenLayout
    from explore.models.plans import RecordingPlan
    from explore.models.runner import Runner
    from explore.models.text_encoder_loading import load_text_encoder
    from explore.models.text_encoders import TextEncoder
    from explore.models.videos import Video
    from explore.sessions import Session, load, session
    from explore.trace import Token, Trace, open_trace

_MODULES = frozenset({"bench", "doctor", "edits", "errors", "flow", "lens", "maps", "models", "sketch"})

_NAMES = {
    "Job": "explore.jobs",
    "RecordingPlan": "explore.models.plans",
    "Role": "explore.layout",
    "Runner": "explore.models.runner",
    "Session": "explore.sessions",
    "TextEncoder": "explore.models.text_encoders",
    "Token": "explore.trace",
    "TokenLayout": "explore.layout",
    "Trace": "explore.trace",
    "Video": "explore.models.videos",
    "load": "explore.sessions",
    "load_text_encoder": "explore.models.text_encoder_loading",
    "open_trace": "explore.trace",
    "session": "explore.sessions",
}

__all__ = [
    "Job",
    "RecordingPlan",
    "Role",
    "Runner",
    "Session",
    "TextEncoder",
    "Token",
    "TokenLayout",
    "Trace",
    "Video",
    "__version__",
    "bench",
    "doctor",
    "edits",
    "errors",
    "flow",
    "lens",
    "load",
    "load_text_encoder",
    "maps",
    "models",
    "open_trace",
    "session",
    "sketch",
]


def __getattr__(name: str) -> Any:
    """Import a public name the first time it is asked for (PEP 562)."""
    if name in _MODULES:
        return import_module(f"explore.{name}")
    if name not in _NAMES:
        raise AttributeError(f"explore has no {name!r}; it offers {', '.join(sorted(__all__))}")
    value = getattr(import_module(_NAMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
