"""From text to terminals: each phrase is found in the vocabulary, or refused with its place."""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from lark import Token
from lark.lexer import Lexer

from afterscene.conditioning.words.doubts import ordinal, refuse_doubtful
from afterscene.conditioning.words.vocabulary import Phrase, phrases
from afterscene.errors import BadParameter

LONGEST = 2000
"""Characters of the longest sentence that is read."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_DIGITS = r"\d{1,3}(?:,\d{3})+(?![\d,])|\d+(?:\.\d+)?"
_PIXEL = r"\(\s*(\d+(?:\.\d+)?)\s*[,，]\s*(\d+(?:\.\d+)?)\s*\)"
_DEGREES = r"(\d+(?:\.\d+)?)\s*°\s*([ew])\s*[,，]?\s*(\d+(?:\.\d+)?)\s*°\s*([ns])"
_PIECE = re.compile(
    rf"(?P<degrees>{_DEGREES})|(?P<pixel>{_PIXEL})"
    rf"|(?P<percent>(?:{_DIGITS})\s*(?:%|percent\b|per cent\b))|(?P<ratio>\d+/\d+)"
    r"|(?P<name>[\"“「]\s*[^\s\"”」][^\"”」]{0,79}[\"”」])"
    rf"|(?P<number>{_DIGITS})|(?P<word>[a-z]+(?:[-'/][a-z]+)*[2²]?)|(?P<space>\s+)|(?P<sign>.)"
)
_NUMERIC = {
    "percent": "PERCENT",
    "ratio": "PERCENT",
    "number": "NUMBER",
    "pixel": "POINT",
    "degrees": "POINT",
}
_ALLOWED = set(",;.:!?%()°²&/–—'-，。；：、！（）％？\"“”「」")


class Words(Lexer):
    """The lexer of the parser: it gets the terminals as they are."""

    def __init__(self, _: Any) -> None:
        pass

    def lex(self, data: list[Token]) -> Iterator[Token]:  # type: ignore[override]
        """The tokens of :func:`tokens`."""
        yield from data


def language_of(text: str) -> str:
    """``zh`` where a Chinese character stands in the text, else ``en``."""
    return "zh" if _CHINESE.search(text) else "en"


def tokens(text: str) -> list[Token]:
    """The terminals of a sentence, each with its meaning as value and its place as ``start_pos``.

    Raises:
        BadParameter: a character or word that no sentence can have, by name and place.
    """
    plain = checked(text)
    language = language_of(plain)
    found = list(_terminals(text, plain, phrases(language), language))
    refuse_doubtful(found, language)
    return _separated(_numbered(_banked(_closed(found))))


def checked(text: str) -> str:
    """The text in lower case and common signs, as long as before. Raises BadParameter."""
    if not text.strip():
        raise BadParameter("--say is empty; write for instance: the northern third is flooded")
    if len(text) > LONGEST:
        raise BadParameter(f"--say has {len(text)} characters; write at most {LONGEST}")
    for place, sign in enumerate(text, 1):
        kind = unicodedata.category(sign)
        known = sign.isascii() or _CHINESE.match(sign) or sign in _ALLOWED or sign in "’‘\u3000"
        if known and (kind != "Cc" or sign in "\t\n\r"):
            continue
        if kind[0] == "C":
            what = "a control character"
        elif kind[0] == "L" and unicodedata.name(sign, "").startswith("LATIN"):
            continue
        else:
            what = "a letter of another script" if kind[0] in "LM" else "a sign"
        name = unicodedata.name(sign, f"U+{ord(sign):04X}").lower()
        raise BadParameter(
            f"--say: character {place} is {what} that no sentence has ({name}); write plain "
            "English or Chinese"
        )
    return "".join(_plain(sign) for sign in text)


def _plain(sign: str) -> str:
    """One character for one, so that places stay right."""
    if sign in "’‘":
        return "'"
    lower = unicodedata.normalize("NFKC", sign).lower()
    return lower if len(lower) == 1 and sign not in "²" else sign


def _terminals(
    given: str, text: str, known: Mapping[str, Phrase], language: str
) -> Iterator[Token]:
    place = 0
    while place < len(text):
        match = _PIECE.match(text, place)
        assert match, text[place:]
        kind = match.lastgroup
        if kind == "space":
            place = match.end()
            continue
        value: Any = None
        if kind == "name":
            value, end, name = given[place + 1 : match.end() - 1].strip(), match.end(), "NAME"
        elif kind in ("percent", "ratio", "number", "pixel", "degrees"):
            value, end = _value(match), match.end()
            name = _NUMERIC[str(kind)]
        else:
            phrase = _longest(text, place, known, language)
            if phrase is None:
                raise _unknown(text, place, match.group(), known, language)
            end, name, value = place + len(phrase), *_of(known[" ".join(phrase.split())])
        if name == "SEP":  # only a comma may stand between the groups of a list
            value = text[place:end] not in (",", "、")
        if name:
            yield _token(name, value, text[place:end], place)
        place = end


def _of(phrase: Phrase) -> tuple[str, Any]:
    return phrase.terminal, phrase.meaning


def _token(name: str, value: Any, said: str, place: int) -> Token:
    """A token is the text that was written; its ``value`` is what it means."""
    token = Token(name, said, start_pos=place)
    token.value = value
    return token


def _value(match: re.Match[str]) -> Any:
    kind, text = match.lastgroup, match.group()
    if kind == "percent":
        number = re.match(_DIGITS, text)
        assert number
        return round(float(number.group().replace(",", "")) / 100, 9)
    if kind == "ratio":
        above, below = (int(part) for part in text.split("/"))
        return above / below if below else 2.0
    if kind == "number":
        return float(text.replace(",", ""))
    if kind == "pixel":
        x, y = re.findall(r"\d+(?:\.\d+)?", text)
        return "pixel", (float(x), float(y))
    (x, side), (y, half) = re.findall(r"(\d+(?:\.\d+)?)\s*°\s*([ewns])", text)
    return "lnglat", (float(x) * (-1 if side == "w" else 1), float(y) * (-1 if half == "s" else 1))


def _longest(text: str, place: int, known: Mapping[str, Phrase], language: str) -> str | None:
    """The longest phrase that stands at ``place``, as it is written there."""
    if language == "zh":
        ends = range(min(len(text), place + 12), place, -1)
        return next((text[place:end] for end in ends if text[place:end] in known), None)
    words = re.match(r"[^\s,;.:!?]+(?:[ \t\n\r]+[^\s,;.:!?]+){0,5}|.", text[place:])
    assert words
    said = words.group()
    while said:
        if " ".join(said.split()) in known:
            return said
        said = re.sub(r"\s*\S+$", "", said)
    sign = text[place]
    return sign if sign in known and not sign.isalnum() else None


def _unknown(
    text: str, place: int, word: str, known: Mapping[str, Phrase], language: str
) -> BadParameter:
    if language == "zh":
        word = text[place : place + 2]
        near = [p for p in known if set(p) & set(word) and len(p) > 1][:4]
    else:
        if word in known:  # what sticks to it is not
            word = text[place:].split()[0]
        near = difflib.get_close_matches(word, known, n=4, cutoff=0.62)
    hint = f"the nearest known: {', '.join(near)}" if near else "no known word is near it"
    return BadParameter(
        f"--say: {word!r} (character {place + 1}) is not a word of the grammar; {hint}; write "
        "English or Chinese as in the docs"
    )


def _closed(found: list[Token]) -> list[Token]:
    """除 ... 外: the last 外 of the clause closes the exception, any other means farther away."""
    closes: set[int] = set()
    opened: int | None = None
    for k, token in enumerate(found):
        if token.type == "BUT":
            opened = k
        elif token.type in ("EFFECT", "DONE", "SEP"):
            opened = None
        elif token.type == "OUT" and opened is not None:
            closes = {c for c in closes if c < opened} | {k}
    return [
        _token("AWAY", None, token, token.start_pos or 0)
        if token.type == "OUT" and k not in closes
        else token
        for k, token in enumerate(found)
    ]


def _banked(found: list[Token]) -> list[Token]:
    """河边150米内 as 河150米内: what is near comes from the distance."""
    kinds = [token.type for token in found]
    return [
        token
        for k, token in enumerate(found)
        if not (token.type == "NEAR" and k and kinds[k - 1] in ("WATER", "ROAD"))
        or kinds[k + 1 : k + 3] != ["NUMBER", "UNIT"]
    ]


def _numbered(found: list[Token]) -> list[Token]:
    """``building 12`` (12号建筑) as one token, unless a unit follows (``building 12 m from``)."""
    kept: list[Token] = []
    for k, token in enumerate(found):
        after = found[k + 1].type if k + 1 < len(found) else ""
        before = kept[-1] if kept else None
        if token.type == "NUMBER" and before and before.type == "BUILDING" and after != "UNIT":
            kept[-1] = _token("NUMBERED", token.value, f"{before} {token}", before.start_pos or 0)
        elif token.type == "HAO" and before and before.type == "NUMBER" and after == "BUILDINGS":
            kept[-1] = _token("NUMBERED", before.value, f"{before}{token}", before.start_pos or 0)
        elif token.type == "ORDINAL":
            if [t.type for t in found[k + 1 : k + 3]] != ["NUMBER", "HAO"]:
                raise ordinal(token)
        elif token.type == "BUILDINGS" and before and str(before).endswith("号"):
            continue
        elif token.type == "ALL" and after in _SAYS and before and before.type not in _STARTS:
            continue  # 北部的房屋全部倒塌
        else:
            kept.append(token)
    return kept


_SAYS, _STARTS = ("EFFECT", "DONE", "NOT", "HAZARD"), ("SEP", "AND", "FIRST", "THEN", "OUT", "NOT")
#: What "and" before it begins a new clause, as nothing in a list begins with it.
_OPENERS = ("EFFECT", "DONE", "NOT", "REST", "NOREST", "ONLY", "FIRST", "THEN", "NO", "BE")


def _separated(found: list[Token]) -> list[Token]:
    """Runs of commas and "and" as one, none at the ends, one before each "then"."""
    kept: list[Token] = []
    for token in found:
        last = kept[-1].type if kept else "SEP"
        if token.type == "CONTRAST":  # "every house but the largest", else a new clause
            name = "EXCEPT" if last in ("BUILDINGS", "BUILDING", "SHEDS", "ALL") else "SEP"
            token = _token(name, True, token, token.start_pos or 0)
        if token.type in ("SEP", "AND") and last in ("SEP", "AND"):
            if kept and (token.type == "SEP" and not kept[-1].value):
                kept[-1] = token
            continue
        if token.type == "THEN" and last not in ("SEP", "AND"):
            kept.append(_token("SEP", None, "", token.start_pos or 0))
        if token.type in _OPENERS and last == "AND":
            kept[-1] = _token("SEP", None, kept[-1], kept[-1].start_pos or 0)
        kept.append(token)
    while kept and kept[-1].type in ("SEP", "AND"):
        kept.pop()
    return kept
