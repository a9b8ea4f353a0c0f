"""What a careless or hostile spelling of a prompt does, and what helps.

An *attack* changes how a word is written so that a person still reads it: :data:`ATTACKS` holds
typing errors, look-alike letters and sound-alikes as small objects. :func:`worst_case` tries many
of them within a budget of edits and keeps the one that changes a measured figure most (black box,
greedy: Gao et al. 2023, arXiv 2306.13103). The figure of the clean prompt and its spread over
seeds are reported beside it, since a change within that spread means nothing. :class:`SpellCheck`
is the defence. What is measured is up to the caller: here it is the damage that an assessor
recovers from the picture.
"""

from afterscene.school.robustness.attacks import ATTACKS, Attack, edit_distance
from afterscene.school.robustness.defence import SpellCheck
from afterscene.school.robustness.pairs import StruckCrops, struck_crops
from afterscene.school.robustness.search import Found, rank_words, worst_case

__all__ = [
    "ATTACKS",
    "Attack",
    "Found",
    "SpellCheck",
    "StruckCrops",
    "edit_distance",
    "rank_words",
    "struck_crops",
    "worst_case",
]
