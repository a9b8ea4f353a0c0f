"""Forty prompts of a course on generated disasters, and what each asks for.

The course asked image models for six disasters, before and after them, for four positions, four
degrees of damage, and in three styles: normal, with weighted words, misspelt. What can be obeyed
names the levels that it asks for, and where; what cannot must be refused. The fractions of ``box``
are those of the picture, so that labels are judged without the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from afterscene.conditioning import words
from afterscene.errors import BadParameter
from afterscene.geodata.damage import LEVELS, Building, DamageLevel

Box = tuple[float, float, float, float]

NOUNS: tuple[str, ...] = (
    *("a flood", "a wildfire", "a hurricane", "a tornado", "an earthquake"),
    "a volcanic eruption",
)
CORNERS: dict[str, Box] = {
    "top-left": (0.0, 0.0, 0.5, 0.5),
    "top-right": (0.5, 0.0, 1.0, 0.5),
    "bottom-left": (0.0, 0.5, 0.5, 1.0),
    "bottom-right": (0.5, 0.5, 1.0, 1.0),
}
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A sentence. ``hazard`` is the one it names, as :data:`afterscene.hazards.HAZARDS` does.

    low, high: levels asked inside ``box`` (x0, y0, x1, y1), with no damage outside; None: it asks
    for a hazard alone. refused: what the refusal names; "": it must be obeyed.
    """

    text: str
    kind: str
    hazard: str = ""
    low: DamageLevel | None = None
    high: DamageLevel | None = None
    box: Box = WHOLE
    refused: str = ""

    @property
    def judged(self) -> bool:
        """Whether its pictures are judged: it asks for one level, of fire or wind."""
        return self.low is not None and self.low == self.high

    @property
    def slug(self) -> str:
        """Its text as the name of a folder."""
        return "-".join(re.findall(r"[a-z]+", self.text.lower()))

    def asks(self, level: DamageLevel | None, within: bool) -> bool:
        """Whether it asks for this level of a building inside its box, or outside."""
        if not within:
            return level == LEVELS[0]
        return level is not None and (self.low or level) <= level <= (self.high or level)


def inside(prompt: Prompt, buildings: Sequence[Building], shape: tuple[int, int]) -> np.ndarray:
    """(n,) bool: whose middle lies in the box of the prompt."""
    left, top, right, bottom = np.array(prompt.box) * (*shape[::-1], *shape[::-1])
    middles = np.array([(b.polygon.centroid.x, b.polygon.centroid.y) for b in buildings])
    x, y = middles.reshape(-1, 2).T
    return np.asarray((x >= left) & (x < right) & (y >= top) & (y < bottom))


def read_prompt(prompt: Prompt) -> dict[str, object]:
    """What the grammar makes of a prompt, and whether that is expected."""
    try:
        said = words.parse(prompt.text)
    except BadParameter as error:
        answer, as_expected = str(error), bool(prompt.refused) and prompt.refused in str(error)
    else:
        answer = words.tell(said)
        as_expected = not prompt.refused and said.hazard == prompt.hazard
    expected = "refused" if prompt.refused else "obeyed"
    told = {"prompt": prompt.text, "kind": prompt.kind, "expected": expected, "answer": answer}
    return {**told, "as_expected": as_expected}


def prompts() -> tuple[Prompt, ...]:
    """The forty, in a fixed order."""
    return (*_disasters(), *_positions(), *_degrees(), *_styles())


def _disasters() -> tuple[Prompt, ...]:
    names = ("flood", "wildfire", "wind", "tornado", "earthquake", "volcano")
    pairs = tuple(zip(NOUNS, names, strict=True))
    town = "A satellite image of a town suffering from"
    after, before = (f"A satellite image {when} being affected by" for when in ("after", "before"))
    return (
        *(Prompt(text=f"{town} {noun}", kind="disaster", hazard=name) for noun, name in pairs),
        *(Prompt(text=f"{after} {noun}", kind="pre -> post", hazard=name) for noun, name in pairs),
        *(Prompt(text=f"{before} {n}", kind="post -> pre", refused="'before'") for n in NOUNS),
    )


def _positions() -> tuple[Prompt, ...]:
    minor, worst = DamageLevel.MINOR, DamageLevel.DESTROYED
    asked = (
        ("Buildings on the {} are being flooded", "flood", minor),
        ("The buildings on the {} are destroyed by a wildfire", "wildfire", worst),
        ("A hurricane destroys the buildings on the {}", "wind", worst),
    )
    return tuple(
        Prompt(text=t.format(name), kind="position", hazard=hazard, box=box, low=low, high=worst)
        for t, hazard, low in asked
        for name, box in CORNERS.items()
    )


def _degrees() -> tuple[Prompt, ...]:
    words = ("have no damage", "have minor damage", "have major damage", "are destroyed")
    return tuple(
        Prompt(
            text=f"All buildings {word} after a hurricane",
            kind="degree",
            hazard="wind",
            low=level,
            high=level,
        )
        for word, level in zip(words, LEVELS, strict=True)
    )


def _styles() -> tuple[Prompt, ...]:
    weighted = (
        ("A satellite image after being affected by (flooding:1.5)", "'('"),
        ("((flooded)) buildings on the top-left", "'flooded))'"),
        ("flooded++ buildings on the top-left", "'flooded++'"),
    )
    misspelt = (
        ("A satelite image after being affected by a flood", "satellite"),
        ("Buildings on the top-left are being floded", "flooded"),
        ("All buildings are destoryed after a hurricane", "destroyed"),
    )
    return (
        *(Prompt(text=text, kind="weighted", refused=names) for text, names in weighted),
        *(Prompt(text=text, kind="misspelt", refused=names) for text, names in misspelt),
    )
