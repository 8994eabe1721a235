"""Scores of lenses added up: by lens, kind of name and layer, with intervals, for people and for files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from explore.bench.lens_markdown import percent_markdown, shares_markdown
from explore.bench.metrics.bootstrap import Pool, bootstrap_interval
from explore.bench.scene_scores import SceneScores
from explore.errors import ParameterError

_OTHER = ("banks", "again")  # tallies that are no hits on names


@dataclass(frozen=True, eq=False)
class LensScores:
    """What `score_lens` found. Only examples that every lens was scored on count.

    Intervals hold 95 % of what comes out when whole examples are drawn again.

    Parameters
    ----------
    rows
        Single scores.
    lenses
        Names of the lenses, in the order of the table.

    Raises
    ------
    ParameterError
        When a table is asked for and no example was scored by every lens yet.
    """

    rows: tuple[SceneScores, ...]
    lenses: tuple[str, ...]

    def __repr__(self) -> str:
        return f"LensScores({', '.join(self.lenses)}; {len({row.example for row in self.rows})} examples)"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per lens, kind of name and layer.

        `value` is the share of tokens any of whose labels is right, `control` that against other pictures, `lead` the
        one less the other; `first` is the share whose first label is right, `first_control` that against other
        pictures. Each has the ends of its interval, such as `lead_low` and `lead_high`; those of `value` are `low` and
        `high`. `tokens` and `examples` are those that counted, and `seconds` the median wall time of a reading of all
        layers.
        """
        lines = []
        for name, found in self._shared.items():
            seconds = float(np.median([each.seconds for each in found]))
            for kind, layer in _keys(found[0], lambda kind: kind not in _OTHER):
                tallies = np.array([each.tallies[f"{kind}/{layer}"] for each in found])
                line = _line(tallies) | {"examples": len(found), "seconds": seconds}
                lines.append({"lens": name, "names": kind, "layer": layer, **line})
        return pd.DataFrame(lines)

    @property
    def names(self) -> tuple[str, ...]:
        """Kinds of names that were looked for."""
        return tuple(dict.fromkeys(self.table["names"]))

    def bank_layers(self, lens: str) -> pd.DataFrame:
        """Which layers of its bank the labels of a lens come from.

        Returns
        -------
        pandas.DataFrame
            Shares of labels: a row per layer of the visual tokens, a column per layer of the bank that has any.

        Raises
        ------
        ParameterError
            The lens has no bank.
        """
        found = self._of(lens)
        layers = [layer for _, layer in _keys(found[0], lambda kind: kind == "banks")]
        if not layers:
            raise ParameterError(f"The lens {lens!r} has no bank", "Labels of a bank come from one of its layers.")
        counts = np.array([np.sum([each.tallies[f"banks/{layer}"] for each in found], axis=0) for layer in layers])
        shares = pd.DataFrame(counts / counts.sum(axis=1, keepdims=True), index=pd.Index(layers, name="layer"))
        return shares.loc[:, shares.sum() > 0]

    def agreement(self, lens: str) -> pd.DataFrame:
        """How many of the labels of a lens come again with a bank of another seed.

        Returns
        -------
        pandas.DataFrame
            A row per layer: shares of `words` and of `phrases` that both readings have at a token, each with `_low` and
            `_high`.

        Raises
        ------
        ParameterError
            The lens was read with one bank only.
        """
        found, lines = self._of(lens), []
        for _, layer in _keys(found[0], lambda kind: kind == "again"):
            tallies = np.array([each.tallies[f"again/{layer}"] for each in found])
            words, phrases = (_ends(name, tallies, _share(n, 2)) for n, name in enumerate(("words", "phrases")))
            lines.append({"layer": layer, **words, **phrases})
        if not lines:
            raise ParameterError(f"The lens {lens!r} was read with one bank only", "", "Give a second one as again=.")
        return pd.DataFrame(lines)

    def markdown(self, names: str | None = None, *, first: bool = False) -> str:
        """A line per lens and one for its control, a column per layer, in percent.

        Parameters
        ----------
        names
            Kind of names; None means a table for each.
        first
            Count first labels only. Neighbours in a bank are often several states of one word, where tokens of a
            vocabulary are all different, so that on first labels lenses compare more fairly.

        Raises
        ------
        ParameterError
            There are no scores of such names.
        """
        if names is not None and names not in self.names:
            raise ParameterError(f"There are no scores of {names!r}", f"There are {', '.join(self.names)}.")
        chosen = self.names if names is None else (names,)
        return "\n\n".join(
            shares_markdown(self.table[self.table["names"] == each], each, first=first) for each in chosen
        )

    def report(self) -> str:
        """Every table in Markdown: any label and the first, then where labels of banks come from and come again."""
        parts = [self.markdown(), self.markdown(first=True)]
        parts += [
            f"Layers of the bank that labels of {lens!r} come from, %\n\n{percent_markdown(self.bank_layers(lens))}"
            for lens in self.with_bank
        ]
        for lens in self.read_twice:
            shares = self.agreement(lens).set_index("layer")[["words", "phrases"]]
            parts.append(
                f"Labels of {lens!r} that come again with a bank of another seed, %\n\n{percent_markdown(shares)}"
            )
        return "\n\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """All tables as plain lists and numbers."""
        return {
            "scores": _records(self.table),
            "bank_layers": {lens: _records(self.bank_layers(lens).reset_index()) for lens in self.with_bank},
            "agreement": {lens: _records(self.agreement(lens)) for lens in self.read_twice},
        }

    @property
    def with_bank(self) -> tuple[str, ...]:
        """Lenses whose labels come from a bank."""
        return tuple(lens for lens in self.lenses if _keys(self._of(lens)[0], lambda kind: kind == "banks"))

    @property
    def read_twice(self) -> tuple[str, ...]:
        """Lenses that were read with two banks."""
        return tuple(lens for lens in self.lenses if _keys(self._of(lens)[0], lambda kind: kind == "again"))

    def _of(self, lens: str) -> list[SceneScores]:
        if lens not in self.lenses:
            raise ParameterError(f"There is no lens {lens!r}", f"There are {', '.join(self.lenses)}.")
        return self._shared[lens]

    @cached_property
    def _shared(self) -> dict[str, list[SceneScores]]:
        """Scores by lens, of the examples that every lens was scored on, in one order."""
        by_lens: dict[str, dict[str, SceneScores]] = {name: {} for name in self.lenses}
        for row in self.rows:
            if row.method in by_lens:
                by_lens[row.method][row.example] = row
        shared = sorted(set.intersection(*(set(found) for found in by_lens.values())))
        if not shared:
            raise ParameterError("No example was scored by every lens yet", "", "Let the bench run on.")
        return {name: [found[key] for key in shared] for name, found in by_lens.items()}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON has them: NaN becomes None."""
    return [
        {str(name): None if isinstance(each, float) and np.isnan(each) else each for name, each in row.items()}
        for row in table.to_dict("records")
    ]


