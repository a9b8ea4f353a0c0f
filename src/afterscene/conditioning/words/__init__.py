"""Sentences to damage maps, and back: a written grammar in English and Chinese.

:func:`parse` reads a sentence into a :class:`Saying`, :func:`tell` says it back, :func:`resolve`
makes the :class:`~afterscene.geodata.damage.DamageMap` of a scene from it.
"""

from afterscene.conditioning.words.lexer import language_of
from afterscene.conditioning.words.places import Given
from afterscene.conditioning.words.reading import parse
from afterscene.conditioning.words.records import Saying, as_json
from afterscene.conditioning.words.resolve import hazard_for, make_said, resolve
from afterscene.conditioning.words.telling import tell

__all__ = [
    "Given",
    "Saying",
    "as_json",
    "hazard_for",
    "language_of",
    "make_said",
    "parse",
    "resolve",
    "tell",
]
