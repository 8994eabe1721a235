"""Scores on disk while they are made: one line per case and method, so that a stopped bench goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from explore.bench.scene_scores import SceneScores
from explore.errors import ParameterError

_MANIFEST = "experiment.json"


class ScoreFolder:
    """A folder that holds the scores of one experiment; several processes may fill it at once, each its own file.

    Parameters
    ----------
    folder
        Made if it is not there.
    experiment
        What decides the scores; a folder with another experiment is refused.
    part
        Number of this process and how many there are.

    Raises
    ------
    ParameterError
        The folder holds scores of another experiment, or is none.
    """

    def __init__(self, folder: str | os.PathLike[str], experiment: dict[str, Any], part: tuple[int, int] = (0, 1)):
        self.folder = Path(folder).expanduser()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ParameterError(f"'{self.folder}' cannot be made a folder: {error}") from error
        self._own = self.folder / f"scores-{part[0]}-of-{part[1]}.jsonl"
        self._claim(json.loads(json.dumps(experiment)))
        self._mend()

    def read(self) -> Iterator[SceneScores]:
        """All scores there are, of all processes; each case and method once."""
        seen = set()
        for path in sorted(self.folder.glob("scores-*.jsonl")):
            for line in path.read_text().splitlines():
                try:
                    scores = SceneScores(**json.loads(line))
                except ValueError:
                    continue  # another process is writing this line
                if (scores.example, scores.method) not in seen:
                    seen.add((scores.example, scores.method))
                    yield scores

    def append(self, scores: SceneScores) -> None:
        """Keep one line more."""
        with self._own.open("a") as file:
            file.write(json.dumps(asdict(scores)) + "\n")

    def _claim(self, experiment: dict[str, Any]) -> None:
        """Compare with what the folder holds; methods may be added, as long as those it knows stay as they are."""
        manifest = self.folder / _MANIFEST
        known = json.loads(manifest.read_text()) if manifest.exists() else experiment
        changed = sorted(name for name in known.keys() | experiment.keys() if _clash(known, experiment, name))
        if changed:
            raise ParameterError(
                f"'{self.folder}' holds scores of another experiment (other {', '.join(changed)})",
                "A folder holds one.",
                "Name another folder, or remove this one.",
            )
        draft = manifest.with_suffix(f".{os.getpid()}.tmp")
        together = {**experiment, "methods": {**known["methods"], **experiment["methods"]}}
        draft.write_text(json.dumps(together, indent=1) + "\n")
        os.replace(draft, manifest)

    def _mend(self) -> None:
        """Cut off a last line that was not written to its end."""
        if self._own.exists():
            whole, _, broken = self._own.read_bytes().rpartition(b"\n")
            if broken:
                draft = self._own.with_suffix(".tmp")
                draft.write_bytes(whole + b"\n" if whole else b"")
                os.replace(draft, self._own)


def _clash(known: dict[str, Any], experiment: dict[str, Any], name: str) -> bool:
    one, other = known.get(name), experiment.get(name)
    if name == "methods" and isinstance(one, dict) and isinstance(other, dict):
        return any(one[method] != other[method] for method in one.keys() & other.keys())
    return bool(one != other)
