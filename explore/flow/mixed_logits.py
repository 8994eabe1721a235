"""ALTI-Logit: what heads say for a token, traced back through the mixing of the layers below to the inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.flow.direct_logits import by_head_and_source, spoken_for
from explore.flow.mixed_sources import missing_layers
from explore.flow.named_arrays import NamedArrays, about
from explore.flow.token_choice import Token, contrasted
from explore.flow.token_mixing import mixed_down, readable_layers
from explore.runs import Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    from torch import Tensor

_SOURCE = "Ferrando et al., Explaining How Transformers Use Context, ACL 2023, arXiv 2305.12535"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MixedLogits(NamedArrays):
    """What attention says for a token, by input.

    Parameters
    ----------
    by_input
        Traced back to the inputs, (positions,) float32; adds up to `attention`.
    direct
        By where heads read it, in whatever layer, (positions,): the same sum without tracing back.
    attention
        All that heads say for the token.
    row
        Sequence position whose prediction this is.
    tokens
        The token and the one it is held against: (id, text).
    missing
        Layers that could not be taken apart: their part is not in here, and tracing passes them by.
    """

    axes: ClassVar = {"by_input": ("positions",), "direct": ("positions",)}

    by_input: NDArray[np.float32]
    direct: NDArray[np.float32]
    attention: float
    row: int
    tokens: tuple[tuple[int, str], ...]
    missing: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """See `NamedArrays.to_json`; single numbers beside the arrays."""
        own = {name: getattr(self, name) for name in ("attention", "row", "tokens", "missing")}
        return {**super().to_json(), **own}


def alti_logit(
    runner: RunnerLike,
    trace: Trace,
    number: int = 0,
    *,
    token: Token = None,
    against: Token = "runner-up",
    progress: Report | None = None,
) -> MixedLogits:
    """What heads say for a token, handed down to the inputs through every lower layer's shares.

    Only what attention writes is traced; what the decoder's input, the MLPs and biases say is in
    `explore.flow.logit_attribution`.

    Parameters
    ----------
    runner, trace, number, token, against
        As for `explore.flow.logit_attribution`.
    progress
        Called with the part that is done; may raise `Cancelled`.

    Raises
    ------
    ParameterError, NotRecordedError, CheckpointError
        As for `explore.flow.logit_attribution` and `explore.flow.alti`.

    Source: Ferrando et al., ACL 2023, arXiv 2305.12535; sum over layers of Delta M, from the top layer down
    """
    import torch  # here, because a saved trace opens without it

    tokens = contrasted(runner, trace, number, token, against)
    row = trace.prompt_length - 1 + number
    with runner.rerun(trace).replay(progress=progress) as replay:
        direction = spoken_for(replay.readout(number, [each for each, _ in tokens]))
        layers = readable_layers(replay)
        missing, notes = missing_layers(replay, parts=True)
        carried: Tensor = torch.zeros(1, layers[0].positions, device=direction.device)
        direct = torch.zeros_like(carried)
        for done, layer in enumerate(reversed(layers)):
            # What higher layers read here was mixed by this one; what this one says it read at its own entry.
            carried = mixed_down(carried, layer, replay.state(layer.number))
            said = by_head_and_source(layer, row, direction).sum(0)
            carried, direct = carried + said, direct + said
            if progress is not None:
                progress((done + 1) / len(layers), f"layer {layer.number}")
    notes = ("Post hoc: direct effects of heads, traced back by shares of the 1-norm; MLPs are not in it.", *notes)
    return MixedLogits(
        by_input=carried[0].cpu().numpy(),
        direct=direct[0].cpu().numpy(),
        attention=float(direct.sum()),
        row=row,
        tokens=tokens,
        missing=missing,
        **about(trace, "alti_logit", notes, number=number, tokens=[each for each, _ in tokens], source=_SOURCE),
    )
