"""Direct logit attribution: what each head, MLP and source says for a token without any later layer's help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from explore.errors import ParameterError
from explore.flow.mixed_sources import missing_layers
from explore.flow.named_arrays import NamedArrays, about
from explore.flow.token_choice import Token, contrasted
from explore.runs import LayerReplayLike, ReadoutLike, ReplayLike, Report, RunnerLike
from explore.trace import Trace

if TYPE_CHECKING:
    from torch import Tensor

_SOURCE = "Logit attribution as in Ferrando et al., Explaining How Transformers Use Context, ACL 2023, arXiv 2305.12535"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class DirectLogits(NamedArrays):
    """A logit, or the difference of two, taken apart. All parts together are `total`; what is left is `residual`.

    Parameters
    ----------
    layers, heads
        All layers of the decoder, and the heads of the widest.
    by_head
        What each head says for the token, (layers, heads) float32; NaN where a layer's heads cannot be told apart.
    by_source
        The same by where the head read it, (layers, heads, positions).
    mlp
        What each layer adds behind its attention, as a rule its MLP, (layers,); where attention cannot be taken apart,
        all that the layer adds.
    bias
        What attention adds whatever it looks at, (layers,).
    inserted
        What the model gives to the stream between layers, (layers,).
    embedding, constant
        What the decoder's input says at this position, and biases of norm and head.
    total, logit, residual
        Sum of all parts, what the model says before any soft cap, and `total - logit`.
    row
        Sequence position whose prediction this is.
    tokens
        The token and, where the difference was taken, the one it is held against: (id, text).
    cap
        Soft cap that the logits go through afterwards, None without.
    missing
        Layers whose attention could not be taken apart.
    """

    axes: ClassVar = {
        "by_head": ("layers", "heads"),
        "by_source": ("layers", "heads", "positions"),
        "mlp": ("layers",),
        "bias": ("layers",),
        "inserted": ("layers",),
    }

    layers: NDArray[np.int64]
    heads: NDArray[np.int64]
    by_head: NDArray[np.float32]
    by_source: NDArray[np.float32]
    mlp: NDArray[np.float32]
    bias: NDArray[np.float32]
    inserted: NDArray[np.float32]
    embedding: float
    constant: float
    total: float
    logit: float
    residual: float
    row: int
    tokens: tuple[tuple[int, str], ...]
    cap: float | None = None
    missing: tuple[int, ...] = ()

    @property
    def by_position(self) -> NDArray[np.float32]:
        """What was read at each position, heads added up, (layers, positions); 0 where a layer is missing."""
        found: NDArray[np.float32] = np.nansum(self.by_source, axis=1)
        return found

    def to_json(self) -> dict[str, Any]:
        """See `NamedArrays.to_json`; single numbers beside the arrays."""
        names = ("embedding", "constant", "total", "logit", "residual", "row", "tokens", "cap", "missing")
        return {**super().to_json(), **{name: getattr(self, name) for name in names}}


def logit_attribution(
    runner: RunnerLike,
    trace: Trace,
    number: int = 0,
    *,
    token: Token = None,
    against: Token = "runner-up",
    progress: Report | None = None,
) -> DirectLogits:
    """What each head, MLP and source says for a token where it is predicted; the sum is the logit.

    The final norm is held still at the actual state. Early layers act through later ones too, which is not seen here.

    Parameters
    ----------
    runner, trace
        The model and the run.
    number
        Which answer token's prediction is taken apart.
    token
        Id or text of the token to speak for; None is the one that was said.
    against
        Id or text of the token it is held against; "runner-up" is the best other one, and None attributes the plain
        logit, in which every part has an offset that all tokens share.
    progress
        Asked between layers whether to stop.

    Raises
    ------
    ParameterError
        There is no such token, or the decoder has several residual streams.
    NotRecordedError
        The runner-up is wanted, and the trace has no logits.
    CheckpointError
        The final norm cannot be held still.

    Source: Ferrando et al., ACL 2023, arXiv 2305.12535
    """
    tokens = contrasted(runner, trace, number, token, against)
    row = trace.prompt_length - 1 + number
    with runner.rerun(trace).replay(progress=progress) as replay:
        readout = replay.readout(number, [each for each, _ in tokens])
        missing, notes = missing_layers(replay, parts=True)
        parts = _parts(replay, readout, row)
    logits = readout.logits.tolist()
    logit = logits[0] - logits[1] if len(logits) > 1 else logits[0]
    total = float(sum(np.nansum(np.asarray(each, np.float64)) for name, each in parts.items() if name != "by_head"))
    notes = ("Post hoc, direct effects only: what parts say through later layers is not counted.", *notes)
    if readout.cap is not None:
        notes = (*notes, f"The logit before the soft cap of {readout.cap:g} is taken apart.")
    depth, heads = parts["by_head"].shape
    return DirectLogits(
        layers=np.arange(depth),
        heads=np.arange(heads),
        total=total,
        logit=logit,
        residual=total - logit,
        row=row,
        tokens=tokens,
        cap=readout.cap,
        missing=missing,
        **parts,
        **about(trace, "logit_attribution", notes, number=number, tokens=[each for each, _ in tokens], source=_SOURCE),
    )


def spoken_for(readout: ReadoutLike) -> Tensor:
    """The direction of the token, or of the token less the other, (width,)."""
    found: Tensor = readout.directions[0]
    return found - readout.directions[1] if len(readout.directions) > 1 else found


def by_head_and_source(layer: LayerReplayLike, row: int, direction: Tensor) -> Tensor:
    r""":math:`u \cdot A_{ij}^h W_O^h v_j^h` for one row, (heads, positions), by one vector for each head.

    Parameters
    ----------
    layer
        Its attention.
    row
        Sequence position of the row.
    direction
        What parts of the stream are multiplied by, (width,).
    """
    import torch  # here, because a saved trace opens without it

    at, values = torch.tensor([row]), layer.values()
    weights, found = layer.weights(at)[:, 0].float(), torch.empty(values.shape[:2], device=values.device)
    unit = torch.eye(values.shape[-1], device=values.device)
    for head, own in enumerate(values):
        heard = layer.landed(at, layer.written(head, unit)[None])[0] @ direction.to(values.device)
        found[head] = weights[head] * (own @ heard)
    return found


def _parts(replay: ReplayLike, readout: ReadoutLike, row: int) -> dict[str, Any]:
    """The fields of `DirectLogits` that add up to its total, and `by_head`."""
    direction, known = spoken_for(readout), {layer.number: layer for layer in replay.layers if not layer.problem}
    if not replay.layers:
        raise ParameterError("The decoder has no layer with attention", "", "Use a model that has one.")
    depth, positions = replay.depth, replay.layers[0].positions
    heads = max(len(layer.values()) for layer in replay.layers)
    by_source = np.full((depth, heads, positions), np.nan, np.float32)
    mlp, bias, inserted = (np.zeros(depth, np.float32) for _ in range(3))

    def said(vector: Tensor) -> float:
        return float(vector @ direction)

    before = replay.state(0)[row]
    embedding = said(before)
    for number in range(depth):
        after, extra = replay.state(number + 1)[row], replay.inserted(number)
        behind = after - before
        if extra is not None:
            inserted[number] = said(extra[row])
            behind = behind - extra[row]
        if number in known:
            layer = known[number]
            made = by_head_and_source(layer, row, direction)
            by_source[number, : len(made)] = made.cpu().numpy()
            bias[number] = said(layer.constant(range(row, row + 1))[0])
            behind = behind - layer.added(range(row, row + 1))[0]
        mlp[number] = said(behind)
        before = after
    by_head = np.where(np.isnan(by_source).all(-1), np.nan, np.nansum(by_source, axis=-1)).astype(np.float32)
    constants = readout.constant.tolist()
    constant = constants[0] - constants[1] if len(constants) > 1 else constants[0]
    arrays = {"by_source": by_source, "mlp": mlp, "bias": bias, "inserted": inserted}
    return {"by_head": by_head, **arrays, "embedding": embedding, "constant": constant}
