"""A recorded run says what the model did, changes nothing, and leaves nothing behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers.normalizers import Replace

from explore.errors import (
    Cancelled,
    CheckpointError,
    ContextLengthError,
    ImageInputError,
    OutOfMemoryError,
    ParameterError,
    QuestionError,
)
from explore.jobs import check_cancelled
from explore.layout import Role
from explore.models.plans import RecordingPlan
from explore.models.runner import Runner
from explore.result_cache import ResultCache
from explore.trace import open_trace
from explore.workers import Worker
from tests.tiny import tiny_llava, tiny_processor, tiny_runner, tiny_vipllava

EVERYTHING = RecordingPlan(attention="all", vision=("cls_attention", "keys", "features"))
QUESTION = "what is the red thing?"


def noise(width: int = 50, height: int = 40, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def fresh(**options: Any) -> tuple[Any, Runner]:
    """A model of its own, and its runner."""
    model, processor = tiny_llava(**options)
    return model, Runner(model, processor, checkpoint="tiny")


def plain_inputs(runner: Runner, pictures: list[Image.Image], question: str = QUESTION) -> dict[str, Any]:
    """What a user of the bare library would feed: the processor's output for the LLaVA-1.5 prompt."""
    family = runner._family
    text = "USER: " + "<image>\n" * len(pictures) + f"{question} ASSISTANT:"
    return dict(family.processor(text=[text], images=pictures, return_tensors="pt"))


@pytest.mark.parametrize("gqa", [True, False], ids=["grouped", "full"])
@pytest.mark.parametrize("pictures", [1, 2])
def test_recorded_run_equals_the_plain_eager_model(gqa: bool, pictures: int) -> None:
    model, runner = fresh(gqa=gqa, seed=4, layers=3)
    images = [noise(seed=number) for number in range(pictures)]
    trace = runner.ask(images, QUESTION, max_new_tokens=8, record=EVERYTHING)

    inputs = plain_inputs(runner, images)
    with torch.inference_mode():
        made = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    assert made[0].tolist() == trace.ids.tolist()

    model.set_attn_implementation("eager")
    fed = {**inputs, "input_ids": made[:, :-1], "attention_mask": torch.ones_like(made[:, :-1])}
    with torch.inference_mode():
        whole = model(**fed, output_attentions=True, output_hidden_states=True)
    for layer in range(3):
        np.testing.assert_allclose(trace.attention(layer), whole.attentions[layer][0], atol=1e-6)
        np.testing.assert_allclose(trace.hidden(layer), whole.hidden_states[layer][0], atol=2e-5)
    # The library's last entry is already normed; ours is before the norm.
    normed = model.model.language_model.norm(torch.tensor(trace.hidden(3).copy()))
    np.testing.assert_allclose(normed.detach(), whole.hidden_states[3][0], atol=2e-5)
    np.testing.assert_allclose(trace.columns.logits, whole.logits[0][:, trace.columns.ids.copy()], atol=1e-5)
    np.testing.assert_allclose(trace.logits, whole.logits[0, trace.prompt_length - 1 :], atol=2e-5)
    assert trace.logits.argmax(-1).tolist() == trace.answer_ids.tolist()


def test_the_models_default_implementation_gives_the_same_answer_while_recorded() -> None:
    model, runner = fresh(seed=5)
    inputs = plain_inputs(runner, [noise()])
    with torch.inference_mode():
        before = model.generate(**inputs, max_new_tokens=10, do_sample=False)
    first = runner.ask(noise(), QUESTION, max_new_tokens=10)
    light = runner.ask(noise(), QUESTION, max_new_tokens=10, record=RecordingPlan(hidden="none", attention="none"))
    assert first.ids.tolist() == light.ids.tolist() == before[0].tolist()
    np.testing.assert_array_equal(first.logits, light.logits)


