"""From a sentence to a :class:`Saying`, by the grammars ``english.lark`` and ``chinese.lark``.

They are LALR(1): a sentence has one reading or none. What a person could read in two ways is
refused by name (:mod:`.meaning`).
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from lark import Lark, Token, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from afterscene.conditioning.words.lexer import Words, language_of, tokens
from afterscene.conditioning.words.meaning import Reader
from afterscene.conditioning.words.placing import PlaceReader
from afterscene.conditioning.words.records import Saying
from afterscene.errors import AftersceneError, BadParameter


def parse(text: str) -> Saying:
    """What the sentence asks for; English, or Chinese where it has a Chinese character.

    Where it asks for damage somewhere and says nothing of the others, these are undamaged.

    Raises:
        BadParameter: one sentence: which word does not fit where, what is contradictory or can be
            read in two ways.
    """
    language = language_of(text)
    found = tokens(text)
    if not found:
        raise BadParameter("--say holds no word that says anything; name a hazard, or buildings")
    try:
        tree = grammar(language).parse(found)
        return (PlaceReader() * Reader()).transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, AftersceneError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _misfit(found, error) from None


@cache
def grammar(language: str) -> Lark:
    """The parser of a language (``en``, ``zh``)."""
    return Lark(grammar_text(language), parser="lalr", lexer=Words)


def grammar_text(language: str) -> str:
    """The grammar file, with its terminals declared."""
    name = {"en": "english", "zh": "chinese"}[language]
    text = (files("afterscene.conditioning.words") / f"{name}.lark").read_text("utf-8")
    code = " ".join(line.split("//")[0] for line in text.splitlines())
    words = {word.strip("()[]*?|") for word in code.split()}
    terminals = sorted(word for word in words if word.isupper() and word.isalpha())
    return f"{text}\n%declare {' '.join(terminals)}\n"


def _misfit(found: Sequence[Token], error: UnexpectedInput) -> BadParameter:
    if not isinstance(error, UnexpectedToken) or error.token.type == "$END":
        return BadParameter(
            f"--say ends too early, after {str(found[-1])!r}; say which buildings, and what "
            "happens to them"
        )
    k = next(i for i, token in enumerate(found) if token is error.token)
    before = f" after {str(found[k - 1])!r}" if k else ""
    place = (error.token.start_pos or 0) + 1
    return BadParameter(
        f"--say: {str(error.token)!r} (character {place}) does not fit{before}; put a comma "
        "between clauses and say each as: which buildings, then what happens to them"
    )
