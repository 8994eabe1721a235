"""A trace's sequence run once more and laid open: attention of any rows, what values write, and gradients.

Nothing of size N x N is kept. Queries, keys and values of all layers are, and rows are made from them on demand; the
gradient of a logit with respect to an attention matrix A is the outer product of the gradient of the heads' output with
the values, so the library's own fused attention suffices for it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import Tensor, nn

from explore.errors import ParameterError
from explore.models.attention import AttentionCall, keeping, watched
from explore.models.decoder_inputs import DecoderInputs
from explore.models.families.base import Family
from explore.models.heads import OutputHead
from explore.models.placement import readable
from explore.models.rows import LayerRecord
from explore.runs import Objective
from explore.trace import Trace


@dataclass(frozen=True, eq=False)
class LayerReplay:
    """Attention of one layer over the whole sequence.

    Parameters
    ----------
    number
        Which decoder layer it is, counted from 0.
    query
        (1, heads, positions, head_width)
    key, value
        (1, kv_heads, positions, head_width)
    mask, call
        As the layer used them.
    output
        What the heads said, (1, positions, heads, head_width), in the graph if gradients were asked for.
    projection
        The module that turns it into what is added to the residual stream.
    home
        The device that everything asked for comes to, one for all layers of a spread model.
    """

    number: int
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    call: AttentionCall
    output: Tensor
    projection: nn.Module
    home: torch.device

    @property
    def positions(self) -> int:
        """Length of the sequence."""
        return int(self.query.shape[2])

    def weights(self, rows: Tensor | range) -> Tensor:
        """Attention weights of some query rows, (heads, rows, positions) in at least single precision."""
        record = LayerRecord()
        wanted = torch.as_tensor(rows if isinstance(rows, Tensor) else list(rows), dtype=torch.long)
        record.add(self.query.detach(), self.key.detach(), self.mask, self.call, wanted)
        return record.rows()[0].to(self.home)

    def values(self) -> Tensor:
        """Value of every position for every query head, (heads, positions, head_width) float32."""
        groups = self.query.shape[1] // self.value.shape[1]
        return self.value.detach()[0].float().repeat_interleave(groups, dim=0).to(self.home)

    def written(self, head: int, vectors: Tensor) -> Tensor:
        """What a head's vectors (..., head_width) add to the residual stream, (..., width) float32; no bias."""
        heads, width = self.query.shape[1], self.output.shape[3]
        plain = readable(self.projection)
        if plain is not None:
            return vectors.float() @ plain.weight[:, head * width : (head + 1) * width].float().T.to(vectors.device)
        # Asked as a function: quantised, offloaded and transposed projections have no plain weight to read.
        device, dtype = self.output.device, self.output.dtype
        unit = torch.zeros(width, heads * width, device=device, dtype=dtype)
        unit[:, head * width : (head + 1) * width] = torch.eye(width, device=device, dtype=dtype)
        matrix = (self.projection(unit) - self.projection(torch.zeros_like(unit[:1]))).float()
        return vectors.float() @ matrix.to(vectors.device)


@dataclass(frozen=True, eq=False)
class TokenGradient:
    """Gradient of one answer token's score.

    Parameters
    ----------
    heads
        Per layer with attention, with respect to what the heads said, each (heads, positions, head_width) float32.
    states
        Per layer 0 to L, with respect to the residual stream entering it, each (positions, width) float32.
    """

    heads: tuple[Tensor, ...]
    states: tuple[Tensor, ...]


