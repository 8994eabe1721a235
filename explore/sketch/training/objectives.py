"""What each stage minimises."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from transformers import LlavaForConditionalGeneration

from explore.sketch.language import SIDES
from explore.sketch.things import KINDS
from explore.sketch.training.batches import CELLS, DENSE_CLASSES, NOUN_CLASSES, Batch

GROUND_CLASSES = 8
SHARES = {"kind": 1.0, "colour": 0.5, "text": 0.5, "size": 0.3, "centre": 1.0, "left": 1.0, "top": 1.0}
"""Weight of each label set in the tower's lesson; text is on few patches, so its gradient is noisy."""


class DenseHeads(nn.Module):
    """Linear read-outs of the tower's patches and of its CLS token; used in training only, never shipped."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Linear(width, classes) for name, classes in DENSE_CLASSES.items()})
        self.present = nn.Linear(width, DENSE_CLASSES["kind"])

    def forward(self, patches: torch.Tensor, cls: torch.Tensor, dense: dict[str, torch.Tensor]) -> torch.Tensor:
        """Mean cross-entropy over the label sets, patches of the ground counting a fifth, plus CLS presence."""
        total = torch.zeros(())
        for name, head in self.heads.items():
            labels = dense[name].flatten()
            losses = functional.cross_entropy(
                head(patches).flatten(0, 1).float(), labels, ignore_index=-100, reduction="none"
            )
            ground = (labels < GROUND_CLASSES) if name == "kind" else torch.zeros_like(labels, dtype=torch.bool)
            weight = torch.where(labels < 0, 0.0, torch.where(ground, 0.2, 1.0))
            total = total + SHARES[name] * (losses * weight).sum() / weight.sum().clamp(min=1)
        shown = functional.one_hot(dense["kind"], DENSE_CLASSES["kind"]).amax(1).float()
        presence = functional.binary_cross_entropy_with_logits(self.present(cls).float(), shown, reduction="none")
        return total + presence.sum(-1).mean() * 0.1

    @torch.no_grad()
    def accuracy(self, patches: torch.Tensor, dense: dict[str, torch.Tensor]) -> dict[str, float]:
        """Share of patches right per label set, for "kind" on things only."""
        right = {}
        for name, head in self.heads.items():
            labels = dense[name]
            on = labels >= (GROUND_CLASSES if name == "kind" else 0)
            hit = (head(patches).argmax(-1) == labels)[on]
            right[name] = float(hit.float().mean()) if len(hit) else float("nan")
        return right


class NounHeads(nn.Module):
    """Linear read-outs of the decoder's last states over a named thing; used in training only, never shipped.

    An answer often needs two steps, from the noun to its patches and from there to the answer. Taught from answers
    alone, neither step pays before the other is there; this teaches the first: the thing's own properties, and which
    kinds lie on each of its sides.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict({name: nn.Linear(width, classes) for name, classes in NOUN_CLASSES.items()})
        self.sides = nn.Linear(width, len(SIDES) * len(KINDS))
        nn.init.constant_(self.sides.bias, -4.0)  # most kinds lie on no side

    def forward(self, states: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Mean cross-entropy over the label sets, and that of the kinds on the four sides."""
        total = torch.zeros(())
        for name, head in self.heads.items():
            labels = batch.nouns[name]
            if (labels >= 0).any():
                total = total + functional.cross_entropy(head(states[labels >= 0]).float(), labels[labels >= 0])
        scene, position = (batch.named >= 0).nonzero(as_tuple=True)
        if len(scene):
            beside = batch.sides[scene, batch.named[scene, position]].flatten(1)
            found = self.sides(states[scene, position]).float()
            misses = functional.binary_cross_entropy_with_logits(found, beside, reduction="none")
            total = total + 0.5 * misses.sum(-1).mean()
        return total


def word_embeddings(model: LlavaForConditionalGeneration, bags: torch.Tensor) -> torch.Tensor:
    """Each patch as the mean of the decoder's embeddings of its words, (scenes, cells, width)."""
    here = (bags >= 0)[..., None]
    vectors = model.get_input_embeddings()(bags.clamp(min=0)) * here
    return vectors.sum(-2) / here.sum(-2).clamp(min=1)


def tower_states(model: LlavaForConditionalGeneration, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Patch states that the projector reads, (scenes, cells, width), and the tower's pooled CLS state."""
    out = model.model.vision_tower(pixel_values=pixels.to(model.dtype))
    return out.last_hidden_state[:, 1:], out.pooler_output


@dataclass(frozen=True)
class Answers:
    """How the packed turns went: the weighted next-token loss, the decoder's last states (scenes, positions, width),
    and where the likeliest next token is the right one, bool (scenes, positions)."""

    loss: torch.Tensor
    states: torch.Tensor
    hit: torch.Tensor


def answer(model: LlavaForConditionalGeneration, batch: Batch, visual: torch.Tensor | None) -> Answers:
    """Run the packed turns.

    Parameters
    ----------
    visual
        What stands at the picture's positions, (scenes, cells, width); ``None`` where the prefix is prose.
    """
    embedded = model.get_input_embeddings()(batch.tokens)
    if visual is not None:
        slots = batch.tokens == model.config.image_token_index
        embedded = embedded.masked_scatter(slots[..., None], visual.to(embedded.dtype))
    states = model.model.language_model(
        inputs_embeds=embedded,
        attention_mask=batch.attention_mask(),
        position_ids=batch.positions,
        use_cache=False,
        prefix=0 if visual is None else int((batch.segment[0] == 0).sum()),
    ).last_hidden_state
    before = _predecessors(batch)
    wanted = (batch.weight > 0) & (before >= 0)
    rows = states.gather(1, before.clamp(min=0)[..., None].expand_as(states))[wanted]
    weight = batch.weight[wanted]
    logits = model.lm_head(rows).float()
    losses = functional.cross_entropy(logits, batch.tokens[wanted], reduction="none")
    hit = torch.zeros_like(wanted).masked_scatter(wanted, logits.argmax(-1) == batch.tokens[wanted])
    return Answers((losses * weight).sum() / weight.sum(), states, hit)


def _predecessors(batch: Batch) -> torch.Tensor:
    """Index of the position that predicts each token; a turn's first token follows the prefix."""
    length = batch.tokens.shape[1]
    before = torch.arange(-1, length - 1).expand_as(batch.tokens).clone()
    starts = (batch.segment[:, 1:] != batch.segment[:, :-1]) & (batch.segment[:, 1:] > 0)
    prefix_end = (batch.segment == 0).sum(1, keepdim=True) - 1
    before[:, 1:] = torch.where(starts, prefix_end, before[:, 1:])
    return before


def alignment_loss(projected: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Squared distance of projected patches to their words' embeddings, in units of the embeddings' variance."""
    target = target.detach().float()
    return (projected.float() - target).pow(2).mean() / target.var().clamp(min=1e-8)


__all__ = ["CELLS", "Answers", "DenseHeads", "NounHeads", "alignment_loss", "answer", "tower_states", "word_embeddings"]
