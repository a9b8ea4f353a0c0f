"""Change captions: a pair described in words, from its damage map and nothing else.

A caption names the hazard, how many buildings have which level, in which quarters of the image, and
how many still stand; several phrasings of the same facts serve text-conditioned generators and
vision-language models (the short one is DiffusionSat's for xBD, Khanna et al. 2024, arXiv
2312.03606). The words are a pure function of the facts and a seed: the seed selects the order of
the phrasings and their openings, never a fact. "Upper" is the first row of pixels, not north.

A building stands if it is not destroyed (Joint Damage Scale). Un-classified buildings are described
as not assessed, and counted as neither.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from afterscene.geodata.damage import Building, DamageLevel
from afterscene.hazards import HAZARDS

ADJECTIVES = MappingProxyType(
    {
        DamageLevel.NO_DAMAGE: "undamaged",
        DamageLevel.MINOR: "with minor damage",
        DamageLevel.MAJOR: "with major damage",
        DamageLevel.DESTROYED: "destroyed",
        DamageLevel.UNCLASSIFIED: "not assessed",
    }
)
QUARTERS = ("upper left", "upper right", "lower left", "lower right")
HIT = (DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a caption may say. ``quarters`` counts damaged buildings by quarter of the picture."""

    hazard: str
    levels: Mapping[DamageLevel, int]
    quarters: Mapping[str, int]

    @property
    def total(self) -> int:
        """All buildings."""
        return sum(self.levels.values())

    @property
    def damaged(self) -> int:
        """Those with minor damage or more."""
        return sum(self.levels.get(level, 0) for level in HIT)

    @property
    def standing(self) -> int:
        """Buildings that are assessed and not destroyed."""
        gone = (DamageLevel.DESTROYED, DamageLevel.UNCLASSIFIED)
        return self.total - sum(self.levels.get(level, 0) for level in gone)


def facts_of(hazard: str, buildings: Iterable[Building], shape: tuple[int, int]) -> Facts:
    """The facts of a post label; ``shape`` is (H, W). A building's centroid decides its quarter."""
    found = [b for b in buildings if b.level is not None]
    quarters = Counter(_quarter(b, shape) for b in found if b.level in HIT)
    return Facts(
        hazard=hazard,
        levels=dict(sorted(Counter(b.level for b in found if b.level is not None).items())),
        quarters={name: quarters[name] for name in QUARTERS if quarters[name]},
    )


def _quarter(building: Building, shape: tuple[int, int]) -> str:
    centre = building.polygon.centroid
    return QUARTERS[2 * (centre.y >= shape[0] / 2) + (centre.x >= shape[1] / 2)]


def captions(facts: Facts, seed: int) -> tuple[str, ...]:
    """Four phrasings of the facts; the same facts and seed give the same words in any process."""
    rng = np.random.default_rng([seed, 4])
    known = HAZARDS.get(facts.hazard)
    noun = known.noun if known else f"a {facts.hazard} disaster"
    view = str(rng.choice(["a satellite image", "an aerial view", "an overhead image"]))
    told = [
        f"{view} after being affected by {noun}",
        f"{_capital(noun)} has struck: {_counts(facts)}; {_where(facts)}.",
        f"After {noun}, {_where(facts)}. {_stands(facts)} In numbers: {_counts(facts)}.",
        f"{_share(facts)} by {noun}. {_stands(facts)}",
    ]
    return tuple(told[i] for i in rng.permutation(len(told)))


def _counts(facts: Facts) -> str:
    if not facts.total:
        return "no building is in the picture"
    said = [f"{_buildings(n)} {ADJECTIVES[level]}" for level, n in facts.levels.items() if n]
    return _list(said)


def _where(facts: Facts) -> str:
    if not facts.damaged:
        return "no building is damaged"
    are = "is" if facts.damaged == 1 else "are"
    if len(facts.quarters) == len(QUARTERS):
        most = max(facts.quarters.values())
        worst = [name for name, n in facts.quarters.items() if n == most]
        if len(worst) == len(QUARTERS):
            return "the damage is spread evenly over the picture"
        return f"the damage is spread over the picture, most of it in the {_list(worst)}"
    return f"the damaged {_noun(facts.damaged)} {are} in the {_list(list(facts.quarters))}"


def _stands(facts: Facts) -> str:
    assessed = facts.total - facts.levels.get(DamageLevel.UNCLASSIFIED, 0)
    if not assessed:
        return "No building was assessed." if facts.total else "There is no building."
    if facts.standing == assessed:
        return "The only building stands." if assessed == 1 else f"All {assessed} buildings stand."
    if not facts.standing:
        return "No building stands."
    verb = "stands" if facts.standing == 1 else "stand"
    return f"{facts.standing} of {assessed} buildings still {verb}."


def _share(facts: Facts) -> str:
    if not facts.total:
        return "Nothing built was hit"
    if not facts.damaged:
        return "No building was damaged"
    verb = "was" if facts.damaged == 1 else "were"
    return f"{facts.damaged} of {_buildings(facts.total)} {verb} damaged"


def _buildings(n: int) -> str:
    return f"{n} {_noun(n)}"


def _noun(n: int) -> str:
    return "building" if n == 1 else "buildings"


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