class Replay:
    """See `explore.runs.ReplayLike`; made by `Runner.replay`."""

    def __init__(
        self,
        family: Family,
        head: OutputHead,
        inputs: DecoderInputs,
        trace: Trace,
        *,
        gradients: bool,
        check: Callable[[], None],
    ) -> None:
        self._head, self._trace, self._gradients, self._check = head, trace, gradients, check
        self._family, self._number, self._home = family, -1, inputs.embeds.device
        self._kept: list[LayerReplay] = []
        self._entered: list[Tensor] = []  # what enters each layer, all streams of it
        # Gradients need ordinary tensors, and the caller may be in inference mode.
        with torch.inference_mode(False), torch.set_grad_enabled(gradients):
            self._normed: Tensor | None = self._run(family, inputs)

    @property
    def layers(self) -> tuple[LayerReplay, ...]:
        """Attention of every layer that has any, in order; some decoders mix in layers of other kinds."""
        return tuple(self._kept)

    def layer(self, number: int) -> LayerReplay:
        """Attention of decoder layer `number`.

        Raises
        ------
        ParameterError
            There is no such layer, or it has no attention.
        """
        for each in self._kept:
            if each.number == number:
                return each
        have = ", ".join(str(each.number) for each in self._kept)
        raise ParameterError(f"Layer {number} was given", f"Layers with attention are {have}.")

    @property
    def states(self) -> tuple[Tensor, ...]:
        """The residual stream entering every layer 0 to L, each (positions, width) float32."""
        return tuple(self._family.stream(each.detach())[0].float().to(self._home) for each in self._entered)

    def close(self) -> None:
        """Let go of everything; the replay cannot be asked afterwards."""
        self._kept, self._entered, self._normed = [], [], None

    def keep(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, call: AttentionCall, output: Tensor
    ) -> None:
        """See `explore.models.attention.Keeper`."""
        self._check()
        projection = self._family.output_projection(self._family.layers[self._number])
        assert projection is not None
        self._kept.append(LayerReplay(self._number, query, key, value, mask, call, output, projection, self._home))

    def gradient(self, number: int, of: Objective = "logit") -> TokenGradient:
        """Gradient of the score of answer token `number` (counted within the answer) in one backward pass.

        Raises
        ------
        ParameterError
            The replay was made without gradients, or the answer has no such token.
        """
        if self._normed is None:
            raise ParameterError("The replay is over", "It lives as long as its with block.", "Ask inside the block.")
        if of not in get_args(Objective):
            raise ParameterError(f"of={of!r} was given", f"Allowed are {', '.join(get_args(Objective))}.")
        if not self._gradients:
            raise ParameterError("The replay keeps no gradients", "", "Use runner.replay(trace, gradients=True).")
        if not 0 <= number < len(self._trace.answer_ids):
            raise ParameterError(
                f"There is no answer token {number}", f"The answer has {len(self._trace.answer_ids)} tokens."
            )
        self._check()
        with torch.inference_mode(False), torch.enable_grad():
            score = self._score(number, of)
            outputs = [each.output for each in self._kept]
            wanted = [*outputs, *self._entered]
            found = torch.autograd.grad(score, wanted, retain_graph=True, allow_unused=True)
        # A state that the score does not depend on has no gradient: it is zero.
        filled = [torch.zeros_like(x) if g is None else g for g, x in zip(found, wanted, strict=True)]
        heads = tuple(each[0].transpose(0, 1).float().to(self._home) for each in filled[: len(outputs)])
        return TokenGradient(heads, tuple(self._slope(each) for each in filled[len(outputs) :]))

    def _slope(self, gradient: Tensor) -> Tensor:
        """Gradient at one residual stream, (positions, width): of several side by side, all moved by the same."""
        shared = self._family.stream(gradient)
        return (shared * (gradient.numel() // shared.numel()))[0].float().to(self._home)

    def _score(self, number: int, of: Objective) -> Tensor:
        row = self._trace.prompt_length - 1 + number
        token = int(self._trace.answer_ids[number])
        assert self._normed is not None
        normed = self._normed[0, row : row + 1]
        score = self._head.said if of == "logit" else self._head.logprobs
        return score(normed[None], torch.tensor([token]))[0, 0]

    def _run(self, family: Family, inputs: DecoderInputs) -> Tensor:
        arguments = inputs.repeated(1)
        embeds = inputs.embeds.detach().clone().requires_grad_(self._gradients)

        def entering(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._entered.append(args[0] if args else kwargs["hidden_states"])
            self._number += 1

        with ExitStack() as stack:
            stack.enter_context(watched(family.text_model))
            stack.enter_context(keeping(self))
            for module in (*family.layers, family.final_norm):
                stack.callback(module.register_forward_pre_hook(entering, with_kwargs=True).remove)
            made = family.text_model(**{**arguments, "inputs_embeds": embeds}, use_cache=False)
        normed: Tensor = made.last_hidden_state
        return normed