@pytest.mark.parametrize("gqa", [True, False], ids=["grouped", "full"])
def test_read_gives_what_ask_gave(gqa: bool) -> None:
    _, runner = fresh(gqa=gqa, seed=1)
    asked = runner.ask(noise(), QUESTION, max_new_tokens=9, record=EVERYTHING)
    for answer in (asked.answer, asked.answer_ids, asked.answer_ids.tolist()):
        read = runner.read(noise(), QUESTION, answer, record=EVERYTHING)
        assert read.tokens == asked.tokens
        assert read.answer == asked.answer
        assert read.layout.to_json() == asked.layout.to_json()
        for name, array in asked.arrays().items():
            np.testing.assert_allclose(read.arrays()[name], array, atol=1e-4, err_msg=name)


def test_a_new_answer_is_tokenised_as_it_would_go_on() -> None:
    runner = tiny_runner()
    tokenizer = runner._family.processor.tokenizer
    trace = runner.read(noise(), QUESTION, "a small house.")
    assert [token.text for token in trace.tokens if token.role is Role.ANSWER] == [
        " a",
        " small",
        " house",
        ".",
        "</s>",
    ]
    assert trace.answer == "a small house."
    whole = tokenizer(f"{QUESTION} ASSISTANT: a small house.")["input_ids"]
    assert trace.ids.tolist()[-len(whole) - 1 :] == [*whole, tokenizer.eos_token_id]
    assert len(trace.logits) == 5


def test_an_empty_answer_is_the_end_token() -> None:
    trace = tiny_runner().read(noise(), QUESTION, "")
    assert trace.answer == ""
    assert [token.text for token in trace.tokens[trace.prompt_length :]] == ["</s>"]
    assert trace.positions_fed == trace.prompt_length
    assert trace.words() == []


def test_an_answer_stops_at_the_end_token() -> None:
    model, runner = fresh(seed=2)
    third = int(runner.ask(noise(), QUESTION, max_new_tokens=6).answer_ids[2])
    model.generation_config.eos_token_id = [third, 2]
    trace = runner.ask(noise(), QUESTION, max_new_tokens=6)
    assert trace.answer_ids[-1] == third
    assert len(trace.answer_ids) <= 3
    assert len(trace.hidden(0)) == len(trace.tokens) - 1
    assert trace.attention(0).shape == (4, len(trace.answer_ids), len(trace.tokens) - 1)


def test_roles_words_and_grid_of_a_run() -> None:
    trace = tiny_runner().ask(
        [noise(), noise(30, 30, 1)], "is the dog red or small?", max_new_tokens=5, system="say one"
    )
    text = {role: "".join(token.text for token in trace.tokens if token.role is role) for role in Role}
    assert text[Role.QUESTION].strip() == "is the dog red or small?"
    assert text[Role.SYSTEM] == "say one"
    assert text[Role.IMAGE] == "<image>" * 32
    assert text[Role.TEMPLATE] == " USER: \n\n ASSISTANT:"
    assert text[Role.ANSWER].strip() == trace.answer
    assert [word for word, _ in trace.words("question")] == ["is", "the", "dog", "red", "or", "small", "?"]
    placeholders = np.flatnonzero(trace.ids == tiny_runner()._family.placeholder_ids[0])
    np.testing.assert_array_equal(trace.layout.visual, placeholders)
    np.testing.assert_array_equal(trace.layout.grid(1).positions.ravel(), placeholders[16:])
    assert trace.layout.grid(1).size == (30, 30)


def test_a_question_that_repeats_the_template() -> None:
    trace = tiny_runner().ask(noise(), "USER: ASSISTANT:", max_new_tokens=2)
    pieces = "".join(token.text for token in trace.tokens if token.role is Role.QUESTION)
    assert pieces == "USER: ASSISTANT:"


def test_columns_cover_question_answer_guess_and_last_token() -> None:
    model, runner = fresh(seed=6)
    trace = runner.ask(noise(), QUESTION, max_new_tokens=4)
    question = trace.layout.positions("question")
    with torch.inference_mode():
        logits = model(**plain_inputs(runner, [noise()])).logits[0]
    wanted = {
        *trace.ids[question],
        *trace.answer_ids,
        trace.ids[trace.prompt_length - 1],
        int(logits[question[0]].argmax()),
    }
    assert trace.columns.ids.tolist() == sorted(int(each) for each in wanted)
    assert trace.columns.logits.dtype == np.float32


