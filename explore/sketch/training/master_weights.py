"""A bfloat16 model that learns through float32 copies of its weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

ADAM_SHARE = 0.5
"""AdamW's learning rate over Muon's."""


class MasterWeights:
    """Muon and AdamW on float32 copies of every trainable parameter of ``modules``, which compute in bfloat16.

    Matrices inside layers and the projector learn by Muon, everything else (embeddings, read-outs, norms, biases) by
    AdamW. On this model that needs about half the steps of AdamW alone.

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
        inner = [pair[-1] for pair in self._pairs if _is_inner_matrix(*pair[1:3])]
        rest = [pair[-1] for pair in self._pairs if not _is_inner_matrix(*pair[1:3])]
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(inner, lr=rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.02),
        ]

    def step(self, rate: float, most: float = 1.0) -> None:
        """One update from the gradients of the working weights, clipped to a norm of ``most``."""
        for optimiser, share in zip(self.optimisers, (1.0, ADAM_SHARE), strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * share
        for *_, parameter, master in self._pairs:
            master.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_([master for *_, master in self._pairs], most)
        for optimiser in self.optimisers:
            optimiser.step()
        self._copy_back()

    @torch.no_grad()
    def _copy_back(self) -> None:
        for *_, parameter, master in self._pairs:
            parameter.copy_(master)

    def state(self) -> dict[str, Any]:
        """Exact weights per module and the optimisers' memory."""
        for name, key, _, master in self._pairs:
            self._exact[name][key] = master.detach().clone()
        return {**self._exact, "optimisers": [each.state_dict() for each in self.optimisers]}

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`."""
        for name, key, _, master in self._pairs:
            master.copy_(state[name][key])
        for name in self.modules:
            self._exact[name] = state[name]
        for optimiser, memory in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(memory)
        self._copy_back()


def _is_inner_matrix(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim == 2 and ("layers." in name or "multi_modal_projector" in name)
