"""What a forward pass may change: plain data that composes with `+`, goes into fingerprints, and knows no model.

>>> cut = explore.edits.CutEdges("image", "question", layers=range(4))
>>> with runner.edited(cut + explore.edits.SkipUpdate("mlp", "last", layers=[7])):
...     runner.ask(image, question)

Positions are given by name ("image", "image:1", "question", "template", "system", "last", "answer", "all", "~image" for
all others) or as numbers. Tokens can be dropped and merged; none can be inserted, because positions, masks and caches
of every family are made of the prompt it was given: put a filler word into the question and replace its state instead.
"""

from explore.edits.cuts import CutEdges, SkipUpdate
from explore.edits.edit import Edit, Edits, Layers, as_edits
from explore.edits.places import Places, Where, places_of
from explore.edits.states import AddNoise, FreezeStates, Part, ReplaceStates, ScaleStates
from explore.edits.tokens import DropTokens, MergeTokens

__all__ = [
    "AddNoise",
    "CutEdges",
    "DropTokens",
    "Edit",
    "Edits",
    "FreezeStates",
    "Layers",
    "MergeTokens",
    "Part",
    "Places",
    "ReplaceStates",
    "ScaleStates",
    "SkipUpdate",
    "Where",
    "as_edits",
    "places_of",
]
