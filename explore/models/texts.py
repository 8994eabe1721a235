"""From token ids to the pieces and words a person reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# A word is a number with its points, a run of letters with inner apostrophes and hyphens, one character of a script
# written without spaces, or one mark.
_WORD = re.compile(
    r"\d+(?:[.,:]\d+)*|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
    r"(?:['’\-][^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+)*|[^\w\s]"
)
_CUT = "\ufffd"  # what a decoder puts where the bytes of a character are not all there yet


def pieces_of(tokenizer: Any, ids: Sequence[int], context: Sequence[int] = ()) -> list[str]:
    """What every token adds to the text, spaces kept.

    Parameters
    ----------
    tokenizer
        A transformers tokenizer.
    ids
        The tokens.
    context
        Tokens that stand before them; decoders drop the space in front of a text's first word.

    Returns
    -------
    list of str
        One piece per token. Of a character spelled by several tokens, the last one carries it.
    """
    every, found = [*context, *ids], []
    begin, done = max(0, len(context) - 4), len(context)
    for end in range(len(context) + 1, len(every) + 1):
        before, after = _decode(tokenizer, every[begin:done]), _decode(tokenizer, every[begin:end])
        if after.endswith(_CUT) and end < len(every):
            found.append("")
            continue
        found.append(after[len(before) :])
        begin, done = max(done - 1, 0), end
    return found


def word_numbers(pieces: Sequence[str], skip: Sequence[bool] | None = None) -> list[int]:
    """Index of the word each piece belongs to, -1 for pieces that are skipped or hold no word character.

    A piece that spans several words belongs to the first of them.
    """
    shown = ["" if skip is not None and skip[index] else piece for index, piece in enumerate(pieces)]
    owner: dict[int, int] = {}
    for number, match in enumerate(_WORD.finditer("".join(shown))):
        owner.update(dict.fromkeys(range(*match.span()), number))
    found, at, last = [], 0, -1
    for index, piece in enumerate(shown):
        inside = [owner[place] for place in range(at, at + len(piece)) if place in owner]
        # A piece without text is part of the character the next one completes.
        number = inside[0] if inside else (owner.get(at, last) if not piece else -1)
        found.append(-1 if skip is not None and skip[index] else number)
        at, last = at + len(piece), number
    order = {number: rank for rank, number in enumerate(sorted({each for each in found if each >= 0}))}
    return [order.get(each, -1) for each in found]


def _decode(tokenizer: Any, ids: Sequence[int]) -> str:
    text: str = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return text
