"""What a person could read in two ways, or what no sentence may say: refused by name.

The grammar has one reading of each sentence. Where people have another one for the same words
("all houses are not destroyed", "the first 3 houses"), its reading would be a guess.
"""

from collections.abc import Sequence
from itertools import pairwise

from lark import Token

from afterscene.conditioning.words.vocabulary import UNCLEAR
from afterscene.errors import BadParameter

_DONE = ("EFFECT", "DONE")
_HOUSES = ("NUMBER", "BUILDING", "BUILDINGS", "SHEDS")


def refuse_doubtful(found: Sequence[Token], language: str) -> None:
    """Raises BadParameter: a word of the sentence is vague, or some have two readings."""
    for token in found:
        if token.type == UNCLEAR:
            raise BadParameter(f"--say: {_at(token)} {token.value}")
    for token, after in pairwise(found):
        _in_order(token, after)
    if language == "en":
        _not_all(found)


def ordinal(token: Token) -> BadParameter:
    """The error for the third house and the second largest."""
    return BadParameter(
        f"--say: {_at(token)} names one building by an order; write 3号建筑 (its place in the "
        "label), or the largest"
    )


def _at(token: Token) -> str:
    return f"{str(token)!r} (character {(token.start_pos or 0) + 1})"


def _in_order(token: Token, after: Token) -> None:
    """The first house, first 3 houses, the next house: a time, or the order of houses?"""
    timed = token.type in ("FIRST", "THEN") and str(token) in ("first", "next")
    if timed and after.type in _HOUSES:
        raise BadParameter(
            f"--say: {_at(token)} before {str(after)!r} is a time or an order of buildings; write "
            "to begin with or then for a time, or building 3 by its place in the label"
        )


def _not_all(found: Sequence[Token]) -> None:
    """All houses are not destroyed, do not destroy all houses: none, or not every one?"""
    said: dict[str, Token] = {}
    for token, after in pairwise((*found, Token("SEP", ""))):
        if token.type in ("SEP", "AND", "REST"):
            said = {}
        elif token.type == "ANY" and "NOT" not in said:
            raise BadParameter(f"--say: {_at(token)} leaves open which; write every, or how many")
        elif token.type == "ALL" or (token.type == "NOT" and after.type in _DONE):
            said[token.type] = token
        if "ALL" in said and "NOT" in said:
            raise BadParameter(
                f"--say: {_at(said['ALL'])} with {str(said['NOT'])!r} can mean none or not every "
                "one; write no building, or how many"
            )
