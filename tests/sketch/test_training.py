"""The training: packed turns are trained as they are asked, stages learn, stop and resume."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from explore.sketch.language import SIDES, caption, questions
from explore.sketch.pens import COLOURS
from explore.sketch.prompts import PREFIX, turn_text
from explore.sketch.scenes import Thing
from explore.sketch.things import KINDS
from explore.sketch.things.signs import TEXTS
from explore.sketch.training.architecture import build_model, build_processor
from explore.sketch.training.batches import (
    TURN_TYPES,
    Batch,
    Batcher,
    choose_questions,
    dense_labels,
    kinds_beside,
    noun_facts,
)
from explore.sketch.training.fast_attention import use_training_attention
from explore.sketch.training.objectives import answer, word_embeddings
from explore.sketch.training.prose import describe
from explore.sketch.training.scene_store import SceneStore, scene_contents
from explore.sketch.training.shipping import ship
from explore.sketch.training.stages import STAGES, rate_at, run_stage
from explore.sketch.training.tally import Tally
from explore.sketch.training.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(scenes=200)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SceneStore:
    made = SceneStore(tmp_path_factory.mktemp("scenes"), 0, 12)
    made.draw(workers=1)
    return made


@pytest.fixture(scope="module")
def batcher(store: SceneStore, tokenizer: PreTrainedTokenizerFast) -> Batcher:
    images = build_processor(tokenizer).image_processor
    return Batcher(store, tokenizer, images.image_mean, images.image_std)


def test_the_tokenizer_reads_back_every_text(tokenizer: PreTrainedTokenizerFast) -> None:
    for seed in range(50):
        contents, rng = scene_contents(seed), np.random.default_rng(seed)
        for text in (caption(contents).text, describe(contents, rng), *map(turn_text, questions(contents, rng))):
            assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text
    strange = "Ünïcode 猫 <b>&amp;</b>\n\t"
    assert tokenizer.decode(tokenizer(strange).input_ids, skip_special_tokens=True) == strange


def test_batches_see_what_the_processor_makes(batcher: Batcher, tokenizer: PreTrainedTokenizerFast) -> None:
    from explore.sketch import scene

    processor = build_processor(tokenizer)
    batch = batcher.batch(0, 4)
    picked = np.sort(np.random.default_rng((0, 0)).integers(0, batcher.store.count, 4))
    inputs = processor(images=[scene(seed=int(picked[0])).image], text=PREFIX, return_tensors="pt")
    torch.testing.assert_close(inputs.pixel_values[0], batch.pixels[0], rtol=0, atol=2e-5)
    prefix = batch.tokens[0][batch.segment[0] == 0]
    assert prefix.tolist() == inputs.input_ids[0].tolist()


def test_a_packed_turn_has_the_loss_of_the_same_turn_alone(
    batcher: Batcher, tokenizer: PreTrainedTokenizerFast
) -> None:
    model = build_model(tokenizer)
    batch = batcher.batch(1, 2)
    packed_model = build_model(tokenizer)
    packed_model.load_state_dict(model.state_dict())
    use_training_attention(packed_model)
    with torch.no_grad():
        visual = word_embeddings(model, batch.bags)
        packed = answer(packed_model, batch, visual).loss
        total, weights = 0.0, 0.0
        for row in range(2):
            for turn in range(1, int(batch.segment[row].max()) + 1):
                keep = (batch.segment[row] == 0) | (batch.segment[row] == turn)
                tokens, weight = batch.tokens[row][keep][None], batch.weight[row][keep]
                embedded = model.get_input_embeddings()(tokens)
                embedded[0, tokens[0] == model.config.image_token_index] = visual[row]
                logits = model.lm_head(model.model.language_model(inputs_embeds=embedded).last_hidden_state)[0]
                losses = torch.nn.functional.cross_entropy(logits[:-1], tokens[0, 1:], reduction="none")
                total, weights = total + float((losses * weight[1:]).sum()), weights + float(weight[1:].sum())
    assert float(packed) == pytest.approx(total / weights, rel=1e-5)


def test_turns_cover_the_question_types_a_scene_allows() -> None:
    for seed in range(50):
        contents, rng = scene_contents(seed), np.random.default_rng(seed)
        possible = {question.type for question in questions(contents, rng)}
        chosen = choose_questions(contents, rng)
        assert len(chosen) <= 10
        assert {question.type for question in chosen} >= {"caption"} | (possible if len(possible) < 9 else set())


def test_dense_labels_name_kind_everywhere_and_colour_on_things_only(store: SceneStore) -> None:
    cells = np.asarray(store.cells[:12]).reshape(12, -1)
    labels = dense_labels([store.contents(i) for i in range(12)], cells)
    assert (labels["kind"] >= 0).all()
    assert np.array_equal(labels["colour"] >= 0, cells > 0)
    assert np.array_equal(labels["kind"] < 8, cells == 0)

    for row in range(12):
        assert set(labels["left"][row][cells[row] > 0]) == set(range(len(store.contents(row)[0])))
    assert (labels["centre"] == 1).sum() == sum(len(store.contents(i)[0]) for i in range(12))


def test_noun_facts_stand_where_the_name_ends() -> None:
    things = [Thing("dog", "red", at=(0.1, 0.9)), Thing("sign", "blue", text="STOP", at=(0.9, 0.1))]
    spans = [(0, 4), (4, 8), (8, 12), (12, 17)]  # "Read| the| dog| sign"
    named, count, colour, row, column, text, left, top = noun_facts("Read the dog sign", spans, things)
    assert named == [-1, -1, 0, 1]
    assert count == [-100, -100, 1, 1]
    assert [list(COLOURS)[index] for index in colour[2:]] == ["red", "blue"]
    assert (row[2:], column[2:]) == ([2, 0], [0, 2])
    assert text[2] == -100
    assert TEXTS[text[3]] == "STOP"
    assert (left[2:], top[2:]) == ([0, 1], [1, 0])
    beside = kinds_beside(things)[0]
    found = {side: [name for name, here in zip(KINDS, beside[i], strict=True) if here] for i, side in enumerate(SIDES)}
    assert found == {"left of": [], "right of": ["sign"], "above": ["sign"], "below": []}


def test_the_tally_counts_an_answer_right_only_when_every_token_is(batcher: Batcher) -> None:
    batch: Batch = batcher.batch(0, 4)
    tally, everything = Tally(), torch.ones_like(batch.tokens, dtype=torch.bool)
    tally.add(batch, everything)
    assert set(tally.asked) <= set(TURN_TYPES)
    assert tally.asked.total() == int(batch.segment.amax(1).sum())
    assert tally.shares()["exact"] == 1.0
    spoiled = everything.clone()
    spoiled[0, (batch.segment[0] == 1).nonzero()[-1]] = False  # the caption's last token
    tally.add(batch, spoiled)
    assert tally.asked["caption"] - tally.right["caption"] == 1
    assert tally.shares()["colour"] == 1.0


@pytest.mark.parametrize("name", ["tower", "text"])
def test_a_stage_learns_and_a_stopped_stage_ends_as_an_unbroken_one(
    name: str, batcher: Batcher, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    fresh = build_model(tokenizer).state_dict()

    def run(folder: Path, *stops: int) -> dict[str, torch.Tensor]:
        folder.mkdir(exist_ok=True)
        for steps in stops:
            model = build_model(tokenizer)
            model.load_state_dict(fresh)
            torch.manual_seed(1)
            stage = replace(STAGES[name], scenes=24 * 4, batch=4)
            run_stage(stage, model, batcher, folder, report=1, until=steps)
        return dict(torch.load(folder / f"{name}.pt", weights_only=True)["model"])

    whole, broken = run(tmp_path / "whole", 24), run(tmp_path / "broken", 9, 24)
    assert all(torch.equal(whole[key], broken[key]) for key in whole)
    log = [json.loads(line) for line in (tmp_path / "whole" / f"{name}.jsonl").read_text().splitlines()]
    losses = [entry.get("dense", 0.0) + entry.get("answers", 0.0) for entry in log]
    assert len(losses) == 24
    assert np.mean(losses[-6:]) < np.mean(losses[:6])


def test_the_frozen_stage_leaves_the_decoder_alone_and_ships(
    batcher: Batcher, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    for name in ("tower", "order", "text", "frozen"):
        torch.manual_seed(0)
        run_stage(replace(STAGES[name], scenes=4, batch=2), build_model(tokenizer), batcher, tmp_path)
    text, frozen = (torch.load(tmp_path / f"{name}.pt", weights_only=True)["model"] for name in ("text", "frozen"))
    tower = torch.load(tmp_path / "order.pt", weights_only=True)["model"]
    for key, value in frozen.items():
        if "language_model" in key or "lm_head" in key:
            assert torch.equal(value, text[key])
    assert any(not torch.equal(frozen[key], tower[key]) for key in frozen if "vision_tower" in key)
    # the joint stage begins where the earlier ones ended, part by part
    start = build_model(tokenizer)
    run_stage(replace(STAGES["joint"], scenes=4, batch=2, rate=0.0), start, batcher, tmp_path)
    joint = torch.load(tmp_path / "joint.pt", weights_only=True)["model"]
    assert all(torch.equal(joint[key], frozen[key]) for key in joint)
    shipped = ship("frozen", tmp_path, tokenizer, tmp_path / "shipped")
    assert (shipped / "model.safetensors").stat().st_size < 16e6
    from explore.models.loading import load_runner

    trace = load_runner(str(shipped)).ask(np.zeros((50, 80, 3), np.uint8), "What is this?", max_new_tokens=3)
    assert trace.layout.grid().positions.shape == (12, 12)


def test_the_learning_rate_warms_up_and_decays() -> None:
    assert rate_at(0.0) < 0.05
    assert rate_at(0.03) > 0.95
    assert rate_at(0.03) > rate_at(0.5) > rate_at(0.9)
    assert rate_at(1.0) < 0.05
