"""Where did it look for this word? Maps of every question and answer token over the picture.

>>> maps = explore.maps.token_activation_maps(trace)
>>> maps[trace.answer_positions[0]]          # (rows, cols) float32 in 0..1
>>> maps.overlay(maps.find("house")[0])      # a picture
>>> explore.maps.METHODS["logit"]().maps(trace)

Where visual tokens are learned queries, which have no place of their own:

>>> maps = explore.maps.query_attention(trace)   # where each query looks
>>> maps.through(token).overlay()                # and, through them, a word of the answer
"""

from explore.maps.method import MapMethod
from explore.maps.query_maps import QueryMaps, query_attention
from explore.maps.result import TokenMaps
from explore.maps.table import METHODS
from explore.maps.tam import token_activation_maps
from explore.maps.words import Word

__all__ = ["METHODS", "MapMethod", "QueryMaps", "TokenMaps", "Word", "query_attention", "token_activation_maps"]