def _line(tallies: NDArray[np.float64]) -> dict[str, Any]:
    own, control = _share(1, 2), _share(4, 5)
    return {
        **_ends("value", tallies, own, ("low", "high")),
        **_ends("first", tallies, _share(0, 2)),
        **_ends("control", tallies, control),
        **_ends("first_control", tallies, _share(3, 5)),
        **_ends("lead", tallies, lambda sums: own(sums) - control(sums)),
        "tokens": int(tallies[:, 2].sum()),
    }


def _share(part: int, whole: int) -> Pool:
    def pool(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        over = sums[..., whole]
        return np.divide(sums[..., part], over, out=np.full(over.shape, np.nan), where=over > 0)

    return pool


def _ends(name: str, tallies: NDArray[np.float64], pool: Pool, ends: tuple[str, str] | None = None) -> dict[str, float]:
    found, (low, high) = bootstrap_interval(tallies, pool), ends or (f"{name}_low", f"{name}_high")
    return {name: found.value, low: found.low, high: found.high}


def _keys(scores: SceneScores, wanted: Callable[[str], bool]) -> list[tuple[str, int]]:
    """Kind and layer of the tallies of a wanted kind."""
    split = (key.rpartition("/") for key in scores.tallies)
    return [(kind, int(layer)) for kind, _, layer in split if wanted(kind)]
