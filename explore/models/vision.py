"""Signals of the vision tower on request: attention of its class token, keys, what the projector or queries read.

The tower keeps its own attention until a plan asks for these; then the watched attention is selected on the tower for
one run, exactly as on the text model. Towers call it once for all pictures, or once for every picture, tile or window:
what all calls of a layer saw is joined, in the tower's order of patches before any windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from explore.errors import ParameterError
from explore.layout import ImageQueries
from explore.models.attention import AttentionCall, watched
from explore.models.families.base import Family
from explore.models.query_attention import QueryRecorder
from explore.models.rows import LayerRecord
from explore.models.vision_masks import seen
from explore.models.windows import Windows

_ELSE = 'Use vision=("features",), or vision=().'


class LayerCalls:
    """The attention calls of one layer of the tower."""

    def __init__(self) -> None:
        self._records: list[LayerRecord] = []
        self._masks: list[Tensor | None] = []

    def add(
        self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall, wanted: Tensor | None = None
    ) -> None:
        """Take note of one call; arguments as for `LayerRecord.add`."""
        record = LayerRecord()
        record.add(query, key, mask, call, wanted)
        self._records.append(record)
        self._masks.append(mask)

    def keys(self, before: int, behind: int) -> Tensor:
        """Keys of all patches, (heads, patches, head_width), less as many other tokens before and behind them."""
        return self._joined([each.keys[0] for each in self._records], before, behind)

    def rows(self, before: int, behind: int) -> Tensor:
        """Weights of the first token's row at all patches, (heads, patches)."""
        rows = [each.rows()[:, :, 0, :, None] for each in self._records]
        return self._joined(rows, before, behind)[..., 0]

    def _joined(self, parts: list[Tensor], before: int, behind: int) -> Tensor:
        """From (images, heads, tokens, numbers) of each call to (heads, patches, numbers), padding left out."""
        found = []
        for part, mask in zip(parts, self._masks, strict=True):
            images, tokens = part.shape[0], part.shape[2]
            patches = slice(before, tokens - behind)
            real = seen(mask, images, tokens).to(part.device)[:, patches]
            found.append(part[:, :, patches].transpose(0, 1).flatten(1, 2)[:, real.flatten()])
        return torch.cat(found, dim=1)


