"""Which layers of a language model a bank stores."""

from __future__ import annotations

from collections.abc import Sequence

from explore.errors import ParameterError

_EARLY = (1, 2, 4, 8, 16)
_MIDDLE = 24
_DEEP = 48  # blocks from which on the one middle layer leaves too wide a gap
CONVENTION = "layer l is the residual stream after l blocks: 0 the decoder's input, L before the final norm"


def contextual_layers(blocks: int) -> tuple[int, ...]:
    """The layers stored where the user names none, ascending.

    They are 1, 2, 4, 8, 16, 24 and the two before the last, as far as there are that many: dense where states change
    fast. Beyond 48 blocks, where the library behind the paper would leave a gap of half the model, one half, three
    quarters and seven eighths of the depth take the place of 24; for 64 blocks this is the paper's own choice.

    Source: arXiv 2602.00462; McGill-NLP/latentlens 0.1.0, `build_index`.

    Parameters
    ----------
    blocks
        How many decoder layers the model has.

    Raises
    ------
    ParameterError
        There are none.
    """
    if blocks < 1:
        raise ParameterError(f"A model of {blocks} layers was given", "It has at least one.")
    middle = (_MIDDLE,) if blocks <= _DEEP else (blocks // 2, blocks * 3 // 4, blocks * 7 // 8)
    found = {each for each in (*_EARLY, *middle, blocks - 2, blocks - 1) if 1 <= each < blocks}
    return tuple(sorted(found)) or (blocks,)


def checked_layers(layers: Sequence[int] | None, blocks: int) -> tuple[int, ...]:
    """The layers a user asked for, ascending and each once; by the rule where none were named.

    Raises
    ------
    ParameterError
        One of them is not there, or the list is empty.
    """
    if layers is None:
        return contextual_layers(blocks)
    wanted = sorted({int(each) for each in layers})
    if not wanted or wanted[0] < 0 or wanted[-1] > blocks:
        raise ParameterError(
            f"layers={list(layers)} were given",
            f"This model has 0 to {blocks}, and a bank stores at least one of them.",
            f"Leave them out for {list(contextual_layers(blocks))}.",
        )
    return tuple(wanted)
