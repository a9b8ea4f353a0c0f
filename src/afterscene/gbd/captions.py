"""Change captions: a pair described in words, from its damage map and nothing else.

A caption names the hazard, how many buildings have which level, in which quarters of the image, and
how many still stand; several phrasings of the same facts serve text-conditioned generators and
vision-language models (the short one is DiffusionSat's for xBD, Khanna et al. 2024, arXiv
2312.03606). The words are a pure function of the facts and a seed: the seed selects the order of
the phrasings and their openings, never a fact. "Upper" is the first row of pixels, not north.

:func:`facts_in` reads the facts back; the words are those of the grammar
(:mod:`afterscene.conditioning.words.vocabulary`).

A building stands if it is not destroyed (Joint Damage Scale). Un-classified buildings are described
as not assessed, and counted as neither.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from afterscene.conditioning.words.chinese import ADJECTIVES_ZH, QUARTERS_ZH
from afterscene.conditioning.words.vocabulary import ADJECTIVES, QUARTERS
from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building, DamageLevel
from afterscene.hazards import HAZARDS

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
        f"After {noun}, {_where(facts)}. {_stands(facts)} In numbers: {_numbers(facts)}.",
        f"{_share(facts)} by {noun}. {_stands(facts)}",
    ]
    return tuple(told[i] for i in rng.permutation(len(told)))


def caption_zh(facts: Facts) -> str:
    """The facts in one Chinese sentence: counts of levels, and of damaged buildings by quarter."""
    known = HAZARDS.get(facts.hazard)
    noun = known.spoken.nouns_zh.split(", ")[0] if known else ""
    counts = [f"{n}栋建筑{ADJECTIVES_ZH[level]}" for level, n in facts.levels.items()]
    places = [f"{QUARTERS_ZH[QUARTERS.index(name)]}{n}栋" for name, n in facts.quarters.items()]
    where = f"；受损的在{'、'.join(places)}" if places else ""
    return f"{noun or facts.hazard}过后：{'、'.join(counts) or '画面中没有建筑'}{where}。"


def facts_in(caption: str) -> Facts:
    """The facts of a caption that has them all: the one with "In numbers", or the Chinese one.

    Raises:
        BadParameter: another text.
    """
    said = _ENGLISH.fullmatch(caption) or _CHINESE.fullmatch(caption)
    if said is None:
        raise BadParameter(
            f"caption {caption[:60]!r} does not have all facts; give the one with 'In numbers'"
        )
    level_of = {
        word: level for table in (ADJECTIVES, ADJECTIVES_ZH) for level, word in table.items()
    }
    names = {**dict(zip(QUARTERS_ZH, QUARTERS, strict=True)), **{name: name for name in QUARTERS}}
    levels, places = said["counts"], said["places"] or ""
    counted = re.findall(r"(\d+)(?: buildings? |栋建筑)([^,、]+?)(?=, |、| and \d|$)", levels)
    damaged = [*re.findall(r"(\d+) in the (\w+ \w+)", places)]
    damaged += [(n, name) for name, n in re.findall(r"(左上|右上|左下|右下)(\d+)栋", places)]
    return Facts(
        hazard=_hazard_of(said["noun"]),
        levels={level_of[word]: int(n) for n, word in counted},
        quarters={names[name]: int(n) for n, name in damaged},
    )


_ENGLISH = re.compile(
    r"After (?P<noun>[^,]+), .*In numbers: (?P<counts>[^;]*?)(?:; damaged: (?P<places>.*))?\."
)
_CHINESE = re.compile(r"(?P<noun>.+?)过后：(?P<counts>[^；]*)(?:；受损的在(?P<places>.*))?。")


def _hazard_of(noun: str) -> str:
    """The hazard that a caption names by ``noun``."""
    for name, kind in HAZARDS.items():
        if noun in (kind.noun, kind.spoken.nouns_zh.split(", ")[0]):
            return name
    return noun.removeprefix("a ").removesuffix(" disaster")


def _numbers(facts: Facts) -> str:
    places = [f"{n} in the {name}" for name, n in facts.quarters.items()]
    return _counts(facts) + (f"; damaged: {_list(places)}" if places else "")


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
