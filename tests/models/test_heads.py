"""The head is what the model's own logits say it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from explore.errors import CheckpointError
from explore.models.heads import OutputHead, Squash, fitted_head


def setting(**fields: float) -> list[Any]:
    return [SimpleNamespace(**fields)]


@pytest.mark.parametrize(
    ("configs", "applied"),
    [
        (setting(), Squash()),
        (setting(logit_scale=0.25), Squash(0.25)),
        (setting(logit_scale=0.25), Squash()),
        (setting(logits_scaling=8.0), Squash(1 / 8)),
        (setting(logits_scaling=8.0), Squash(8.0)),
        (setting(final_logit_softcapping=3.0), Squash(cap=3.0)),
        (setting(final_logit_softcapping=3.0), Squash()),
        (setting(logit_scale=0.5, final_logit_softcapping=3.0), Squash(0.5, 3.0)),
    ],
)
def test_what_is_applied_is_found_from_the_logits(configs: list[Any], applied: Squash) -> None:
    torch.manual_seed(0)
    module, normed = nn.Linear(12, 40), torch.randn(3, 12) * 4
    with torch.no_grad():
        logits = applied(module(normed))
        head = fitted_head(module, configs, normed, logits)
        assert head.squash == applied
        torch.testing.assert_close(head.full(normed), logits)


def test_unexplained_logits_are_refused() -> None:
    torch.manual_seed(0)
    module, normed = nn.Linear(12, 40), torch.randn(3, 12)
    module.requires_grad_(False)
    with pytest.raises(CheckpointError, match="not its head"):
        fitted_head(module, setting(), normed, module(normed) * 1.5)
    with pytest.raises(CheckpointError):
        fitted_head(module, setting(), normed, torch.full((3, 40), torch.nan))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("squash", [Squash(), Squash(0.5, 2.0)])
def test_columns_are_those_of_the_full_logits(bias: bool, squash: Squash) -> None:
    torch.manual_seed(1)
    head, normed = OutputHead(nn.Linear(12, 40, bias=bias), squash), torch.randn(200, 12)
    ids = torch.tensor([0, 7, 39])
    with torch.no_grad():
        torch.testing.assert_close(head.columns(normed, ids), head.full(normed)[:, ids], atol=1e-6, rtol=0)


def test_a_head_that_is_no_plain_product_is_called() -> None:
    class Doubling(nn.Linear):
        def forward(self, states: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(states)

    torch.manual_seed(1)
    head, normed = OutputHead(Doubling(12, 40), Squash()), torch.randn(200, 12)
    with torch.no_grad():
        torch.testing.assert_close(head.columns(normed, torch.tensor([3])), head.full(normed)[:, [3]])


class Function(torch.nn.Module):
    """A head that is only known as a function, as quantised ones are."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, states):
        return self.inner(states)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("scale", [1.0, 15.0])
@pytest.mark.parametrize("chunk", [7, 1 << 14])
def test_log_probabilities_keep_their_digits(monkeypatch, wrapped, scale, chunk):
    """Against double precision, for tokens that are nearly certain and for tokens that are all but impossible."""
    monkeypatch.setattr("explore.models.heads._CHUNK_IDS", chunk)
    torch.manual_seed(0)
    linear = torch.nn.Linear(8, 40, bias=True).requires_grad_(False)
    states = torch.randn(3, 4, 8) * scale
    exact = torch.log_softmax(linear.double()(states.double()), dim=-1)
    linear.float()
    head = OutputHead(Function(linear) if wrapped else linear, Squash())
    for ids in (exact[0].argmax(-1), exact[0].argmin(-1)):
        expected = exact.gather(2, ids.expand(3, -1)[:, :, None])[..., 0]
        torch.testing.assert_close(head.logprobs(states, ids).double(), expected, rtol=1e-4, atol=0)
