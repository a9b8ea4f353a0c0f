"""Ways to misspell a word: typing errors, look-alike letters, sound-alikes.

An attack is a function that lists the spellings one application can give, in a fixed order; the
caller draws among them. Typing errors are the five of the literature (delete, insert, replace by
a neighbour key, swap, repeat); homoglyphs are letters of other scripts that look the same;
sound-alikes are spelt otherwise and read the same. Adding an attack is a row in :data:`ATTACKS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

#: Letters that look alike in most fonts: Cyrillic, Greek, Armenian, a digit.
HOMOGLYPHS: Mapping[str, str] = MappingProxyType(
    dict(
        zip(
            "acdehijlnopqrsuvwxy",
            "\u0430\u0441\u0501\u0435\u04bb\u0456\u04581\u0578\u043e"
            "\u0440\u051b\u0433\u0455\u057d\u03bd\u051d\u0445\u0443",
            strict=True,
        )
    )
)

#: Spellings that an English reader sounds alike.
SOUNDS = re.findall(
    r"(\w+):(\w+)",
    "qua:kwa quake:kwake oo:u ph:f ck:k ai:ay ee:ea ir:yr i:y y:i f:ph c:k k:c s:z z:s oa:o ur:er "
    "or:er ll:l rr:r a:ah w:wh",
)


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One way to misspell: ``spell(word)`` gives the spellings after one application."""

    spell: Callable[[str], Iterable[str]]

    def variants(self, word: str) -> list[str]:
        """The spellings without duplicates, ``word`` itself and the empty word."""
        return [s for s in dict.fromkeys(self.spell(word)) if s and s != word]


def neighbours(letter: str) -> str:
    """The keys around a letter on a QWERTY keyboard; nothing for other characters."""
    for height, row in enumerate(ROWS):
        at = row.find(letter.lower())
        if at >= 0:
            near = [row[max(at - 1, 0) : at], row[at + 1 : at + 2]]
            # Each row lies half a key to the right of the one above.
            near += [ROWS[height - 1][at : at + 2]] if height else []
            near += [ROWS[height + 1][max(at - 1, 0) : at + 1]] if height + 1 < len(ROWS) else []
            return "".join(near)
    return ""


def _sounds(word: str) -> Iterable[str]:
    for sound, other in SOUNDS:
        at = word.find(sound)
        while at >= 0:
            yield word[:at] + other + word[at + len(sound) :]
            at = word.find(sound, at + 1)


def _each_letter(instead: Callable[[str], Iterable[str]]) -> Attack:
    """An attack that puts each of ``instead(letter)`` in the place of one letter."""
    return Attack(
        spell=lambda word: (
            word[:k] + other + word[k + 1 :]
            for k, letter in enumerate(word)
            for other in instead(letter)
        )
    )


def _swapped(word: str) -> Iterable[str]:
    return (word[:k] + word[k + 1] + word[k] + word[k + 2 :] for k in range(len(word) - 1))


#: A letter is missed, a neighbour key is hit as well or instead, two letters change places, a key
#: is held too long, a letter is of another script, a word is written as it sounds.
ATTACKS: Mapping[str, Attack] = MappingProxyType(
    {
        "delete": _each_letter(lambda letter: [""]),
        "insert": _each_letter(lambda letter: [key + letter for key in neighbours(letter)]),
        "replace": _each_letter(neighbours),
        "swap": Attack(spell=_swapped),
        "repeat": _each_letter(lambda letter: [2 * letter]),
        "glyph": _each_letter(lambda letter: HOMOGLYPHS.get(letter, "")),
        "phonetic": Attack(spell=_sounds),
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
