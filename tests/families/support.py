"""What works with each family, found by doing it on its tiny model: ``make families``.

Writes `explore/models/families/support.json` and the table in the README.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from explore.doctor.families import ABILITIES, TABLE, Ability, families_markdown, support_table
from explore.errors import CheckpointError, ExploreError
from explore.models.droppable import unlike_masking
from explore.models.drops import dropped
from explore.models.families import FAMILIES, REFUSED
from explore.models.inputs import prepare
from explore.models.videos import Video
from tests.families.cases import QUESTION, SUPPORTED, noise, pictures_of, runner_of, trace_of
from tests.zoo import ZOO

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- families -->", "<!-- /families -->"


def model_types() -> list[str]:
    """Every model type that transformers maps to image and text."""
    return sorted(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)


def row_of(name: str) -> dict[str, Any]:
    """The table's row of one family, found by running it."""
    if name not in SUPPORTED:
        refusal = Ability(False, REFUSED.get(name, "no tiny model of it has been run"))
        rest = dict.fromkeys(list(ABILITIES)[1:], Ability(False))
        return _row("", {"run": refusal, **rest})
    found = {ability: _tried(probe, name) for ability, probe in _PROBES.items()}
    return _row(FAMILIES[name].__name__, found)


def _row(layout: str, abilities: dict[str, Ability]) -> dict[str, Any]:
    return {"layout": layout} | {name: {"works": each.works, "note": each.note} for name, each in abilities.items()}


def _tried(probe: Callable[[str], str], name: str) -> Ability:
    """A probe returns a limit to be noted, or "", and raises where nothing works."""
    try:
        return Ability(True, probe(name))
    except ExploreError as error:
        return Ability(False, re.sub(r"\s+", " ", error.received))


def _run(name: str) -> str:
    trace = trace_of(name)
    assert len(trace.layout) == len(trace.tokens)
    needs = [package for package in ZOO[name].needs if package != "torchvision"]
    return f"needs {', '.join(needs)}" if needs else ""


def _rows(name: str) -> str:
    trace = trace_of(name)
    have = len(trace.attention_rows)
    assert have
    return "" if have == trace.layers else "only of its layers with attention; the others have none"


def _boxes(name: str) -> str:
    layout = trace_of(name).layout
    if layout.grids:
        return ""
    raise ExploreError("learned queries, each of which looks at the whole picture")


def _video(name: str) -> str:
    runner, family = runner_of(name), runner_of(name)._family
    if not family.takes_films:
        raise ExploreError(family.no_films or "reads pictures only")
    film = Video([noise(48, 32, seed=number) for number in range(ZOO[name].frames or 5)], fps=2.0)
    layout = runner.ask(film, QUESTION, max_new_tokens=1).layout
    assert {each.frame for each in (*layout.grids, *layout.queries)} > {0}
    return ""


def _images(name: str) -> str:
    if ZOO[name].frames:
        raise ExploreError("its pictures are the frames of one film")
    limit = ""
    if runner_of(name)._family.pictures == 1:
        raise ExploreError("one picture a prompt")
    try:
        trace = runner_of(name).ask([noise(40, 30), noise(30, 64)], QUESTION, max_new_tokens=1)
    except CheckpointError:
        trace = runner_of(name).ask([noise(40, 30), noise(40, 30, seed=1)], QUESTION, max_new_tokens=1)
        limit = "only pictures of one shape"
    assert len(set(trace.layout.image[trace.layout.visual].tolist())) == 2
    return limit


def _drop(name: str) -> str:
    runner, family = runner_of(name), runner_of(name)._family
    pictures = pictures_of(name, (40, 30))
    inputs = prepare(family, runner._writer.write(QUESTION, len(pictures)), pictures)
    visual = family.visual_mask(inputs.ids, inputs.tensors)
    kept = ~visual | (np.cumsum(visual) % 2 == 0)
    why = next(filter(None, map(unlike_masking, family.text_model.modules())), None)
    if why:
        raise ExploreError(why)
    with dropped(family, visual, kept), torch.inference_mode():
        family.model.generate(**family.on_device(inputs.tensors), max_new_tokens=2, do_sample=False)
    return ""


def _gradients(name: str) -> str:
    with runner_of(name).rerun(trace_of(name)).features() as (features, score):
        given = features[None].clone().requires_grad_(True)
        with torch.enable_grad():
            score(given).sum().backward()
    assert given.grad is not None
    if not given.grad.abs().max() > 0:
        raise ExploreError("the answer does not depend on the decoder's input at the visual positions alone")
    return ""


_PROBES: dict[str, Callable[[str], str]] = {
    "run": _run,
    "rows": _rows,
    "boxes": _boxes,
    "video": _video,
    "images": _images,
    "drop": _drop,
    "gradients": _gradients,
}


def readme_section() -> str:
    """What stands between the README's marks."""
    rows = support_table()
    run = sum(row.abilities["run"].works for row in rows)
    counts = ", ".join(f"{sum(row.abilities[name].works for row in rows)} {name}" for name in list(ABILITIES)[1:])
    head = (
        f"Of the {len(rows)} model types that transformers {transformers.__version__} maps to image and text, {run} "
        f"run and record here ({counts}). Written by `make families`, held against new runs by the test suite."
    )
    return f"{BEGIN}\n{head}\n\n{families_markdown(rows)}{END}"


def main() -> None:
    """Run every family and write the table."""
    warnings.filterwarnings("ignore")
    found = {}
    for name in model_types():
        found[name] = row_of(name)
        print(name, {ability: found[name][ability]["works"] for ability in ABILITIES}, flush=True)
    document = {"transformers": transformers.__version__, "families": found}
    TABLE.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    if BEGIN in text:
        before, after = text[: text.index(BEGIN)], text[text.index(END) + len(END) :]
        README.write_text(before + readme_section() + after, encoding="utf-8")


if __name__ == "__main__":
    main()
