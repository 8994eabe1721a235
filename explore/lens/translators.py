"""A fitted tuned lens: one affine map per layer, the file it is kept in, and how well it does on texts held out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explore.errors import ExploreError, ParameterError

FORMAT = "vlmscope.tuned_lens"
VERSION = 1


class TunedLensFileError(ExploreError):
    """The file is no tuned lens, is damaged, or was written by a newer version."""


@dataclass(frozen=True)
class HeldOut:
    """KL divergence in nats per token from the model's own prediction, on texts the fit never saw.

    Parameters
    ----------
    tuned
        With the fitted map.
    logit
        The control: without it, which is the logit lens.
    """

    tuned: float
    logit: float


@dataclass(frozen=True, eq=False)
class Translators:
    r"""Maps :math:`h \mapsto h + A_l h + b_l` that bring a state of layer l to where the model's head expects one.

    Parameters
    ----------
    weights, biases
        Layer to A (width, width) and b (width,), float32.
    fingerprint
        The model they were fitted to.
    fit
        How they were fitted.
    held_out
        Layer to how well they do.
    """

    weights: Mapping[int, NDArray[np.float32]]
    biases: Mapping[int, NDArray[np.float32]]
    fingerprint: Mapping[str, Any]
    fit: Mapping[str, Any] = field(default_factory=dict)
    held_out: Mapping[int, HeldOut] = field(default_factory=dict)

    @classmethod
    def zero(cls, layers: tuple[int, ...], width: int, fingerprint: Mapping[str, Any]) -> Translators:
        """Maps that change nothing: with them the tuned lens is the logit lens exactly."""
        weights = {layer: np.zeros((width, width), np.float32) for layer in layers}
        return cls(weights, {layer: np.zeros(width, np.float32) for layer in layers}, fingerprint)

    @property
    def layers(self) -> tuple[int, ...]:
        """Layers that have a map, ascending."""
        return tuple(sorted(self.weights))

    def __repr__(self) -> str:
        lines = [f"Translators({self.fingerprint.get('checkpoint')!r}, layers {', '.join(map(str, self.layers))})"]
        for layer, each in sorted(self.held_out.items()):
            lines.append(f"layer {layer}: KL {each.tuned:.3f} nats on held-out text, logit lens {each.logit:.3f}")
        return "\n  ".join(lines)

    def translated(self, layer: int, states: NDArray[np.float32]) -> NDArray[np.float32]:
        """States of a layer (rows, width) as the head expects them.

        Raises
        ------
        ParameterError
            The layer has no map.
        """
        if layer not in self.weights:
            raise ParameterError(
                f"The tuned lens has no map for layer {layer}",
                f"It was fitted for the layers {list(self.layers)}.",
                "Read those, or fit again with layers=.",
            )
        return states + (states @ self.weights[layer].T + self.biases[layer])

    @property
    def digest(self) -> str:
        """Hash of all numbers."""
        return _digest(self._tensors())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file whose header holds the rest as JSON, in one step."""
        write_tensors(path, self._tensors(), self._document())

    def _tensors(self) -> dict[str, NDArray[Any]]:
        named = {f"weight.{layer}": each for layer, each in sorted(self.weights.items())}
        return named | {f"bias.{layer}": each for layer, each in sorted(self.biases.items())}

    def _document(self) -> dict[str, Any]:
        return {
            "fingerprint": dict(self.fingerprint),
            "fit": dict(self.fit),
            "held_out": {str(layer): [each.tuned, each.logit] for layer, each in sorted(self.held_out.items())},
        }


def open_tuned_lens(path: str | os.PathLike[str]) -> Translators:
    """Read what `fit_tuned_lens` or `Translators.save` wrote; needs no torch.

    Raises
    ------
    TunedLensFileError
        The file is missing, damaged, no tuned lens, or written by a newer version.
    """
    tensors, document = read_tensors(path)
    try:
        parts: dict[str, dict[int, NDArray[np.float32]]] = {"weight": {}, "bias": {}}
        for name, each in tensors.items():
            kind, _, layer = name.partition(".")
            parts[kind][int(layer)] = each
        held_out = {int(layer): HeldOut(*each) for layer, each in document["held_out"].items()}
        return Translators(parts["weight"], parts["bias"], document["fingerprint"], document["fit"], held_out)
    except (KeyError, TypeError, ValueError) as error:
        raise _refusal(path, f"its contents do not fit together ({error!r})") from error


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
) -> None:
    """Write arrays and what is to be said of them; the same contents give the same bytes."""
    from safetensors.numpy import save

    target = Path(path).expanduser()
    # One entry only: the order of several in a safetensors header changes from write to write.
    noted = {"version": VERSION, **document, "sha256": _digest(tensors)}
    text = json.dumps(noted, ensure_ascii=False, allow_nan=False, sort_keys=True)
    data = save({name: np.ascontiguousarray(each) for name, each in tensors.items()}, metadata={FORMAT: text})
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        os.replace(beside, target)
    except OSError as error:
        raise TunedLensFileError(
            f"'{path}' cannot be written: {error.strerror or error}", "", "Choose a file in a folder with space left."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What `write_tensors` wrote.

    Raises
    ------
    TunedLensFileError
        The file is missing, damaged, no tuned lens, or written by a newer version.
    """
    from safetensors import SafetensorError, safe_open

    source = Path(path).expanduser()
    if not source.is_file():
        raise TunedLensFileError(f"There is no file '{path}'", "", "Give the path that fit_tuned_lens wrote to.")
    try:
        with safe_open(source, framework="numpy") as file:
            text = (file.metadata() or {}).get(FORMAT)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        document = json.loads(text) if text else {}
    except (SafetensorError, OSError, ValueError) as error:
        raise _refusal(path, f"it is damaged or something else ({error})") from error
    if not isinstance(document.get("version"), int):
        raise _refusal(path, "it is a safetensors file of another kind")
    if document["version"] > VERSION:
        raise TunedLensFileError(
            f"'{path}' was written in version {document['version']} of the format",
            f"This installation reads versions up to {VERSION}.",
            "Update vlmscope to open it.",
        )
    if document.get("sha256") != _digest(tensors):
        raise _refusal(path, "its bytes have changed since it was written")
    return tensors, document


def _digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    hashed = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        hashed.update(f"{name} {array.dtype} {array.shape}".encode())
        hashed.update(array.tobytes())
    return hashed.hexdigest()


def _refusal(path: str | os.PathLike[str], why: str) -> TunedLensFileError:
    return TunedLensFileError(
        f"'{path}' cannot be opened as a tuned lens: {why}",
        "A tuned lens is a file that fit_tuned_lens wrote.",
        "Fit it again: explore.lens.fit_tuned_lens(runner, texts, path).",
    )
