"""The words of the grammar: what each phrase is (a terminal of the grammar) and what it means.

One table a language; the hazards bring their own words (:class:`afterscene.hazards.spoken.Spoken`).
The first phrase of a meaning is the one that is said back. Captions take their words from here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from afterscene.conditioning.words.records import Effect
from afterscene.geodata.damage import DamageLevel
from afterscene.hazards import HAZARDS

NONE, MINOR, MAJOR, GONE = (DamageLevel(k) for k in (1, 2, 3, 4))
UNTOUCHED, LIGHT, HEAVY, DESTROYED = (Effect(low=x, high=x) for x in (NONE, MINOR, MAJOR, GONE))
DAMAGED = Effect(low=MINOR, high=GONE)
STANDING = Effect(low=NONE, high=MAJOR)
#: How a caption says the level of buildings, and a sentence that of a group.
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

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
#: Words of the numbers from 0 to 99, each with its spellings.
NUMBERS = (
    *_ONES,
    *(
        f"{ten}-{one}, {ten} {one}" if k else ten
        for ten in _TENS
        for k, one in enumerate(_ONES[:10])
    ),
)
PERCENTS = {
    k / 100: ", ".join(f"{w} {p}" for w in text.split(", ") for p in ("percent", "per cent"))
    for k, text in enumerate(NUMBERS)
    if k
}
#: The terminal of words that no sentence may have; their meaning says why.
UNCLEAR = "UNCLEAR"
Rows = Mapping[str, Mapping[Any, str]]
ENGLISH: Rows = {
    "ALL": {None: "every, all, each, everything, everywhere"},
    "ANY": {None: "any, anything"},
    "ALLBUT": {None: "all but, all except, everything but, everything except, every but"},
    "NO": {None: "no, none, not one, nothing, not a single, not any"},
    "REST": {
        None: "all others, everything else, the rest, rest, the others, others, all the rest, "
        "other, all other, everyone else, all the others, remaining, all remaining, "
        "all the remaining, elsewhere, everywhere else, the remaining, all the other, the other"
    },
    "NOREST": {
        None: "nothing else, no other, none of the others, none of the rest, no others, "
        "nowhere else"
    },
    "BUILDINGS": {None: "buildings, houses, homes, structures, roofs, dwellings, properties"},
    "BUILDING": {None: "building, house, home, structure, roof, dwelling, property, one building"},
    "SMALL": {None: "small, little, tiny"},
    "LARGE": {None: "large, big"},
    "SHEDS": {
        None: "sheds, shed, small sheds, huts, garages, outbuildings, hut, garage, "
        "outbuilding, small huts"
    },
    "EXCEPT": {
        None: "except, except for, excepting, apart from, but not, other than, save for, "
        "excluding, with the exception"
    },
    "BE": {
        None: "is, are, was, were, be, being, been, has, have, had, gets, get, got, becomes, "
        "become, ends up, end up, stays, stay, remains, remain, must, should, will, shall, "
        "suffers, suffer, with, shows, show, takes, take, let, "
        "must be, should be, "
        "will be, has been, have been, suffered, lies, lie, make, sustains, sustain, stayed, "
        "remained, sustained, came through, comes through, come through, came out, comes out, "
        "got away, gets away"
    },
    "LEAVE": {None: "leave, leaves, keep, keeps, leaving, keeping"},
    "ONLY": {None: "only, solely, nothing but, none but"},
    "NOT": {
        None: "not, never, don't, doesn't, do not, does not, did not, isn't, aren't, wasn't, "
        "weren't, won't, cannot"
    },
    "ATLEAST": {None: "at least"},
    "ATMOST": {None: "at most, no more than, no worse than, not more than"},
    "EFFECT": {
        UNTOUCHED: "undamaged, untouched, unharmed, intact, unscathed, spared, safe, dry, "
        "unaffected, alone, "
        "no damage, without damage, without any damage, unhurt, fine, spare, without a scratch",
        LIGHT: "minor damage, lightly damaged, slightly damaged, minor, light damage, slight "
        "damage, slightly, lightly, a little damage, minor-damage, slightly hurt, barely damaged",
        HEAVY: "major damage, heavily damaged, severely damaged, badly damaged, seriously "
        "damaged, major, heavy damage, severe damage, serious damage, badly, heavily, "
        "major-damage, partly collapsed, partially collapsed, roofless, unroofed",
        DESTROYED: "destroyed, collapsed, collapse, collapses, flattened, razed, ruined, wrecked, "
        "levelled, leveled, gone, wiped out, in ruins, demolished, obliterated, swept away, "
        "washed away, destroys, destroy, flatten, flattens, raze, razes, ruins, wreck, wrecks, "
        "levels, wipes out, wipe out, demolish, demolishes, sweeps away, annihilated, totalled, "
        "reduced to rubble, rubble, knocked down, blown away, destroying, comes down, fall down, "
        "falls down, completely destroyed, totally destroyed, lost, claims, claimed, took, "
        "lies in ruins, lie in ruins",
        DAMAGED: "damaged, hit, struck, harmed, affected, touched, hurt, damage, damages, "
        "damaging, hits, strikes, harm, harms, touch, reached, reaches, reach",
        STANDING: "standing, still standing, stands, stand, still stands, still stand, survives, "
        "survive, survived, surviving, left standing, remain standing, remains standing, "
        "held, hold, holds, holds out, held out",
    },
    "NEITHER": {None: "neither"},
    "NOR": {None: "nor"},
    "BY": {None: "by, because, due to, owing to"},
    "AFTER": {
        None: "after, during, following, amid, suffering from, after being affected by, "
        "after being hit by"
    },
    "OCCURS": {
        None: "occurs, happens, comes, passes, passes over, passes through, breaks out, "
        "arrives, rages, has struck, has occurred, has happened, struck here, hits here, there is"
    },
    "FIRST": {None: "first, at first, firstly, to begin with"},
    "THEN": {None: "then, afterwards, later, next, after that, finally, at last, lastly, secondly"},
    "AND": {None: "and, as well as, plus, &"},
    "CONTRAST": {None: "but"},
    "SEP": {None: ",|;|.|:|!|while|whereas|–|—|yet|however|though"},
    "WITHIN": {
        None: "within, closer than, less than, nearer than, up to, no farther than, no further than"
    },
    "BEYOND": {
        None: "more than, farther than, further than, beyond, over, farther away than, "
        "further away than"
    },
    "NEAR": {
        None: "near, close, beside, along, alongside, adjacent, on the banks, "
        "near to, close to, next to, at the edge, around, on the bank"
    },
    "IN": {None: "in, at, on, inside, throughout, across, into"},
    "OUTSIDE": {None: "outside, not in, not inside, not within"},
    "RANK": {"largest": "largest, biggest, greatest", "smallest": "smallest, tiniest"},
    "NEAREST": {None: "nearest, closest"},
    "DIRECTION": {
        "n": "northern, north, upper, top, northernmost",
        "s": "southern, south, lower, bottom, southernmost",
        "w": "western, west, left, left-hand, westernmost",
        "e": "eastern, east, right, right-hand, easternmost",
        "ne": "north-eastern, north-east, northeastern, northeast, upper right, top right, "
        "north east, north eastern, upper right-hand, top-right, upper-right",
        "nw": "north-western, north-west, northwestern, northwest, upper left, top left, "
        "north west, north western, upper left-hand, top-left, upper-left",
        "se": "south-eastern, south-east, southeastern, southeast, lower right, bottom right, "
        "south east, south eastern, lower right-hand, bottom-right, lower-right",
        "sw": "south-western, south-west, southwestern, southwest, lower left, bottom left, "
        "south west, south western, lower left-hand, bottom-left, lower-left",
    },
    "SHARE": {
        "half": "half, halves",
        "third": "third, thirds",
        "quarter": "quarter, quarters, fourth, fourths",
    },
    "SIDE": {None: "part, side, end"},
    "CORNER": {None: "corner"},
    "CENTRE": {None: "centre, center, middle, central part, central area, heart"},
    "WATER": {
        None: "water, river, lake, sea, coast, shore, coastline, shoreline, pond, stream, "
        "creek, riverbank, waterfront, ocean, canal, waterside, beach, bank, waters, rivers"
    },
    "ROAD": {None: "road, roads, street, streets, highway"},
    "LAND": {
        "residential": "residential area, residential areas, housing area, residential",
        "industrial": "industrial area, industrial areas, industrial estate, industrial",
        "commercial": "commercial area, commercial areas, shopping area, commercial",
        "forest": "forest, forests, woods, woodland",
        "farmland": "farmland, fields, farm land",
        "park": "park, parks",
    },
    "STRONG": {
        0.25: "weak, light, mild, gentle, small-scale",
        0.5: "moderate, medium, average, ordinary",
        0.7: "strong, heavy, major-scale, powerful, serious",
        0.85: "severe, violent, very strong, fierce, intense, huge, massive",
        1.0: "extreme, catastrophic, devastating, the worst, worst",
    },
    "MAGNITUDE": {None: "magnitude, moment magnitude, mw"},
    "MEASURE": {
        None: "deep, depth, high, tall, speed, run-up, thick, peak acceleration, load, pressure"
    },
    "UNIT": {
        ("m", 1.0): "m, metres, meters, metre, meter",
        ("m", 1000.0): "km, kilometres, kilometers, kilometre, kilometer",
        ("m", 0.01): "cm, centimetres, centimeters",
        ("m", 0.3048): "ft, feet, foot",
        ("mm", 1.0): "mm, millimetres, millimeters",
        ("m/s", 1.0): "m/s, metres per second, meters per second, metres a second",
        ("m/s", 1 / 3.6): "km/h, kph, kilometres per hour, kilometers per hour, kilometres an hour",
        ("m/s", 0.44704): "mph, miles per hour, miles an hour",
        ("g", 1.0): "g",
        ("kPa", 1.0): "kpa, kilopascals, kilopascal",
        ("kW/m2", 1.0): "kw/m2, kw/m²",
    },
    "NUMBER": dict(enumerate(NUMBERS)),
    "PERCENT": PERCENTS,
    "": {
        None: "the, a, an, of, to, from, that, which, that are, which are, that lie, please, away, "
        "located, situated, picture, "
        "image, scene, map, town, village, area, located at, distance, pixel, point, those, these, "
        "also, all over the picture, just, exactly, precisely, it, of them, their, completely, "
        "totally, entirely, in total, 's, satellite image, aerial image, aerial view, "
        "satellite view, show me, please show me"
    },
    UNCLEAR: {
        "is vague; give a number, a share such as half, or all": "about, approximately, roughly, "
        "nearly, almost, some, most, many, few, several, a few, hardly, scarcely, mostly, partly",
        "leaves a choice; say which": "or, either, and/or",
        "says what may be; say what happens": "if, unless, could, might, may, would, maybe, "
        "perhaps, possibly, probably",
        "asks; say what happens": "?",
        "weights words; say instead how strong the hazard is, or how much is damaged": "(, )",
        "is the time of the image that this starts from; say what happens after it": "before",
    },
}


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A phrase of the table: its terminal ("" is passed over) and its meaning."""

    terminal: str
    meaning: Any


