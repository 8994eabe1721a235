"""The embedding lens: the tokens whose input embeddings point the way a state points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.lens.choices import Tokens
from explore.lens.method import LensRun, Ranked
from explore.lens.ranking import best_places
from explore.lens.reading import NOTHING, LensReading, aimless_note
from explore.lens.ties import ties_note
from explore.lens.vocabulary_lens import VocabularyLens, spelled
from explore.runs import Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    from torch import Tensor

_QUERIES, _ROWS = 1024, 8192  # 32 MB of cosines at once


@dataclass(frozen=True)
class EmbeddingLens(VocabularyLens):
    r"""Cosines :math:`\cos(h, W_E[v])` of each state with every input embedding.

    Lengths do not matter, so neither do the factors some families multiply their embeddings by. All is computed in
    float32 before anything is squared: visual states may be too long for float16.
    """

    name: ClassVar[str] = "embedding"
    source: ClassVar[str] = "EmbedLens' probe; EmbeddingLens baseline of arXiv 2602.00462"

    def compute(self, run: LensRun) -> Ranked:
        import torch

        table, allowed = _table(run), self.named(run)
        rows = np.arange(len(table)) if allowed is None else np.flatnonzero(allowed)
        queries, parts = torch.from_numpy(run.stacked), []
        for at in range(0, len(queries), _QUERIES):
            some = _unit(queries[at : at + _QUERIES].to(table.device))
            parts.append([each.cpu().numpy() for each in _nearest(table, rows, some, min(self.k, len(rows)))])
            run.report(min(at + _QUERIES, len(queries)), len(queries), "state")
        scores, ids = (np.concatenate(each) for each in zip(*parts, strict=True))
        aimless = (run.stacked == 0).all(axis=-1)
        ids[aimless] = NOTHING
        notes = (*aimless_note(aimless), *ties_note(run.language))
        return Ranked(run.unstacked(scores), run.unstacked(ids), spelled(run.language, ids), notes=notes)

    def token_scores(self, run: LensRun, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The cosine with each token's embedding, (layers, tokens, ids) float32."""
        import torch

        table = _table(run)
        wanted = _unit(table[torch.from_numpy(ids).to(table.device)].float())
        found: NDArray[np.float32] = (_unit(torch.from_numpy(run.stacked).to(table.device)) @ wanted.T).cpu().numpy()
        return run.unstacked(found)


def embedding_lens(
    trace: Trace,
    k: int = 5,
    *,
    layers: Iterable[int] | None = None,
    positions: Tokens | None = None,
    words_only: bool = True,
    runner: RunnerLike | None = None,
    progress: Report | None = None,
) -> LensReading:
    """The input embeddings nearest to every visual token; parameters as for `EmbeddingLens` and its `read`."""
    lens = EmbeddingLens(k=k, words_only=words_only)
    return lens.read(trace, layers, positions, runner=runner, progress=progress)


def _table(run: LensRun) -> Any:
    """The input embeddings, (vocabulary, width), as wide as the states."""
    table = run.language.embeddings()
    if table.shape[-1] != run.trace.width:
        raise ParameterError(
            f"Input embeddings of width {table.shape[-1]} were found, and states are {run.trace.width} wide",
            "Their cosine is only defined for one width.",
            "Use logit_lens or latent_lens.",
        )
    return table


def _unit(rows: Tensor) -> Tensor:
    """Rows (rows, width) at length 1, zeros left as they are."""
    return rows / rows.norm(dim=-1, keepdim=True).clamp(min=1e-30)


def _nearest(table: Tensor, rows: NDArray[np.int64], queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Cosines and ids of the k nearest of some rows of a table, (queries, k) each; equal ones in order of their id."""
    import torch

    best = queries.new_full((len(queries), 0), -torch.inf)
    ids = torch.zeros_like(best, dtype=torch.int64)
    for at in range(0, len(rows), _ROWS):
        chosen = torch.from_numpy(rows[at : at + _ROWS]).to(table.device)
        values = torch.cat([best, queries @ _unit(table[chosen].float()).T], dim=-1)
        ids = torch.cat([ids, chosen.expand(len(queries), -1)], dim=-1)
        places = best_places(values, min(k, values.shape[-1]))
        best, ids = values.gather(-1, places), ids.gather(-1, places)
    return best, ids