def test_class_token_kept_in_the_sequence() -> None:
    processor = tiny_processor()
    processor.vision_feature_select_strategy = "full"
    model, processor = tiny_llava(strategy="full", processor=processor)
    trace = Runner(model, processor).ask(noise(), QUESTION, max_new_tokens=2)
    assert len(trace.layout.visual) == 17
    assert trace.layout.row[trace.layout.visual[0]] == -1
    assert trace.layout.grid().positions[0, 0] == trace.layout.visual[1]


def test_half_precision_is_kept_in_half() -> None:
    model, processor = tiny_llava()
    trace = Runner(model.bfloat16(), processor).ask(noise(), QUESTION, max_new_tokens=3)
    assert trace.hidden(1).dtype == trace.attention(0).dtype == trace.logits.dtype == np.float16
    assert trace.columns.logits.dtype == np.float32


def test_states_that_overflow_half_are_kept_in_single() -> None:
    model, processor = tiny_llava()
    with torch.no_grad():
        model.model.language_model.layers[0].mlp.down_proj.weight.mul_(1e7)
    trace = Runner(model.bfloat16(), processor).ask(noise(), QUESTION, max_new_tokens=2)
    assert trace.hidden(0).dtype == np.float16
    assert trace.hidden(1).dtype == np.float32
    assert np.isfinite(trace.hidden(1)).all()


def hooks_of(model: Any) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules() if module is not None
    )


def implementations(model: Any) -> set[str]:
    return {module.config._attn_implementation for module in model.modules() if hasattr(module, "config")}


def cancel_at(call: int) -> Callable[..., None]:
    calls = iter(range(10**6))

    def progress(fraction: float | None, message: str) -> None:
        if next(calls) == call:
            raise Cancelled

    return progress


@pytest.mark.parametrize("token", [0, 1, 4])
def test_cancel_in_the_middle_leaves_a_working_model(token: int) -> None:
    model, runner = fresh(seed=7)
    hooks, chosen = hooks_of(model), implementations(model)
    expected = runner.ask(noise(), QUESTION, max_new_tokens=6, record=EVERYTHING)
    with pytest.raises(Cancelled):
        runner.ask(noise(), QUESTION, max_new_tokens=6, record=EVERYTHING, progress=cancel_at(token))
    assert hooks_of(model) == hooks
    assert implementations(model) == chosen == {"sdpa"}
    again = runner.ask(noise(), QUESTION, max_new_tokens=6, record=EVERYTHING)
    np.testing.assert_array_equal(again.logits, expected.logits)


def test_cancel_is_seen_between_layers() -> None:
    _, runner = fresh(seed=7)

    class Progress:
        checks = 0

        def __call__(self, fraction: float | None, message: str) -> None:
            pass

        def check(self) -> None:
            self.checks += 1
            if self.checks == 2:
                raise Cancelled

    with pytest.raises(Cancelled):
        runner.read(noise(), QUESTION, "a dog", progress=Progress())
    with pytest.raises(Cancelled):
        runner.answers([(noise(), QUESTION)], max_new_tokens=3, progress=Progress())


def test_a_cancelled_job_stops_a_run_that_was_handed_no_progress() -> None:
    _, runner = fresh(seed=7)
    worker, begun = Worker(), threading.Event()

    def work() -> None:
        while True:
            begun.set()
            check_cancelled()
            runner.ask(noise(), QUESTION, max_new_tokens=4)

    job = worker.submit(work)
    assert begun.wait(10)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(timeout=20)
    worker.close()
    assert runner.ask(noise(), QUESTION, max_new_tokens=2).answer_ids.shape == (2,)


