"""A trace's sequence run once more and laid open: attention of any rows, what values write, and gradients.

Nothing of size N x N is kept. Queries, keys and values of all layers are, and rows are made from them on demand; the
gradient of a logit with respect to an attention matrix A is the outer product of the gradient of the heads' output with
the values, so the library's own fused attention suffices for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, get_args

import torch
from torch import Tensor, nn

from explore.errors import ParameterError
from explore.models.attention import AttentionCall, keeping, watched
from explore.models.decoder_inputs import DecoderInputs
from explore.models.families.base import Family
from explore.models.heads import OutputHead
from explore.models.landings import LayerCalls, landing_of, watched_layers
from explore.models.layer_replays import LayerReplay
from explore.models.readouts import LinearReadout, readout_at
from explore.runs import Objective
from explore.trace import Trace


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
        self._inserted: dict[int, Tensor] = {}
        self._calls = LayerCalls()
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

    @property
    def depth(self) -> int:
        """How many layers the decoder has, those without attention among them."""
        return len(self._family.layers)

    def state(self, number: int) -> Tensor:
        """The residual stream entering layer `number`, 0 to L, (positions, width) float32."""
        return self._family.stream(self._entered[number].detach())[0].float().to(self._home)

    def inserted(self, number: int) -> Tensor | None:
        """What the model adds to the stream behind layer `number` and before the next, (positions, width) float32.

        Some decoders give the picture's features to several layers; None where nothing is added.
        """
        found = self._inserted.get(number)
        return None if found is None else found.to(self._home)

    def readout(self, number: int, ids: Sequence[int]) -> LinearReadout:
        """Final norm and head, held still at the position that predicts answer token `number`.

        Raises
        ------
        ParameterError
            The answer has no such token, or the decoder has several residual streams.
        CheckpointError
            The final norm is none that can be held still.
        """
        self._require_token(number)
        if self._family.streams > 1:
            raise ParameterError(
                f"{type(self._family.model).__name__} carries {self._family.streams} residual streams side by side",
                "Its head reads a mixture of them, which no single state gives.",
                "Use a model with one residual stream, or knockout, which needs no parts.",
            )
        assert self._normed is not None
        row = self._trace.prompt_length - 1 + number
        state, normed = self._entered[-1].detach()[0, row], self._normed.detach()[0, row]
        return readout_at(self._head, self._family.final_norm, state, normed, ids)

    def close(self) -> None:
        """Let go of everything; the replay cannot be asked afterwards."""
        self._kept, self._entered, self._normed, self._calls = [], [], None, LayerCalls()
        self._inserted.clear()

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
        if of not in get_args(Objective):
            raise ParameterError(f"of={of!r} was given", f"Allowed are {', '.join(get_args(Objective))}.")
        self._require_token(number)
        if not self._gradients:
            raise ParameterError("The replay keeps no gradients", "", "Use runner.replay(trace, gradients=True).")
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

    def _require_token(self, number: int) -> None:
        if self._normed is None:
            raise ParameterError("The replay is over", "It lives as long as its with block.", "Ask inside the block.")
        if not 0 <= number < len(self._trace.answer_ids):
            raise ParameterError(
                f"There is no answer token {number}", f"The answer has {len(self._trace.answer_ids)} tokens."
            )

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
            stream = args[0] if args else kwargs["hidden_states"]
            self._between(stream)
            self._entered.append(stream)
            self._number += 1
            self._calls.begin(stream)

        with ExitStack() as stack:
            stack.enter_context(watched(family.text_model))
            stack.enter_context(watched_layers(family, self._calls))
            stack.enter_context(keeping(self))
            for module in (*family.layers, family.final_norm):
                stack.callback(module.register_forward_pre_hook(entering, with_kwargs=True).remove)
            made = family.text_model(**{**arguments, "inputs_embeds": embeds}, use_cache=False)
        self._calls = LayerCalls()
        normed: Tensor = made.last_hidden_state
        return normed

    def _between(self, stream: Tensor) -> None:
        """What can be said of the layer that has just run, now that the next one is about to be given a stream."""
        left = self._calls.left
        if left is None or self._family.streams > 1:
            several = f"the decoder has {self._family.streams} residual streams"
            self._kept[-1:] = [replace(each, landing=several) for each in self._kept[-1:]]
            return
        with torch.no_grad():
            if stream is not left and not torch.equal(stream, left):
                self._inserted[self._number] = (stream.detach().float() - left.detach().float())[0]
            if self._kept and self._kept[-1].number == self._number:
                last = self._kept[-1]
                self._kept[-1] = replace(last, landing=landing_of(self._calls, last.output))
