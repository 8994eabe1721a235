"""The steps of a tuned lens's fit: the divergence on a batch of text, and one optimiser for all layers.

It is the published one: SGD with Nesterov momentum 0.9, weight decay 1e-3, gradients cut at norm 1 layer by layer, and
a rate that falls linearly. AdamW was tried on the shipped model at two rates and ended above it in every layer.
Source: arXiv 2303.08112, appendix; AlignmentResearch/tuned-lens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explore.runs import LanguageLike, TextTokens

_CHUNK = 256  # rows whose distributions over the vocabulary are held at once, with their gradients

Maps = Mapping[int, tuple[Tensor, Tensor]]
"""Layer to A (width, width) and b (width,)."""


class Fitting:
    """Maps being fitted and the state of their optimiser.

    Parameters
    ----------
    language
        The model the maps are for.
    layers, last, width
        Which layers get a map, the layer that the model itself reads out, and how wide states are.
    learning_rate
        Of the first step; it falls linearly to 0.
    steps
        How many there will be.
    """

    def __init__(
        self,
        language: LanguageLike,
        layers: Sequence[int],
        last: int,
        width: int,
        *,
        learning_rate: float,
        steps: int,
    ) -> None:
        self.language, self.last, self.steps, self.rate = language, last, steps, learning_rate
        device = language.embeddings().device
        self.maps = {
            layer: (
                torch.zeros(width, width, device=device, requires_grad=True),
                torch.zeros(width, device=device, requires_grad=True),
            )
            for layer in layers
        }
        values = [each for pair in self.maps.values() for each in pair]
        self._optimizer = torch.optim.SGD(values, learning_rate, momentum=0.9, nesterov=True, weight_decay=1e-3)
        self.done = 0

    def step(self, texts: Sequence[TextTokens]) -> float:
        """One step on some texts; returns the mean divergence over layers, in nats per token."""
        found = divergences(self.language, texts, self.maps, self.last, learn=True)
        for pair in self.maps.values():
            torch.nn.utils.clip_grad_norm_(pair, 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = self.rate * (1 - self.done / self.steps)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.done += 1
        return float(np.mean(list(found.values())))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that another process needs to go on, by name."""
        named = {f"A.{layer}": weight for layer, (weight, _) in self.maps.items()}
        named |= {f"b.{layer}": bias for layer, (_, bias) in self.maps.items()}
        for number, state in self._optimizer.state_dict()["state"].items():
            named |= {f"state.{number}.{name}": each for name, each in state.items()}
        return {name: each.detach().cpu().numpy() for name, each in named.items()}

    def go_on(self, arrays: Mapping[str, NDArray[Any]], done: int) -> None:
        """Take up what `arrays` gave after so many steps."""
        state: dict[int, dict[str, Tensor]] = {}
        for name, values in arrays.items():
            kind, _, rest = name.partition(".")
            if kind == "state":
                number, _, part = rest.partition(".")
                state.setdefault(int(number), {})[part] = torch.from_numpy(values.copy())
                continue
            with torch.no_grad():
                self.maps[int(rest)]["Ab".index(kind)].copy_(torch.from_numpy(values.copy()))
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        self.done = done


def divergences(
    language: LanguageLike, texts: Sequence[TextTokens], maps: Maps, last: int, *, learn: bool = False
) -> dict[int, float]:
    r"""Layer to :math:`\mathrm{KL}(p_{final} \| p_{lens})` in nats, the mean over all tokens but control tokens.

    Parameters
    ----------
    language
        The model.
    texts
        Run as one batch.
    maps
        What states go through before the head.
    last
        The layer whose states the model itself reads out, L.
    learn
        Add the gradient of the sum over layers to the maps'.
    """
    rows = [np.flatnonzero(~each.special) for each in texts]
    states = language.states([each.ids for each in texts], [*maps, last], rows)
    total, found = len(states[last]), dict.fromkeys(maps, 0.0)
    with language.readout() as read, torch.set_grad_enabled(learn):
        for at in range(0, total, _CHUNK):
            with torch.no_grad():
                wanted = read(states[last][at : at + _CHUNK].clone()).log_softmax(-1)
            for layer, pair in maps.items():
                # A copy, because states come from inference mode and could not be learnt from.
                found[layer] += _divergence(read, states[layer][at : at + _CHUNK].clone(), pair, wanted, total, learn)
    return found


def _divergence(
    read: Callable[[Tensor], Tensor],
    states: Tensor,
    pair: tuple[Tensor, Tensor],
    wanted: Tensor,
    total: int,
    learn: bool,
) -> float:
    weight, bias = pair
    given = states.to(weight.device).float()
    likely = read(given + (given @ weight.T + bias)).log_softmax(-1)
    loss = nn.functional.kl_div(likely, wanted, reduction="sum", log_target=True) / total
    if learn:
        loss.backward()
    return float(loss.detach())
