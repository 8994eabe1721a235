"""How what attention says comes into the residual stream: found out while a layer runs, never taken from its name.

Families put a norm behind attention, multiply it, or add attention and MLP side by side; all of them are told by which
of the layer's own tensors the sum turns up in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from explore.errors import CheckpointError
from explore.models.families.base import Family
from explore.models.linear_norms import LinearNorm, linearised


@dataclass(frozen=True, eq=False)
class Landing:
    """From the output projection to the residual stream.

    Parameters
    ----------
    norm
        What stands in between, None where nothing does.
    factor
        What the result is multiplied by.
    """

    norm: nn.Module | None = None
    factor: float = 1.0

    def at(self, said: Tensor) -> LinearNorm | None:
        """The norm held still at what the projection said, (rows, width); None where there is none."""
        return None if self.norm is None else linearised(self.norm, said)

    def whole(self, said: Tensor) -> Tensor:
        """What is added to the stream, (rows, width) float32, of what the projection said."""
        through = said if self.norm is None else self.norm(said[None])[0]
        return through.float() * self.factor


@dataclass(eq=False)
class LayerCalls:
    """What went through the parts of the layer that runs, and of no other: it is let go when the next one begins.

    Parameters
    ----------
    entered, left
        The residual stream before and behind the layer.
    heard, said
        What went into the output projection and came out of it.
    later
        What went in and out of each part of the layer after that.
    """

    entered: Tensor | None = None
    left: Tensor | None = None
    heard: Tensor | None = None
    said: Tensor | None = None
    later: list[tuple[nn.Module, Tensor, Tensor]] = field(default_factory=list)

    def begin(self, entered: Tensor) -> None:
        """A layer begins to run."""
        self.entered, self.left, self.heard, self.said = entered, None, None, None
        self.later.clear()


@contextmanager
def watched_layers(family: Family, calls: LayerCalls) -> Iterator[None]:
    """Every decoder layer that runs inside is noted in `calls`."""

    def projected(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        calls.heard, calls.said = args[0], output

    def part(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        given = args[0] if args else kwargs.get("hidden_states")
        made = output[0] if isinstance(output, tuple) else output
        if calls.said is not None and isinstance(given, Tensor) and isinstance(made, Tensor):
            calls.later.append((module, given, made))

    def layer_done(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        calls.left = output[0] if isinstance(output, tuple) else output

    with ExitStack() as stack:
        for layer in family.layers:
            projection = family.output_projection(layer)
            if projection is not None:
                stack.callback(projection.register_forward_hook(projected).remove)
                for child in layer.children():
                    if projection not in set(child.modules()):
                        stack.callback(child.register_forward_hook(part, with_kwargs=True).remove)
            stack.callback(layer.register_forward_hook(layer_done).remove)
        yield


def landing_of(calls: LayerCalls, output: Tensor) -> Landing | str:
    """How the attention of a layer that has just run came into its stream, or in words why that cannot be told.

    Parameters
    ----------
    calls
        What went through the layer.
    output
        What its heads said, (1, positions, heads, head_width).
    """
    entered, left, heard, said = calls.entered, calls.left, calls.heard, calls.said
    if entered is None or left is None or heard is None or said is None:
        return "its output projection was not seen at work"
    if heard.numel() != output.numel() or not torch.allclose(heard.reshape(-1), output.reshape(-1), rtol=1e-3):
        return "it gates or norms what its heads say before they are joined"
    said, norm = said.reshape(entered.shape), None
    behind = next((each for each in calls.later if _same(each[1], said) and not _same(each[2], said)), None)
    added = said.float()
    if behind is not None:
        norm, added = behind[0], behind[2].reshape(entered.shape).float()
        if not _is_norm(norm, said[0, -1:]):
            return f"{type(norm).__name__} stands behind its attention"
    factor = _factor(entered.float(), added, _sums(calls, left), entered.dtype)
    return "its attention is not simply added to the stream" if factor is None else Landing(norm, factor)


def _sums(calls: LayerCalls, left: Tensor) -> Iterator[Tensor]:
    """Tensors that may be the stream just behind attention: what later parts are given, or the end without them."""
    fitting = [each for each in calls.later if each[1].numel() == left.numel() == each[2].numel()]
    for _, given, _ in fitting:
        yield given.reshape(left.shape)
    for _, _, made in fitting:
        yield left - made.reshape(left.shape)  # attention and MLP side by side
    yield left


def _factor(entered: Tensor, added: Tensor, sums: Iterator[Tensor], dtype: torch.dtype) -> float | None:
    """The number c with entered + c added = one of the sums; None where there is none."""
    power = float((added * added).sum())
    if not power:
        return 1.0  # it added nothing at all
    for each in sums:
        grown = each.float() - entered
        factor = float((grown * added).sum()) / power
        rounding = 2 * torch.finfo(dtype).eps * float(each.float().norm())
        if abs(factor) > 1e-4 and float((grown - factor * added).norm()) <= (
            1e-3 * abs(factor) * power**0.5 + rounding
        ):
            return 1.0 if abs(factor - 1) < 1e-3 else factor
    return None


def _is_norm(module: nn.Module, row: Tensor) -> bool:
    if any(each.ndim > 1 for each in module.parameters()):
        return False
    try:
        linearised(module, row)
    except CheckpointError:
        return False
    return True


def _same(given: Tensor, said: Tensor) -> bool:
    return given.numel() == said.numel() and given.data_ptr() == said.data_ptr()
