"""The language model of a runner without any picture: its vocabulary, its head, and the states of plain text.

Lenses compare visual states with these, or read them by the model's own head.
Source: `specs/latent-lens.md` §3.4 and §4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explore.errors import ParameterError
from explore.models.families.base import Family
from explore.models.heads import OutputHead
from explore.models.text_states import caught_states, padded, require_places
from explore.models.texts import pieces_of
from explore.runs import TextTokens

_TOP_ROWS = 256  # states that go through the whole head at once


class Language:
    """See `explore.runs.LanguageLike`; made by `Runner.language`.

    Parameters
    ----------
    family, head
        The loaded model.
    running
        The runner's lock and error handling, entered around everything that computes.
    """

    def __init__(self, family: Family, head: OutputHead, running: Callable[[], AbstractContextManager[None]]) -> None:
        self._family, self._head, self._running = family, head, running

    def tokenize(self, texts: Sequence[str], *, special: bool = True) -> list[TextTokens]:
        """Every text as tokens, with the characters each of them stands for; `special` adds the tokenizer's own."""
        tokenizer = self._family.processor.tokenizer
        if not texts:
            return []
        made = tokenizer(list(texts), add_special_tokens=special, return_offsets_mapping=tokenizer.is_fast)
        offsets = made.get("offset_mapping") or [None] * len(texts)
        specials = set(tokenizer.all_special_ids)
        return [
            TextTokens(
                np.array(ids, np.int64),
                np.array(places if places is not None else [(-1, -1)] * len(ids), np.int64).reshape(-1, 2),
                np.array([each in specials for each in ids], bool),
            )
            for ids, places in zip(made["input_ids"], offsets, strict=True)
        ]

    def token_texts(self, ids: Sequence[int] | np.ndarray) -> list[str]:
        """What each token id spells on its own, spaces kept."""
        tokenizer, known = self._family.processor.tokenizer, dict[int, str]()
        wanted = [int(each) for each in np.asarray(ids).ravel()]
        for each in dict.fromkeys(wanted):
            # Behind another token, so that a decoder keeps the space in front of a word.
            known[each] = pieces_of(tokenizer, [each], [self._anchor])[0] or tokenizer.decode([each])
        return [known[each] for each in wanted]

    def words(self) -> np.ndarray:
        """Which rows of the vocabulary are tokens a text can have, (vocabulary,) bool.

        Left out are control tokens, placeholders of pictures, rows beyond the tokenizer's length and rows of zeros.
        """
        with self._running():
            table = self._table
            found = (table != 0).any(dim=-1).cpu().numpy()
        tokenizer = self._family.processor.tokenizer
        found[len(tokenizer) :] = False
        hidden = [*tokenizer.all_special_ids, *self._family.placeholder_ids]
        found[[each for each in hidden if each < len(found)]] = False
        return found

    def embeddings(self) -> Tensor:
        """The input embedding table, (vocabulary, width), where the model is and in its number type."""
        with self._running():
            return self._table.detach()

    def states(
        self,
        sentences: Sequence[Sequence[int] | np.ndarray],
        layers: Sequence[int],
        rows: Sequence[Sequence[int] | np.ndarray] | None = None,
        *,
        padding_side: str = "right",
    ) -> dict[int, Tensor]:
        """The residual stream of some positions of some sentences, run together as one batch of text.

        Parameters
        ----------
        sentences
            Token ids, one sequence each.
        layers
            0 (the decoder's input) to L (before the final norm), as in `Trace.hidden`.
        rows
            Positions wanted of every sentence, counted without padding; None means all.
        padding_side
            Where shorter sentences are filled up; makes no difference but of rounding.

        Returns
        -------
        dict
            Layer to states, (wanted rows of all sentences, one sentence after the other; width), on the model's device
            and in its number type.

        Raises
        ------
        ParameterError
            A layer or a position that is not there, or an empty sentence.
        """
        lengths = [len(each) for each in sentences]
        wanted = [np.arange(length) for length in lengths] if rows is None else [np.asarray(each, int) for each in rows]
        require_places(self._family, lengths, layers, wanted)
        widest = max(lengths)
        shift = [widest - length if padding_side == "left" else 0 for length in lengths]
        with self._running():
            inputs = padded(self._family, sentences, shift)
            picked = [place + at * widest + move for at, (place, move) in enumerate(zip(wanted, shift, strict=True))]
            rows_wanted = torch.from_numpy(np.concatenate(picked))
            return caught_states(self._family, inputs, sorted(set(layers)), rows_wanted)

    @contextmanager
    def readout(self) -> Iterator[Callable[[Tensor], Tensor]]:
        """The model's own way from a state to logits: final norm, head, scale and soft cap; differentiable.

        The function takes states before the final norm (rows, width) and gives (rows, vocabulary) float32.

        Raises
        ------
        ParameterError
            The decoder has several residual streams, and a state is their mean.
        """
        self._require_one_stream()
        with self._running(), torch.inference_mode(False), torch.enable_grad():
            yield self._read

    def top_tokens(
        self, states: np.ndarray | Tensor, k: int, among: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the head says of states: the best tokens of every row, in falling order.

        Parameters
        ----------
        states
            Before the final norm, (rows, width).
        k
            Tokens per row.
        among
            Tokens that may be named, (vocabulary,) bool; probabilities are over all of them whatever is named.

        Returns
        -------
        ids, logits, probabilities : np.ndarray
            (rows, k) int64, float32, float32.
        """
        self._require_one_stream()
        given, found = torch.as_tensor(states), list[tuple[Tensor, Tensor, Tensor]]()
        with self._running():
            for at in range(0, len(given), _TOP_ROWS):
                logits = self._read(given[at : at + _TOP_ROWS])
                named = logits
                if among is not None:
                    allowed = torch.from_numpy(among[: logits.shape[-1]]).to(logits.device)
                    named = logits.masked_fill(~allowed, -torch.inf)
                top = named.topk(min(k, logits.shape[-1]), dim=-1)
                chances = torch.exp(top.values - torch.logsumexp(logits, dim=-1, keepdim=True))
                found.append((top.indices.cpu(), top.values.cpu(), chances.cpu()))
        if not found:
            return np.empty((0, k), np.int64), np.empty((0, k), np.float32), np.empty((0, k), np.float32)
        named_ids, best, likely = (torch.cat(parts).numpy() for parts in zip(*found, strict=True))
        return named_ids, best, likely

    def patched(
        self,
        sentence: Sequence[int] | np.ndarray,
        place: int,
        layer: int,
        states: np.ndarray | Tensor | None,
        *,
        read_at: int = -1,
    ) -> Tensor:
        """Logits at one position of a text in which one state was overwritten, (variants, vocabulary) float32.

        Parameters
        ----------
        sentence
            Token ids of the text.
        place, layer
            Which position is overwritten, and at the entry of which layer, 0 to L - 1.
        states
            What it is overwritten by, (variants, width); None overwrites nothing and gives one row.
        read_at
            Position whose prediction is read.

        Raises
        ------
        ParameterError
            There is no such position or layer.
        """
        length, count = len(sentence), 1 if states is None else len(states)
        require_places(self._family, [length], [layer], [np.array([place, read_at % length])])
        if not 0 <= layer < len(self._family.layers):
            raise ParameterError(
                f"layer={layer} was given", f"A state enters the layers 0 to {len(self._family.layers) - 1}."
            )
        self._require_one_stream()

        def overwrite(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            stream = (args[0] if args else kwargs["hidden_states"]).clone()
            stream[:, place] = torch.as_tensor(states).to(stream)
            return ((stream, *args[1:]), kwargs) if args else (args, {**kwargs, "hidden_states": stream})

        with self._running(), ExitStack() as stack:
            if states is not None:
                hook = self._family.layers[layer].register_forward_pre_hook(overwrite, with_kwargs=True)
                stack.callback(hook.remove)
            inputs = padded(self._family, [sentence] * count, [0] * count)
            deepest, rows = len(self._family.layers), torch.arange(count) * length + read_at % length
            return self._read(caught_states(self._family, inputs, [deepest], rows)[deepest])

    def _read(self, states: Tensor) -> Tensor:
        table = self._table
        normed = self._family.final_norm(states.to(table.device, self._family.dtype)[None])[0]
        return self._head.full(normed).float()

    @property
    def _table(self) -> Tensor:
        weight: Tensor = self._family.model.get_input_embeddings().weight
        return weight

    @property
    def _anchor(self) -> int:
        """A token that spells something, behind which another one is decoded."""
        tokenizer = self._family.processor.tokenizer
        return int(tokenizer("a", add_special_tokens=False)["input_ids"][-1])

    def _require_one_stream(self) -> None:
        if self._family.streams > 1:
            raise ParameterError(
                f"{type(self._family.model).__name__} carries {self._family.streams} residual streams side by side",
                "Its recorded states are their mean, which its norm and head never read.",
                "Use latent_lens or embedding_lens, which compare states only.",
            )
