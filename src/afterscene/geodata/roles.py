"""Before or after the disaster: what the name of a file or folder says of it, by a written rule.

The words are ``pre`` and ``before``, ``post`` and ``after``. A name (without its ending; words end
at anything but a letter, at a digit, and where a capital follows a small letter) says a role where

1. the word stands with a noun of a disaster or a picture: ``town_post_disaster``, ``postevent_3``,
   ``after-fire``, ``pre image 7`` (:data:`NOUNS`);
2. the word is the last one, or the name itself: ``town_post``, ``harbour-after``, ``Before``;
3. the word is the first one and nothing but numbers follow: ``post_12``, ``after 2018-10-13``.

``guard-post_12``, ``outpost``, ``post-office_4`` and ``afternoon`` say nothing, and so does a name
that says both. Of a file in a folder, its own name decides, else its folders from the nearest to
the given one, else its twin: ``x-post-12`` is after where ``x-pre-12`` lies beside it. What nothing
is said of is taken for a pre image. A user's own :class:`Rule` goes before all of this.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import PurePath
from typing import Literal

from afterscene.errors import BadParameter

Role = Literal["pre", "post"]
WORDS: dict[str, Role] = {"pre": "pre", "before": "pre", "post": "post", "after": "post"}
NOUNS = tuple(
    re.findall(
        r"\w+",
        "event disaster crisis image images img imagery picture pictures scene scenes "
        "fire wildfire flood flooding storm hurricane typhoon cyclone tornado quake "
        "earthquake tsunami eruption landslide strike",
    )
)
_JOINED = {word + noun: role for word, role in WORDS.items() for noun in NOUNS}
#: What nothing is said of.
SILENT = "no word of before or after"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a file is taken for, and why."""

    role: Role
    why: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The role of files whose path below the folder, or whose name, fits a pattern: ``*_b.tif``."""

    role: Role
    pattern: str

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """``post=*_b.tif``. Raises BadParameter."""
        word, equals, pattern = text.partition("=")
        if word not in ("pre", "post") or not (equals and pattern):
            raise BadParameter(
                f"{text!r} names no role; write pre=PATTERN or post=PATTERN, such as 'post=*_b.tif'"
            )
        return cls(role="pre" if word == "pre" else "post", pattern=pattern)

    def fits(self, file: PurePath) -> bool:
        """Whether it is about a file, whose path is relative to the folder that was given."""
        return fnmatchcase(file.as_posix(), self.pattern) or fnmatchcase(file.name, self.pattern)


def said(name: str) -> Role | None:
    """The role that a name without its ending says; None where it says none, or both."""
    words = _words(name)
    found = {_JOINED[word] for word in words if word in _JOINED}
    found |= {WORDS[a] for a, b in pairwise(words) if a in WORDS and b in NOUNS}
    if words and words[-1] in WORDS:
        found.add(WORDS[words[-1]])
    if words and words[0] in WORDS and (found or all(word.isdigit() for word in words[1:])):
        found.add(WORDS[words[0]])  # `before_after` says both
    return found.pop() if len(found) == 1 else None


def taken(files: Sequence[PurePath], rules: Sequence[Rule] = ()) -> list[Taken]:
    """What each file is taken for; their paths are relative to the folder that was given.

    The first of the rules that fits decides. Raises BadParameter: one fits no file.
    """
    for rule in rules:
        if not any(rule.fits(file) for file in files):
            raise BadParameter(
                f"the pattern of {rule.role}={rule.pattern} fits none of {len(files)} images, such "
                f"as {files[0].as_posix() if files else 'none'}; correct it"
            )
    twins = _twins(files)
    return [_taken(file, twins, rules) for file in files]


def _taken(file: PurePath, twins: dict[PurePath, Role], rules: Sequence[Rule]) -> Taken:
    for rule in rules:
        if rule.fits(file):
            return Taken(role=rule.role, why=f"your {rule.role}={rule.pattern}")
    if role := said(file.stem):
        return Taken(role=role, why="its name")
    for folder in list(file.parents)[:-1]:
        if role := said(folder.name):
            return Taken(role=role, why=f"its folder {folder.as_posix()}")
    if file in twins:
        return Taken(role=twins[file], why="the other of the pair beside it")
    return Taken(role="pre", why=SILENT)


def _twins(files: Sequence[PurePath]) -> dict[PurePath, Role]:
    """Files whose names differ from one beside them in the word of the role alone."""
    groups: dict[tuple[object, ...], dict[PurePath, Role]] = defaultdict(dict)
    for file in files:
        words = _words(file.stem)
        for place, word in enumerate(words):
            if word in WORDS:
                key = (file.parent, *words[:place], None, *words[place + 1 :])
                groups[key][file] = WORDS[word]
    pairs = (group for group in groups.values() if len({*group.values()}) == 2)
    return {file: role for group in pairs for file, role in group.items()}


def _words(name: str) -> list[str]:
    """``TownPost_12b`` as ``town post 12 b``."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+|\d+", parted.lower())
