"""Follow the flow in the text encoders of image models: which tokens carry an item, and which items leak into which.

>>> encoder = explore.load_text_encoder("openai/clip-vit-large-patch14")
>>> whole = encoder.encode("a pool by a table")
>>> explore.flow.text_encoder.leakage_matrix(encoder, whole, ["pool", "table"]).change      # (targets, sources)
>>> explore.flow.text_encoder.context_shift(encoder, whole, ["pool", "table"], offset="kept").by_item()
>>> empty = explore.flow.text_encoder.empty_prompt(encoder, whole)
>>> explore.flow.text_encoder.mixed(whole, empty, [2])                   # only position 2 is kept

Source: Kaplan et al., Follow the Flow, arXiv 2504.01137.
"""

from explore.flow.text_encoder.alone import aligned_alone, alone_states
from explore.flow.text_encoder.cutting import EncoderKnockout, encoder_knockout
from explore.flow.text_encoder.imaging import images_from, load_pipeline
from explore.flow.text_encoder.items import Item, one_item, prompt_items
from explore.flow.text_encoder.judging import Verdict, judge
from explore.flow.text_encoder.keeping import KeepSet, empty_prompt, keep_sets, mixed, without_redundant
from explore.flow.text_encoder.leaving_out import LeakageMatrix, leakage_matrix
from explore.flow.text_encoder.proxies import TokenProxies, sense_similarity, token_proxies
from explore.flow.text_encoder.repairing import repaired, replaced_states
from explore.flow.text_encoder.shifting import ContextShift, context_shift
from explore.flow.text_encoder.verdicts import JudgedSets, judge_sets

__all__ = [
    "ContextShift",
    "EncoderKnockout",
    "Item",
    "JudgedSets",
    "KeepSet",
    "LeakageMatrix",
    "TokenProxies",
    "Verdict",
    "aligned_alone",
    "alone_states",
    "context_shift",
    "empty_prompt",
    "encoder_knockout",
    "images_from",
    "judge",
    "judge_sets",
    "keep_sets",
    "leakage_matrix",
    "load_pipeline",
    "mixed",
    "one_item",
    "prompt_items",
    "repaired",
    "replaced_states",
    "sense_similarity",
    "token_proxies",
    "without_redundant",
]
