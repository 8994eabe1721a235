"""The language-model head: from normed states to logits, whole rows or single columns.

Families scale or squash their logits, and which of the settings in a config is really applied differs between classes
of one family. So nothing is taken from the config on trust: when a model loads, its own logits on one probe decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explore.errors import CheckpointError
from explore.models.placement import readable

_CHUNK_ROWS = 64
_CHUNK_IDS = 1 << 14


@dataclass(frozen=True)
class Squash:
    """What happens to the head's output before it is called logits: times `factor`, then a soft cap at ±`cap`."""

    factor: float = 1.0
    cap: float | None = None

    def __call__(self, logits: Tensor) -> Tensor:
        if self.factor != 1.0:
            logits = logits * self.factor
        return logits if self.cap is None else torch.tanh(logits / self.cap) * self.cap


class OutputHead:
    """The head of a loaded model.

    Parameters
    ----------
    module
        The model's output embedding.
    squash
        What its logits go through.
    silent
        Token ids that the model gives no logit or the lowest number, (head_rows,) bool; None where there are none.
    """

    def __init__(self, module: nn.Module, squash: Squash, silent: Tensor | None = None) -> None:
        self.module, self.squash, self.silent = module, squash, silent

    def full(self, normed: Tensor) -> Tensor:
        """All logits, (rows, head_rows), of normed states (rows, width); the lowest number for silent tokens."""
        logits: Tensor = self.squash(self.module(normed))
        return self._hushed(logits, 0)

    def columns(self, normed: Tensor, ids: Tensor) -> Tensor:
        """Logits of some token ids only, (rows, ids) float32, of normed states (rows, width).

        One small product with the head's rows of these ids: the whole head over all positions would be a hundred times
        the work.
        """
        plain = readable(self.module)
        if plain is not None:
            weight, bias = plain.weight, plain.bias
            ids = ids.to(weight.device)
            logits = normed.to(weight.device).float() @ weight.index_select(0, ids).float().T
            if bias is not None:
                logits = logits + bias.index_select(0, ids).float()
            return self.squash(logits)
        parts = []
        for at in range(0, len(normed), _CHUNK_ROWS):
            every = self.full(normed[at : at + _CHUNK_ROWS])
            parts.append(every[:, ids.to(every.device)].float())
        return torch.cat(parts)

    def said(self, states: Tensor, ids: Tensor) -> Tensor:
        """Logit of one token id per place, (batch, places) float32.

        Parameters
        ----------
        states
            After the final norm, (batch, places, width).
        ids
            The token id of each place, (places,).
        """
        return torch.stack(
            [self.columns(states[:, place], ids[place : place + 1])[:, 0] for place in range(states.shape[1])], dim=1
        )

    def logprobs(self, states: Tensor, ids: Tensor) -> Tensor:
        r"""Log-probability of one token id per place, (batch, places) float32; arguments as for `said`.

        As :math:`-\log(1 + \sum_{j \neq i} e^{l_j - l_i})`, which keeps its digits where the token is nearly certain:
        there a logit less the log of a sum would be all rounding.
        """
        plain, flat, said = readable(self.module), states.flatten(0, 1), self.said(states, ids)[..., None]
        others = []
        for at, end in [(0, None)] if plain is None else _spans(plain.weight.shape[0]):
            part = self.full(flat).float()
            if end is not None:
                part = self._hushed(self.columns(flat, torch.arange(at, end)), at)
            ahead = part.reshape(*said.shape[:2], -1) - said
            own = torch.arange(at, at + ahead.shape[-1], device=ids.device) == ids[:, None]
            others.append(torch.logsumexp(ahead.masked_fill(own.to(ahead.device), -torch.inf), dim=-1))
        return -nn.functional.softplus(torch.logsumexp(torch.stack(others), dim=0))

    def _hushed(self, logits: Tensor, start: int) -> Tensor:
        """Logits (rows, ids) of the token ids from `start` on, silent ones at the lowest number."""
        if self.silent is None:
            return logits
        silent = self.silent[start : start + logits.shape[-1]].to(logits.device)
        return logits.masked_fill(silent, torch.finfo(logits.dtype).min)


def _spans(vocab: int) -> list[tuple[int, int | None]]:
    """Stretches of token ids that are read together."""
    return [(at, min(at + _CHUNK_IDS, vocab)) for at in range(0, vocab, _CHUNK_IDS)]


def fitted_head(module: nn.Module, configs: list[Any], normed: Tensor, logits: Tensor) -> OutputHead:
    """The head whose logits are the model's own.

    Parameters
    ----------
    module
        The model's output embedding.
    configs
        Where soft caps and scales may be written.
    normed, logits
        States after the final norm (rows, width) and the logits the model made of them (rows, vocabulary).

    Raises
    ------
    CheckpointError
        None of the known scales and soft caps explains the model's logits.
    """
    # A model may cut off unused rows of its head, and forbid tokens (codes of pictures, say) by the lowest number.
    raw: Tensor = module(normed).float()
    target = logits.float().to(raw.device)  # a spread model hands its logits back where its inputs were
    said = ~(target <= 0.1 * torch.finfo(logits.dtype).min)
    silent = nn.functional.pad(~said.any(0), (0, raw.shape[-1] - said.shape[-1]), value=True)
    raw, target = raw[:, : target.shape[-1]][said], target[said]
    size = max(float(target.abs().max()) if len(target) else 0.0, 1e-6)
    tolerance = 1e-4 if logits.dtype == torch.float32 else 3e-2
    errors = {squash: float((squash(raw) - target).abs().amax()) / size for squash in _candidates(configs)}
    best = min(errors, key=lambda squash: errors[squash])
    if not errors[best] <= tolerance:
        raise CheckpointError(
            f"The model's logits are not its head applied to its normed states (off by {errors[best]:.1%})",
            "Known are plain heads, logit scales and soft caps.",
            "The family needs a file in explore/models/families that says what else happens to the logits.",
        )
    with torch.inference_mode(False):  # an ordinary tensor: gradients go through what it hushes
        return OutputHead(module, best, silent.clone() if bool(silent.any()) else None)


def _candidates(configs: list[Any]) -> list[Squash]:
    factors, caps = [1.0], list[float | None]([None])
    for config in configs:
        for name in (
            "logit_scale",
            "logits_scaling",
            "output_multiplier_scale",
            "output_multiplier",
            "logits_mup_width_multiplier",
        ):
            value = getattr(config, name, None)
            if value:
                factors += [float(value), 1.0 / float(value)]
        for name in ("final_logit_softcapping", "logits_soft_cap", "output_logit_softcap"):
            value = getattr(config, name, None)
            if value:
                caps.append(float(value))
    return [Squash(factor, cap) for cap in dict.fromkeys(caps) for factor in dict.fromkeys(factors)]
