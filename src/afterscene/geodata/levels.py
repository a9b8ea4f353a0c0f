"""The damage levels of xBD: a type, not arithmetic."""

import enum
from types import MappingProxyType

from afterscene.errors import UnknownName

IGNORE = 255


class DamageLevel(enum.IntEnum):
    """The Joint Damage Scale as xBD writes it; the value is the value in a target raster."""

    NO_DAMAGE = 1
    MINOR = 2
    MAJOR = 3
    DESTROYED = 4
    UNCLASSIFIED = IGNORE

    @property
    def word(self) -> str:
        """The ``subtype`` in an xBD label, such as ``major-damage``."""
        return _WORDS[self]

    @classmethod
    def from_word(cls, word: str) -> "DamageLevel":
        """The level of an xBD ``subtype``. Raises UnknownName."""
        for level, known in _WORDS.items():
            if known == word:
                return level
        raise UnknownName(
            f"damage level {word!r} is not known; choose one of: {', '.join(_WORDS.values())}"
        )


_WORDS = MappingProxyType(
    {
        DamageLevel.NO_DAMAGE: "no-damage",
        DamageLevel.MINOR: "minor-damage",
        DamageLevel.MAJOR: "major-damage",
        DamageLevel.DESTROYED: "destroyed",
        DamageLevel.UNCLASSIFIED: "un-classified",
    }
)
#: The four levels that are judged, and their words.
LEVELS = tuple(level for level in DamageLevel if level != DamageLevel.UNCLASSIFIED)
LEVEL_WORDS = tuple(level.word for level in LEVELS)
