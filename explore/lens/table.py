"""Every lens by name. A new one is its own file and one line here; the contract tests pick it up."""

from __future__ import annotations

from explore.lens.embedding import EmbeddingLens
from explore.lens.latent import LatentLens
from explore.lens.logit import LogitLens
from explore.lens.method import LensMethod
from explore.lens.patchscope import PatchscopeLens
from explore.lens.tuned import TunedLens

METHODS: dict[str, type[LensMethod]] = {
    "latent": LatentLens,
    "logit": LogitLens,
    "embedding": EmbeddingLens,
    "tuned": TunedLens,
    "patchscope": PatchscopeLens,
}