def test_progress_counts_tokens() -> None:
    reports: list[tuple[float | None, str]] = []
    tiny_runner().ask(noise(), QUESTION, max_new_tokens=4, progress=lambda *report: reports.append(report))
    assert [fraction for fraction, _ in reports] == [0.0, 0.0, 0.25, 0.5, 0.75]
    assert reports[0][1].startswith("recording at most ")
    assert reports[2][1] == "token 2 of at most 4"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "python"],
)
def test_out_of_memory_is_one_error_and_the_runner_stays_usable(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, runner = fresh(seed=7)
    hooks = hooks_of(model)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(model.model.language_model.layers[1].mlp, "forward", fail)
        for run in (
            lambda: runner.ask(noise(), QUESTION),
            lambda: runner.read(noise(), QUESTION, "a"),
            lambda: runner.answers([(noise(), QUESTION)]),
        ):
            with pytest.raises(OutOfMemoryError, match="still loaded"):
                run()
    assert implementations(model) == {"sdpa"}
    assert hooks_of(model) == hooks
    assert runner.ask(noise(), QUESTION, max_new_tokens=1).answer_ids.shape == (1,)


def test_other_errors_pass_unchanged_and_hooks_are_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    model, runner = fresh(seed=7)
    hooks = hooks_of(model)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("shapes do not match")

    with monkeypatch.context() as patched:
        patched.setattr(model.model.vision_tower, "forward", fail)
        with pytest.raises(RuntimeError, match="shapes do not match"):
            runner.ask(noise(), QUESTION, record=EVERYTHING)
    assert implementations(model) == {"sdpa"}
    assert hooks_of(model) == hooks


def test_bad_input_is_refused_before_the_model_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    model, runner = fresh(seed=7, context=40)

    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the model was run")

    with monkeypatch.context() as patched:
        patched.setattr(model, "forward", never)
        with pytest.raises(ImageInputError):
            runner.ask(b"no picture", QUESTION)
        with pytest.raises(QuestionError):
            runner.ask(noise(), "  ")
        with pytest.raises(ContextLengthError, match=r"42 tokens.*holds 40"):
            runner.ask(noise(), "a a a a a a a a a a a a a a a a a a a a")
        with pytest.raises(ContextLengthError):
            runner.ask([noise(), noise(), noise()], "a")
        with pytest.raises(ContextLengthError):
            runner.read(noise(), "a a a a a a a", "a a a a a a a a a a a a a a")
        with pytest.raises(ContextLengthError):
            runner.answers([(noise(), "a"), (noise(), "a a a a a a a a a a a a a a a a a a a a a a")])
        with pytest.raises(ParameterError):
            runner.ask(noise(), QUESTION, max_new_tokens=0)
        with pytest.raises(ParameterError, match="token ids"):
            runner.read(noise(), QUESTION, [])
        with pytest.raises(ParameterError, match="token ids"):
            runner.read(noise(), QUESTION, [10**6])
        with pytest.raises(ParameterError, match="stand for a picture"):
            runner.read(noise(), QUESTION, [7, *runner._family.placeholder_ids])
        with pytest.raises(ParameterError):
            runner.answers([(noise(), "a")], batch_size=0)
    assert runner.ask(noise(), "a", max_new_tokens=1).answer_ids.shape == (1,)


def test_the_answer_ends_where_the_context_does() -> None:
    _, runner = fresh(seed=7, context=40)
    trace = runner.ask(noise(), "a", max_new_tokens=64)
    assert len(trace.tokens) <= 40


def test_two_threads_take_turns() -> None:
    _, runner = fresh(seed=8)
    questions = ["what is this?", "is the dog red?", "how many cat?"] * 2
    expected = [runner.ask(noise(), question, max_new_tokens=5).ids.tolist() for question in questions]
    found: dict[int, list[int]] = {}

    def work(number: int) -> None:
        found[number] = runner.ask(noise(), questions[number], max_new_tokens=5).ids.tolist()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(questions))] == expected


def test_gradients_are_off_inside_and_untouched_outside() -> None:
    runner = tiny_runner()
    assert torch.is_grad_enabled()
    runner.ask(noise(), QUESTION, max_new_tokens=1)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_results_come_from_the_cache_when_nothing_changed() -> None:
    model, processor = tiny_llava()
    cache = ResultCache(1 << 30)
    runner = Runner(model, processor, checkpoint="tiny", cache=cache)
    first = runner.ask(noise(), QUESTION, max_new_tokens=3)
    assert runner.ask(noise(), f" {QUESTION} ", max_new_tokens=3) is first
    assert runner.ask(np.asarray(noise()), QUESTION, max_new_tokens=3) is first
    others = [
        runner.ask(noise(), QUESTION, max_new_tokens=4),
        runner.ask(noise(seed=1), QUESTION, max_new_tokens=3),
        runner.ask(noise(), "what?", max_new_tokens=3),
        runner.ask(noise(), QUESTION, max_new_tokens=3, record=RecordingPlan(hidden="none")),
        runner.read(noise(), QUESTION, first.answer),
        runner.read(noise(), QUESTION, "a dog"),
    ]
    assert len({id(trace) for trace in (first, *others)}) == len(cache) == 7


