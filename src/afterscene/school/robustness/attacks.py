"""Ways to misspell a word: typing errors, look-alike letters, sound-alikes.

An attack is a record whose ``variants(word)`` lists every spelling that one application can give,
in a fixed order; drawing among them is the caller's. Typing errors are the five of the literature
(delete, insert, replace by a neighbour key, swap, repeat); homoglyphs are letters of other scripts
that look the same; sound-alikes are spelt otherwise and read the same. Adding an attack is a class
and a row in :data:`ATTACKS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

#: Letters that look alike in most fonts: Cyrillic, Greek, a digit.
HOMOGLYPHS: Mapping[str, str] = MappingProxyType(
    {
        "a": "\u0430",
        "c": "\u0441",
        "d": "\u0501",
        "e": "\u0435",
        "h": "\u04bb",
        "i": "\u0456",
        "j": "\u0458",
        "l": "1",
        "n": "\u0578",
        "o": "\u043e",
        "p": "\u0440",
        "q": "\u051b",
        "r": "\u0433",
        "s": "\u0455",
        "u": "\u057d",
        "v": "\u03bd",
        "w": "\u051d",
        "x": "\u0445",
        "y": "\u0443",
    }
)

#: Spellings that an English reader sounds alike, longest first.
SOUNDS: tuple[tuple[str, str], ...] = (
    ("qua", "kwa"),
    ("quake", "kwake"),
    ("oo", "u"),
    ("ph", "f"),
    ("ck", "k"),
    ("ai", "ay"),
    ("ee", "ea"),
    ("ir", "yr"),
    ("i", "y"),
    ("y", "i"),
    ("f", "ph"),
    ("c", "k"),
    ("k", "c"),
    ("s", "z"),
    ("z", "s"),
    ("oa", "o"),
    ("ur", "er"),
    ("or", "er"),
    ("ll", "l"),
    ("rr", "r"),
    ("a", "ah"),
    ("w", "wh"),
)


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """One way to misspell. ``family``: typo, glyph or phonetic."""

    family: ClassVar[str]

    @abstractmethod
    def variants(self, word: str) -> list[str]:
        """Every spelling of ``word`` after one application, none of them ``word`` itself."""

    def _new(self, word: str, spellings: list[str]) -> list[str]:
        """Without doubles, without the word itself and without nothing."""
        return [s for s in dict.fromkeys(spellings) if s and s != word]


def neighbours(letter: str) -> str:
    """The keys around a letter on a QWERTY keyboard; nothing for other signs."""
    for height, row in enumerate(ROWS):
        at = row.find(letter.lower())
        if at >= 0:
            near = [row[max(at - 1, 0) : at], row[at + 1 : at + 2]]
            # Each row lies half a key to the right of the one above.
            near += [ROWS[height - 1][at : at + 2]] if height else []
            near += [ROWS[height + 1][max(at - 1, 0) : at + 1]] if height + 1 < len(ROWS) else []
            return "".join(near)
    return ""


class Delete(Attack):
    """A letter is missed."""

    family = "typo"

    def variants(self, word: str) -> list[str]:
        return self._new(word, [word[:k] + word[k + 1 :] for k in range(len(word))])


class Insert(Attack):
    """A neighbour key is hit as well."""

    family = "typo"

    def variants(self, word: str) -> list[str]:
        return self._new(
            word,
            [
                word[:k] + key + word[k:]
                for k, letter in enumerate(word)
                for key in neighbours(letter)
            ],
        )


class Replace(Attack):
    """A neighbour key is hit instead."""

    family = "typo"

    def variants(self, word: str) -> list[str]:
        return self._new(
            word,
            [
                word[:k] + key + word[k + 1 :]
                for k, letter in enumerate(word)
                for key in neighbours(letter)
            ],
        )


class Swap(Attack):
    """Two letters come in the wrong order."""

    family = "typo"

    def variants(self, word: str) -> list[str]:
        swapped = [word[:k] + word[k + 1] + word[k] + word[k + 2 :] for k in range(len(word) - 1)]
        return self._new(word, swapped)


class Repeat(Attack):
    """A key is held too long."""

    family = "typo"

    def variants(self, word: str) -> list[str]:
        return self._new(word, [word[: k + 1] + word[k:] for k in range(len(word))])


class Glyph(Attack):
    """A letter is taken from another script: the eye sees no difference."""

    family = "glyph"

    def variants(self, word: str) -> list[str]:
        return self._new(
            word,
            [
                word[:k] + HOMOGLYPHS[letter] + word[k + 1 :]
                for k, letter in enumerate(word)
                if letter in HOMOGLYPHS
            ],
        )


class Phonetic(Attack):
    """Written as it sounds."""

    family = "phonetic"

    def variants(self, word: str) -> list[str]:
        spellings = []
        for sound, other in SOUNDS:
            at = word.find(sound)
            while at >= 0:
                spellings.append(word[:at] + other + word[at + len(sound) :])
                at = word.find(sound, at + 1)
        return self._new(word, spellings)


ATTACKS: Mapping[str, Attack] = MappingProxyType(
    {
        "delete": Delete(),
        "insert": Insert(),
        "replace": Replace(),
        "swap": Swap(),
        "repeat": Repeat(),
        "glyph": Glyph(),
        "phonetic": Phonetic(),
    }
)


def edit_distance(one: str, two: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours that turn one into the other.

    (Optimal string alignment: no letter is touched twice.)
    """
    above: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, start=1):
        before, above, row = above, row, [i]
        for j, b in enumerate(two, start=1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and b == one[i - 2]:
                best = min(best, before[j - 2] + 1)
            row.append(best)
    return row[-1]
