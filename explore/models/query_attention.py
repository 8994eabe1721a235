"""Where learned queries look: the attention of a compressor to the vision tower's patches, recorded on request.

The compressor keeps its own attention until a plan asks; then the watched attention is selected on it for one run, as
on the text model, and the queries and keys it really computes with are kept. torch's own attention module is in no
registry: what enters it is kept, and its projections are applied once more. Weights are made when the run is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explore.errors import CheckpointError, ParameterError
from explore.layout import ImageQueries
from explore.models.attention import AttentionCall, watched
from explore.models.families.base import Family
from explore.models.families.compressor import Compressor
from explore.models.vision_masks import seen


@dataclass(frozen=True, slots=True)
class _Call:
    """One attention call of one layer.

    `query` (views, heads, rows, head_width), `key` (views, kv_heads, keys, head_width), `mask` broadcastable to (views,
    heads, rows, keys): bool with True = may attend, or a float that is added; None means everything.
    """

    query: Tensor
    key: Tensor
    mask: Tensor | None
    scaling: float

    def weights(self, view: int, rows: slice) -> Tensor:
        """Attention of some rows of one view, (heads, rows, keys) in at least single precision; rows sum to 1."""
        exact = torch.promote_types(self.key.dtype, torch.float32)
        query, key = self.query[view, :, rows].to(exact), self.key[view].to(exact)
        key = key.repeat_interleave(query.shape[0] // key.shape[0], dim=0)
        scores = query @ key.transpose(1, 2) * self.scaling
        if self.mask is not None:
            mask = self.mask.expand(len(self.query), -1, self.query.shape[2], -1)[view][:, rows]
            scores = scores.masked_fill(~mask, float("-inf")) if mask.dtype == torch.bool else scores + mask
        return torch.softmax(scores, dim=-1)

    def patches(self, view: int, before: int, count: int) -> Tensor:
        """Which keys of one view are its patches, (count,) int64: the first behind the class token that are seen."""
        views, keys = len(self.query), self.key.shape[2]
        real = seen(self.mask, views, keys)[view]
        real[:before] = False
        found = real.nonzero()[:, 0][:count]
        if len(found) < count:
            raise CheckpointError(
                f"The compressor attends to {len(found)} patches, but its picture was laid out as {count}",
                "",
                'Record without it: leave "query_attention" out of vision=(...).',
            )
        return found


class QueryRecorder:
    """Keeps where the learned queries of one run look.

    Parameters
    ----------
    family
        The loaded model's parts.

    Raises
    ------
    ParameterError
        Its visual tokens are no learned queries, or their compressor is not known.
    """

    def __init__(self, family: Family) -> None:
        if family.compressor is None:
            raise ParameterError(
                f"query_attention was asked of {type(family.model).__name__}, which has no compressor of learned "
                "queries that is known here",
                "Its visual tokens are patches, which lie in a grid, or nobody has said how they are made.",
                'Leave "query_attention" out of vision=(...).',
            )
        self._compressor: Compressor = family.compressor
        self._dtype = family.dtype
        self._calls: list[list[_Call]] = [[] for _ in self._compressor.attentions]
        self._current: list[_Call] | None = None

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Select the watched attention on the compressor and hook its modules, and undo both."""
        with ExitStack() as stack:
            for module, calls in zip(self._compressor.attentions, self._calls, strict=True):
                if isinstance(module, nn.MultiheadAttention):
                    stack.callback(module.register_forward_pre_hook(_projecting(calls), with_kwargs=True).remove)
                    continue
                stack.enter_context(watched(module))
                stack.callback(module.register_forward_pre_hook(self._entering(calls)).remove)
                stack.callback(module.register_forward_hook(self._leaving).remove)
            yield

    def attend(self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall) -> bool:
        """Whether this call was one of the compressor's; arguments as in `explore.models.attention.Tap`."""
        if self._current is None:
            return False
        self._current.append(_Call(query, key, mask, call.scaling))
        return True

    def weights(self, queries: Sequence[ImageQueries]) -> Tensor:
        """Attention of all queries to all patches, (layers, heads, queries, patches) in the model's number type.

        Queries stand in the order of the sequence; patches row by row, view after view in the order of `queries`. A
        query sees no patch of another view: those weights are 0. What a query gives to a class token, to padding or to
        other queries is in no column, so its row sums to less than 1 by just that.

        Parameters
        ----------
        queries
            The run's queries with the boxes of their patches, in the order of the sequence.
        """
        layers = [self._joined(calls, queries) for calls in self._calls]
        return torch.stack([each.to(layers[0].device) for each in layers]).to(self._dtype)

    def _joined(self, calls: Sequence[_Call], queries: Sequence[ImageQueries]) -> Tensor:
        """One layer, (heads, queries, patches)."""
        own, views = self._compressor, _Views(calls)
        rows, columns = sum(len(each.positions) for each in queries), sum(_count(each) for each in queries)
        joined, row, column = None, 0, 0
        for each in queries:
            count, patches = len(each.positions), _count(each)
            call, view = views.next(count + patches if own.joined else count)
            weights = call.weights(view, slice(-count, None))
            weights = weights[..., call.patches(view, own.before, patches).to(weights.device)]
            if joined is None:
                joined = weights.new_zeros(len(weights), rows, columns)
            joined[:, row : row + count, column : column + patches] = weights
            row, column = row + count, column + patches
        assert joined is not None, "a prompt has at least one picture"
        return joined

    def _entering(self, calls: list[_Call]) -> Callable[..., None]:
        def before_attention(module: nn.Module, args: tuple[Any, ...]) -> None:
            self._current = calls

        return before_attention

    def _leaving(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._current = None


class _Views:
    """Hands out the views of one layer's calls by their number of rows, those of one number in their order.

    A compressor may run on all whole pictures first and then on all tiles, while the sequence has tiles first.
    """

    def __init__(self, calls: Sequence[_Call]) -> None:
        self._left = [(call, view) for call in calls for view in range(len(call.query))]

    def next(self, rows: int) -> tuple[_Call, int]:
        for place, (call, _) in enumerate(self._left):
            if call.query.shape[2] == rows:
                return self._left.pop(place)
        raise CheckpointError(
            f"The compressor never ran with {rows} queries, although the prompt holds so many of a picture",
            "",
            'Record without it: leave "query_attention" out of vision=(...).',
        )


def _projecting(calls: list[_Call]) -> Callable[..., None]:
    """A hook that keeps the queries and keys of torch's own attention module, projected as it does."""

    def before_attention(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        attention: Any = module
        query, key = (args[place] if len(args) > place else kwargs[name] for place, name in enumerate(("query", "key")))
        # The packed weights are those of queries, keys and values, one below the other.
        weights = attention.in_proj_weight.chunk(3)
        biases = (None,) * 3 if attention.in_proj_bias is None else attention.in_proj_bias.chunk(3)
        heads = [
            nn.functional.linear(values, weight, bias).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)
            for values, weight, bias in zip((query, key), weights[:2], biases[:2], strict=True)
        ]
        mask = kwargs.get("attn_mask")
        if mask is not None:  # (views * heads, rows, keys), True where nobody may look
            mask = mask.unflatten(0, (len(query), -1))
            mask = ~mask if mask.dtype == torch.bool else mask
        calls.append(_Call(heads[0], heads[1], mask, attention.head_dim**-0.5))

    return before_attention


def _count(queries: ImageQueries) -> int:
    """How many patches some queries look at."""
    rows, cols = queries.shape
    return rows * cols