def test_the_fingerprint_survives_the_file(tmp_path: Any) -> None:
    trace = tiny_runner().ask(noise(), QUESTION, max_new_tokens=3, record=RecordingPlan(hidden=(0, 1)))
    trace.save(tmp_path / "run.trace")
    again = open_trace(tmp_path / "run.trace")
    assert again.fingerprint == trace.fingerprint
    assert again.fingerprint["checkpoint"] == "tiny"
    assert again.fingerprint["plan"]["hidden"] == [0, 1]
    assert again.fingerprint.items() >= tiny_runner().fingerprint.items()


def test_a_static_cache_in_the_checkpoint_is_set_aside() -> None:
    model, runner = fresh(seed=7)
    expected = runner.ask(noise(), QUESTION, max_new_tokens=3)
    model.generation_config.cache_implementation = "static"
    model.generation_config.repetition_penalty = 5.0
    again = runner.ask(noise(), QUESTION, max_new_tokens=3)
    np.testing.assert_array_equal(again.logits, expected.logits)
    np.testing.assert_array_equal(again.attention(1), expected.attention(1))


def test_a_question_without_tokens_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _, runner = fresh(seed=7)
    tokenizer = runner._family.processor.tokenizer.backend_tokenizer
    tokenizer.normalizer = Replace("\u200b", "")
    with pytest.raises(QuestionError, match="no token"):
        runner.ask(noise(), "\u200b")


def test_several_tower_layers_at_once() -> None:
    model, processor = tiny_vipllava()
    runner = Runner(model, processor)
    plan = RecordingPlan(vision=("features",))
    trace = runner.ask(noise(), QUESTION, max_new_tokens=3, record=plan)
    assert trace.vision["features"].shape == (16, 48)
    assert plan.estimate(runner.info, 30, 3, visual_tokens=16)["vision"] == trace.vision["features"].nbytes
    read = runner.read(noise(), QUESTION, trace.answer_ids)
    np.testing.assert_allclose(read.logits, trace.logits, atol=1e-4)
    answers = runner.answers([(noise(), QUESTION), (noise(seed=1), "what?")], max_new_tokens=3)
    assert answers[0] == trace.answer


def test_a_closed_runner_says_so() -> None:
    _, runner = fresh()
    runner.close()
    assert runner.closed
    assert "closed" in repr(runner)
    with pytest.raises(CheckpointError, match=r"explore\.load"):
        runner.ask(noise(), QUESTION)


def test_info_describes_the_model() -> None:
    info = tiny_runner().info
    assert (info.layers, info.heads, info.kv_heads, info.width, info.context_length) == (2, 4, 2, 32, 512)
    assert (info.dtype, info.device, info.family, info.checkpoint, info.revision) == (
        "float32",
        "cpu",
        "llava",
        "tiny",
        "test",
    )
    assert info.vision is not None
    assert (info.vision.layers, info.vision.heads, info.vision.width, info.vision.cls) == (3, 3, 24, True)
    tied, _ = tiny_llava(tie=True)
    runner = Runner(tied, tiny_llava(tie=True)[1])
    distinct = {each.data_ptr(): each.numel() * 4 for each in tied.parameters()}
    assert runner.info.nbytes >= sum(distinct.values())
    assert runner.info.nbytes < info.nbytes


def test_a_family_nobody_knows_is_refused() -> None:
    model, processor = tiny_llava()
    model.config.model_type = "unheard_of"
    with pytest.raises(CheckpointError, match=r"unheard_of.*llava"):
        Runner(model, processor)


def test_a_processor_of_another_model_is_refused() -> None:
    model, processor = tiny_llava()
    processor.patch_size = 4
    with pytest.raises(CheckpointError, match="image tokens"):
        Runner(model, processor)


