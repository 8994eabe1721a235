"""A bfloat16 model that learns through float32 copies of its weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class MasterWeights:
    """AdamW on float32 copies of every trainable parameter of ``modules``, which compute in bfloat16.

    Parameters
    ----------
    modules
        Name -> module; cast to bfloat16 in place. What does not train keeps its float32 values for :meth:`state`.
    rate
        Learning rate at its height.
    """

    def __init__(self, modules: dict[str, nn.Module], rate: float) -> None:
        self.modules = modules
        self._exact = {name: {k: v.clone() for k, v in module.state_dict().items()} for name, module in modules.items()}
        self._pairs: list[tuple[str, str, nn.Parameter, torch.Tensor]] = []
        for name, module in modules.items():
            for key, parameter in module.named_parameters():
                if parameter.requires_grad:
                    master = parameter.detach().float().clone().requires_grad_()
                    self._pairs.append((name, key, parameter, master))
            module.to(torch.bfloat16)
        self.optimiser = torch.optim.AdamW(
            [master for *_, master in self._pairs], lr=rate, betas=(0.9, 0.98), weight_decay=0.02
        )

    def step(self, rate: float, most: float = 1.0) -> None:
        """One update from the gradients of the working weights, clipped to a norm of ``most``."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        for *_, parameter, master in self._pairs:
            master.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_([master for *_, master in self._pairs], most)
        self.optimiser.step()
        self._copy_back()

    @torch.no_grad()
    def _copy_back(self) -> None:
        for *_, parameter, master in self._pairs:
            parameter.copy_(master)

    def state(self) -> dict[str, Any]:
        """Exact weights per module and the optimiser's memory."""
        for name, key, _, master in self._pairs:
            self._exact[name][key] = master.detach().clone()
        return {**self._exact, "optimiser": self.optimiser.state_dict()}

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`."""
        for name, key, _, master in self._pairs:
            master.copy_(state[name][key])
        for name in self.modules:
            self._exact[name] = state[name]
        self.optimiser.load_state_dict(state["optimiser"])
        self._copy_back()
