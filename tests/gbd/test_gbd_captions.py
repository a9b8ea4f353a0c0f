"""Captions say what the damage map says, and nothing else."""

import numpy as np
import pytest
from shapely.geometry import box

from afterscene.errors import BadParameter
from afterscene.gbd.captions import QUARTERS, Facts, caption_zh, captions, facts_in, facts_of
from afterscene.geodata.damage import Building, DamageLevel
from afterscene.hazards import HAZARDS

UL, UR, LL, LR = (10, 10), (90, 10), (10, 90), (90, 90)


def facts(*struck, hazard="wildfire"):
    buildings = [
        Building(polygon=box(x - 2, y - 2, x + 2, y + 2), level=DamageLevel(level), uid=str(k))
        for k, ((x, y), level) in enumerate(struck)
    ]
    return facts_of(hazard, buildings, (100, 100))


def told(*struck, **more):
    return "\n".join(captions(facts(*struck, **more), 1))


def test_every_hazard_has_a_noun():
    for name, kind in HAZARDS.items():
        assert kind.noun.startswith(("a ", "an "))
        assert any(kind.noun in c for c in captions(facts((UL, 4), hazard=name), 1))
    assert "a snow disaster" in told((UL, 4), hazard="snow")


def test_counts_places_and_what_stands():
    text = told((UL, 4), (UL, 2), (LR, 1), (UL, 4))
    assert "1 building undamaged, 1 building with minor damage and 2 buildings destroyed" in text
    assert "the damaged buildings are in the upper left" in text
    assert "2 of 4 buildings still stand." in text
    assert "3 of 4 buildings were damaged by a wildfire" in text


@pytest.mark.parametrize(
    ("struck", "words"),
    [
        ([], "no building is in the picture"),
        ([], "There is no building."),
        ([(UL, 1)], "The only building stands."),
        ([(UL, 1), (UR, 1)], "All 2 buildings stand."),
        ([(UL, 1)], "no building is damaged"),
        ([(UR, 3)], "the damaged building is in the upper right"),
        ([(UL, 4), (LR, 4)], "No building stands."),
        ([(UL, 4), (LR, 4)], "in the upper left and lower right"),
        ([(UL, 4), (UR, 4), (LL, 3), (LR, 2)], "spread evenly over the picture"),
        ([(UL, 4), (UL, 4), (UR, 4), (LL, 3), (LR, 2)], "most of it in the upper left"),
        ([(UL, 255)], "No building was assessed."),
        ([(UL, 255), (UR, 1), (UR, 4)], "1 of 2 buildings still stands."),
        ([(UL, 255), (UR, 4)], "1 building not assessed"),
    ],
)
def test_what_is_said_of(struck, words):
    assert words in told(*struck)


def test_the_words_depend_on_facts_and_seed_alone():
    some = facts((UL, 4), (LR, 1))
    assert captions(some, 3) == captions(some, 3)
    assert len({captions(some, seed) for seed in range(40)}) > 20
    for seed in range(5):
        assert len(set(captions(some, seed))) == 4


def test_a_seed_changes_no_fact():
    some = facts((UL, 4), (UR, 2), (LR, 1))
    bodies = {frozenset(c for c in captions(some, s) if "being" not in c) for s in range(20)}
    assert len(bodies) == 1


def test_buildings_without_a_level_are_not_spoken_of():
    pre = Building(polygon=box(0, 0, 2, 2), level=None, uid="a")
    assert facts_of("wind", [pre], (10, 10)).total == 0


def test_openings_agree_with_their_article():
    for hazard in HAZARDS:
        for seed in range(10):
            for caption in captions(facts((UL, 4), hazard=hazard), seed):
                assert " a a" not in f" {caption}" and " a e" not in f" {caption}", caption


def some_facts(rng):
    """Any facts: levels that occur, and quarters that sum to the damaged ones."""
    levels = {level: int(rng.integers(1, 300)) for level in DamageLevel if rng.random() < 0.6}
    hit = sum(n for level, n in levels.items() if 1 < level < 5)
    cuts = sorted(int(k) for k in rng.integers(0, hit + 1, 3))
    shares = np.diff([0, *cuts, hit])
    quarters = {name: int(n) for name, n in zip(QUARTERS, shares, strict=True) if n}
    hazard = str(rng.choice([*HAZARDS, "snow"]))
    return Facts(hazard=hazard, levels=levels, quarters=quarters)


def test_a_caption_gives_its_facts_back_in_both_languages():
    rng = np.random.default_rng(0)
    for k in range(500):
        facts = some_facts(rng)
        (whole,) = [text for text in captions(facts, k) if "In numbers" in text]
        assert facts_in(whole) == facts, whole
        assert facts_in(caption_zh(facts)) == facts, caption_zh(facts)


def test_a_text_without_the_facts_is_refused():
    with pytest.raises(BadParameter, match="does not have all facts"):
        facts_in("an aerial view after being affected by a flood")