@cache
def phrases(language: str) -> Mapping[str, Phrase]:
    """The table of a language (``en`` or ``zh``) with the words of the hazards."""
    from afterscene.conditioning.words.chinese import CHINESE

    found: dict[str, Phrase] = {}
    for terminal, rows in (CHINESE if language == "zh" else ENGLISH).items():
        for meaning, text in rows.items():
            for phrase in re.split(r"\|" if "|" in text else r", ?", text):
                assert phrase not in found, phrase
                found[phrase] = Phrase(terminal=terminal, meaning=meaning)
    for name, kind in HAZARDS.items():
        nouns, done, gone = _spoken(name, kind.spoken, language)
        found |= {noun: Phrase(terminal="HAZARD", meaning=name) for noun in nouns}
        for words, effect in ((done, DAMAGED), (gone, DESTROYED)):
            found |= {word: Phrase(terminal="DONE", meaning=(name, effect)) for word in words}
    return MappingProxyType(found)


def _spoken(name: str, spoken: Any, language: str) -> tuple[list[str], ...]:
    ending = "_zh" if language == "zh" else ""
    texts = (getattr(spoken, f"{kind}{ending}") for kind in ("nouns", "done", "gone"))
    nouns, *more = (text.split(", ") if text else [] for text in texts)
    return nouns or [name], *more
