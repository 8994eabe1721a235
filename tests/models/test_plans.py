"""Recording plans: what they choose, what they weigh, what they refuse."""

from __future__ import annotations

import dataclasses

import pytest
from PIL import Image

from explore.errors import BudgetError, ParameterError
from explore.models.plans import RecordingPlan
from tests.tiny import tiny_runner

PLANS = {
    "default": RecordingPlan(),
    "all": RecordingPlan(attention="all", vision=("cls_attention", "keys", "features")),
    "few": RecordingPlan(hidden=(0, 2), attention=(3, 21, 24), attention_layers=(1,), columns=False),
    "one layer": RecordingPlan(hidden="none", attention_layers=(0,), logits="none"),
    "nothing": RecordingPlan(hidden="none", attention="none", columns=False, logits="none"),
}


@pytest.mark.parametrize("name", PLANS)
def test_estimate_is_what_is_kept(name: str) -> None:
    runner, plan = tiny_runner(), PLANS[name]
    trace = runner.ask(
        Image.new("RGB", (40, 30)), "what is the red thing above a tree?", max_new_tokens=20, record=plan
    )
    sizes = dict.fromkeys(("hidden", "attention", "columns", "logits", "vision"), 0)
    for key, array in trace.arrays().items():
        if key.split(".")[0] in sizes and key != "columns.ids":
            sizes[key.split(".")[0]] += array.nbytes
    question = len(trace.layout.positions("question"))
    parts = plan.estimate(
        runner.info,
        trace.prompt_length,
        len(trace.answer_ids),
        question_tokens=question,
        visual_tokens=len(trace.layout.visual),
    )
    assert parts["total"] == sum(parts[each] for each in sizes)
    for each in ("hidden", "attention", "logits", "vision"):
        assert parts[each] == sizes[each]
    # Repeated words share a column, so their estimate is an upper bound.
    assert sizes["columns"] <= parts["columns"]
    assert plan.columns == bool(sizes["columns"])


def test_over_budget_is_refused_before_the_run() -> None:
    runner, calls = tiny_runner(), []
    plan = RecordingPlan(attention="all", budget_bytes=5000)
    with pytest.raises(BudgetError) as caught:
        runner.ask(Image.new("RGB", (40, 30)), "what?", record=plan, progress=lambda *report: calls.append(report))
    assert not calls
    message = str(caught.value)
    assert "5.0 kB" in message
    assert 'attention="answer"' in message


@pytest.mark.parametrize(
    ("heavy", "remedy"),
    [
        ("hidden", "hidden="),
        ("attention", "attention="),
        ("columns", "columns="),
        ("logits", "logits="),
        ("vision", "vision="),
    ],
)
def test_the_largest_part_is_named(heavy: str, remedy: str) -> None:
    parts = dict.fromkeys(("hidden", "attention", "columns", "logits", "vision"), 10) | {
        heavy: 10**9,
        "total": 10**9 + 40,
    }
    with pytest.raises(BudgetError, match=rf"Drop the largest part with {remedy}"):
        RecordingPlan(budget_bytes=10**6).require_budget(parts, 8)


def test_half_precision_takes_half() -> None:
    info, plan = tiny_runner().info, RecordingPlan(columns=False)
    whole = plan.estimate(info, 30, 10)["total"]
    assert plan.estimate(dataclasses.replace(info, dtype="bfloat16"), 30, 10)["total"] * 2 == whole


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"hidden": "some"}, "hidden="),
        ({"attention": "rows"}, "attention="),
        ({"logits": "all"}, "logits="),
        ({"vision": ("saliency",)}, "saliency"),
        ({"hidden": (-1,)}, "whole numbers from 0"),
        ({"attention": (-3,)}, "whole numbers from 0"),
        ({"hidden": ("a",)}, "whole numbers from 0"),
        ({"attention_layers": "all"}, "whole numbers from 0"),
        ({"budget_bytes": None}, "number of bytes"),
    ],
)
def test_unknown_choices_are_refused(fields: dict[str, object], hint: str) -> None:
    with pytest.raises(ParameterError, match=hint):
        RecordingPlan(**fields)  # type: ignore[arg-type]


def test_layers_the_model_does_not_have_are_refused() -> None:
    picture = Image.new("RGB", (8, 8))
    for plan in (RecordingPlan(hidden=(3,)), RecordingPlan(attention_layers=(2,))):
        with pytest.raises(ParameterError, match="This model has 0 to"):
            tiny_runner().ask(picture, "what?", record=plan, max_new_tokens=2)


@pytest.mark.parametrize(
    ("attention", "start", "end", "rows"),
    [
        ("answer", 0, 10, [9]),
        ("answer", 10, 12, [10, 11]),
        ("all", 4, 6, [4, 5]),
        ("none", 0, 10, []),
        ((1, 4, 30), 0, 10, [1, 4]),
        ((1, 4, 30), 30, 31, [30]),
        ((), 0, 10, []),
    ],
)
def test_rows_between(attention: object, start: int, end: int, rows: list[int]) -> None:
    assert list(RecordingPlan(attention=attention).rows_between(10, start, end)) == rows  # type: ignore[arg-type]


def test_one_signal_may_be_a_word() -> None:
    assert RecordingPlan(vision="keys").vision == ("keys",)  # type: ignore[arg-type]


def test_one_layer_or_position_may_be_a_number() -> None:
    plan = RecordingPlan(hidden=3, attention=5, attention_layers=1)  # type: ignore[arg-type]
    assert (plan.hidden, plan.attention, plan.attention_layers) == ((3,), (5,), (1,))