class VisionRecorder:
    """Keeps the wanted signals of one run of the tower.

    Parameters
    ----------
    family
        The loaded model's parts.
    wanted
        Names out of `explore.models.plans.VISION_SIGNALS`.

    Raises
    ------
    ParameterError
        The model has no such tower, the tower no class token, its windows are in an order nobody knows, or there are no
        learned queries.
    """

    def __init__(self, family: Family, wanted: tuple[str, ...]) -> None:
        self._family, self._wanted = family, wanted
        if family.vision_tower is None or not family.vision_layers:
            raise ParameterError(
                f"vision={wanted} was asked of a model without a vision tower of layers", "", "Use vision=()."
            )
        if "cls_attention" in wanted and not family.vision_cls:
            raise ParameterError(
                f"cls_attention was asked of {type(family.vision_tower).__name__}, which has no class token",
                'Other signals of this tower: "keys", "features".',
            )
        self._current: LayerCalls | None = None
        self._queries = QueryRecorder(family) if "query_attention" in wanted else None
        self._rows = torch.tensor([0] if "cls_attention" in wanted else [], dtype=torch.long)
        self._calls = [LayerCalls() for _ in family.vision_layers]
        self._features: list[Tensor] = []
        self._windows = Windows(family.vision_tower)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Select the watched attention on the tower and hook its layers, and undo both."""
        tower = self._family.vision_tower
        assert tower is not None
        with ExitStack() as stack:
            stack.enter_context(self._windows.noted())
            if self._queries is not None:
                stack.enter_context(self._queries.recording())
            if {"cls_attention", "keys"} & set(self._wanted):
                stack.enter_context(watched(tower))
                for layer, calls in zip(self._family.vision_layers, self._calls, strict=True):
                    stack.callback(layer.register_forward_pre_hook(self._entering(calls)).remove)
                stack.callback(tower.register_forward_hook(self._leaving).remove)
            if "features" in self._wanted:
                hook = self._family.projector.register_forward_pre_hook(self._projecting, with_kwargs=True)
                stack.callback(hook.remove)
            yield

    def attend(self, query: Tensor, key: Tensor, mask: Tensor | None, call: AttentionCall) -> bool:
        """Whether this call was one of the tower's or its compressor's; arguments as in `explore.models.attention.Tap`.

        An encoder in which queries stand behind patches is both.
        """
        taken = self._queries is not None and self._queries.attend(query, key, mask, call)
        if self._current is None:
            return taken
        self._current.add(query, key, mask, call, self._rows)
        return True

    def signals(self, queries: Sequence[ImageQueries] = ()) -> dict[str, Tensor]:
        """The wanted signals, all patches of all images along the patch axis, in the order the tower is given them.

        That is the order of the visual tokens, several patches after each other for one token, where the processor puts
        patches in blocks (the kinds of Qwen and GLM) or the tower has as many patches as there are tokens. Towers whose
        patches are merged or pooled afterwards have them row by row, tile by tile.

        Parameters
        ----------
        queries
            The run's learned queries, in the order of the sequence.

        Returns
        -------
        dict
            "cls_attention" (layers, heads, patches): weights of the class token's row, its own column left out;
            "keys" (layers, heads, patches, head_width); "features" (patches, feature_width); "query_attention"
            (layers, heads, queries, patches): see `explore.models.query_attention.QueryRecorder.weights`.

        Raises
        ------
        ParameterError
            The tower's attention cannot be watched, or its layers do not all see the same patches.
        """
        extra = self._family.vision_extra
        found: dict[str, Tensor] = {}
        if "cls_attention" in self._wanted:
            found["cls_attention"] = self._stacked([each.rows(*extra) for each in self._seen()]).to(self._family.dtype)
        if "keys" in self._wanted:
            found["keys"] = self._stacked([each.keys(*extra) for each in self._seen()])
        if "features" in self._wanted:
            joined = torch.cat([part.flatten(0, -2) for part in self._features])
            tower, projector = self._family.vision_tower, self._family.projector
            # A projector inside the tower reads patches window by window; one behind it, in their own order.
            inside = tower is not None and any(each is projector for each in tower.modules())
            found["features"] = self._windows.undone(joined, axis=0) if inside else joined
        if self._queries is not None:
            found["query_attention"] = self._queries.weights(queries)
        return found

    def _seen(self) -> list[LayerCalls]:
        without = [number for number, calls in enumerate(self._calls) if not calls._records]
        if without:
            raise ParameterError(
                f"{type(self._family.vision_tower).__name__} has no attention that can be watched in layers {without}",
                "Keys are there where every layer takes its attention from the library's registry.",
                _ELSE,
            )
        return self._calls

    def _stacked(self, layers: list[Tensor]) -> Tensor:
        """What all layers gave, on the device of the first: a tower may be spread over several."""
        counts = [each.shape[1] for each in layers]
        if len(set(counts)) > 1:
            raise ParameterError(
                f"The layers of {type(self._family.vision_tower).__name__} see {counts} patches",
                "Signals of all layers need the same patches in each.",
                _ELSE,
            )
        stacked = torch.stack([each.to(layers[0].device) for each in layers])
        return self._windows.undone(stacked, axis=2)

    def _entering(self, calls: LayerCalls) -> Any:
        def before_layer(module: nn.Module, args: tuple[Any, ...]) -> None:
            self._current = calls

        return before_layer

    def _leaving(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._current = None

    def _projecting(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._features.append(next(each for each in (*args, *kwargs.values()) if isinstance(each, Tensor)))
