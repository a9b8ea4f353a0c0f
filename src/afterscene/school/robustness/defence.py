"""The defence: a spell check before the prompt is read.

Letters of other scripts are first put back (Unicode NFKC, then the known look-alikes). A word that
is not in the vocabulary becomes the nearest word that is, by edit distance, unless none is near
enough: then it stays, so that names and new words are not turned into hazards. :meth:`changes`
reports every replacement.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from afterscene.errors import BadParameter
from afterscene.school.robustness.attacks import HOMOGLYPHS, edit_distance

_BACK = {glyph: letter for letter, glyph in HOMOGLYPHS.items() if not glyph.isdigit()}


@dataclass(frozen=True, kw_only=True)
class SpellCheck:
    """``check(prompt) -> repaired prompt`` over the words of ``vocabulary`` (lower case).

    ``reach``: largest share of a word's letters that may be wrong. Ties go to the word that comes
    first in the vocabulary: put the important ones in front.
    """

    vocabulary: tuple[str, ...]
    reach: float = 0.4

    def __post_init__(self) -> None:
        if not self.vocabulary or not 0 <= self.reach < 1:
            raise BadParameter("a spell check needs a vocabulary, and a reach from 0 to below 1")

    def __call__(self, prompt: str) -> str:
        return re.sub(
            r"[^\W_]+", lambda match: self.word(match.group()), without_lookalikes(prompt)
        )

    def word(self, word: str) -> str:
        """The word, or the nearest one of the vocabulary."""
        if word.lower() in self.vocabulary:
            return word
        far = [edit_distance(word.lower(), known) for known in self.vocabulary]
        best = min(range(len(far)), key=far.__getitem__)
        known = self.vocabulary[best]
        return known if far[best] <= self.reach * len(known) else word

    def changes(self, prompt: str) -> dict[str, str]:
        """Which words would be replaced by which."""
        words = re.findall(r"[^\W_]+", without_lookalikes(prompt))
        return {word: self.word(word) for word in words if self.word(word) != word}


def without_lookalikes(text: str) -> str:
    """Look-alike letters put back; a digit one between letters is read as an l."""
    folded = unicodedata.normalize("NFKC", text)
    letters = "".join(_BACK.get(sign, sign) for sign in folded)
    return re.sub(r"(?<=[^\W\d_])1(?=[^\W\d_])|(?<=[^\W\d_])1\b", "l", letters)