@pytest.mark.parametrize(
    "setting",
    [
        {"no_repeat_ngram_size": 2},
        {"min_new_tokens": 8},
        {"suppress_tokens": list(range(5, 60))},
        {"repetition_penalty": 5.0},
        {"bad_words_ids": [[7]]},
        {"num_return_sequences": 3},
        {"num_beams": 4},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_the_checkpoints_own_generation_settings_change_nothing(setting: dict[str, Any]) -> None:
    model, runner = fresh(seed=3)
    plain = runner.ask(noise(), QUESTION, max_new_tokens=8).ids.tolist()
    for name, value in setting.items():
        setattr(model.generation_config, name, value)
    assert runner.ask(noise(), QUESTION, max_new_tokens=8).ids.tolist() == plain
    assert runner.answers([(noise(), QUESTION)], max_new_tokens=8)
    assert getattr(model.generation_config, next(iter(setting))) == next(iter(setting.values()))


def test_reading_a_cut_off_answer_after_the_model_was_loaded_again() -> None:
    model, processor = tiny_llava()
    cache = ResultCache(1 << 30)
    asked = Runner(model, processor, cache=cache).ask(noise(), QUESTION, max_new_tokens=3)
    again = Runner(model, processor, cache=cache)
    assert again.ask(noise(), QUESTION, max_new_tokens=3) is asked
    assert again.read(noise(), QUESTION, asked.answer).ids.tolist() == asked.ids.tolist()


def test_pairs_may_come_one_by_one() -> None:
    runner = tiny_runner()
    expected = [runner.ask(noise(seed=n), QUESTION, max_new_tokens=4).answer for n in range(5)]
    lazy = ((noise(seed=n), QUESTION) for n in range(5))
    assert runner.answers(lazy, max_new_tokens=4, batch_size=2) == expected  # type: ignore[arg-type]


def test_batched_answers_end_where_the_context_does() -> None:
    runner = tiny_runner()
    room = runner.info.context_length - runner.ask(noise(), QUESTION, max_new_tokens=1).prompt_length
    long = QUESTION + " dog" * (room - 3)
    pairs = [(noise(), long), (noise(), QUESTION)]
    asked = [runner.ask(*pair, max_new_tokens=12).answer for pair in pairs]
    assert runner.answers(pairs, max_new_tokens=12) == asked


def test_what_a_run_would_keep_is_told_beforehand() -> None:
    runner = tiny_runner()
    expected = runner.estimate(noise(), QUESTION, max_new_tokens=6)
    trace = runner.ask(noise(), QUESTION, max_new_tokens=6)
    kept = sum(array.nbytes for name, array in trace.arrays().items() if name != "row_positions")
    assert kept <= expected["total"] <= 1.5 * kept


@pytest.mark.parametrize("count", [None, "5", 2.5, 0, -1])
def test_counts_are_whole_numbers(count: Any) -> None:
    with pytest.raises(ParameterError, match="max_new_tokens"):
        tiny_runner().ask(noise(), QUESTION, max_new_tokens=count)


@pytest.mark.parametrize("record", ["all", 5, {}, RecordingPlan])
def test_only_a_plan_is_a_plan(record: Any) -> None:
    with pytest.raises(ParameterError, match="RecordingPlan"):
        tiny_runner().ask(noise(), QUESTION, record=record)


@pytest.mark.parametrize("answer", [None, 5, [1.5], object()])
def test_an_answer_is_text_or_ids(answer: Any) -> None:
    with pytest.raises(ParameterError, match="answer"):
        tiny_runner().read(noise(), QUESTION, answer)


def test_an_answer_too_long_to_read_is_called_that() -> None:
    with pytest.raises(ContextLengthError, match=r"The answer has .* tokens"):
        tiny_runner().read(noise(), QUESTION, "dog " * 5000)


@pytest.mark.parametrize("question", ["What </s> is it?", "<s>what?", "what \ud800?"])
def test_control_tokens_and_half_characters_in_questions_are_refused(question: str) -> None:
    with pytest.raises(QuestionError):
        tiny_runner().ask(noise(), question)
    with pytest.raises(QuestionError):
        tiny_runner().ask(noise(), QUESTION, system=question)
