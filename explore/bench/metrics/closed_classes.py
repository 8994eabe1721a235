"""Closed classes of English words: the words that name nothing one could point at."""

from __future__ import annotations

# Prepositions and numbers are no part of it: "on" and "two" can be seen in a picture. Subordinating conjunctions
# ("because", "if") are left out with the prepositions, whose tag they share in the Penn tag set that the metric was
# defined with. Contractions stand here where their first part is no word of the table.
_TABLE = """
determiner:  a an the this that these those some any no every each either neither both all another such
pronoun:     i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its
             itself we us our ours ourselves they them their theirs themselves oneself
conjunction: and or but nor yet &
modal:       can could may might must shall should will would ought cannot couldn't mightn't mustn't shan't shouldn't
             won't wouldn't 'll 'd
wh-word:     who whom whose which what when where why how whoever whomever whichever whatever whenever wherever
existential: there
"""


def _parsed(table: str) -> dict[str, frozenset[str]]:
    classes: dict[str, list[str]] = {}
    for line in table.strip().splitlines():
        name, _, words = line.rpartition(":")
        classes.setdefault(name or next(reversed(classes)), []).extend(words.split())
    return {name: frozenset(words) for name, words in classes.items()}


CLOSED_CLASSES: dict[str, frozenset[str]] = _parsed(_TABLE)
"""Class -> its words, in lower case."""
