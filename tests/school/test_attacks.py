"""Attacks stay within their budget; the search finds the worst; the defence repairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afterscene.errors import BadParameter
from afterscene.school.robustness import (
    ATTACKS,
    Attack,
    SpellCheck,
    edit_distance,
    rank_words,
    worst_case,
)
from afterscene.school.robustness.attacks import HOMOGLYPHS, neighbours

HAZARDS = ("wildfire", "flood", "hurricane", "earthquake", "tornado", "tsunami", "volcano")
WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=0, max_size=9)
PROMPT = "a town after a wildfire seen from above"


@pytest.mark.parametrize("name", ATTACKS)
@given(word=WORDS)
def test_one_application_is_a_small_change(name, word):
    variants = ATTACKS[name].variants(word)
    assert word not in variants and len(set(variants)) == len(variants)
    limit = 2 if name == "phonetic" else 1
    assert all(0 < edit_distance(word, spelling) <= limit for spelling in variants)


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("delete", "wldfire"),
        ("insert", "wuildfire"),
        ("replace", "eildfire"),
        ("swap", "widlfire"),
        ("repeat", "wilddfire"),
        ("glyph", "w\u0456ldfire"),
        ("phonetic", "wyldfire"),
    ],
)
def test_each_attack_does_what_it_says(name, spelling):
    assert spelling in ATTACKS[name].variants("wildfire")


def test_keys_are_neighbours_of_each_other():
    letters = "qwertyuiopasdfghjklzxcvbnm"
    assert set(neighbours("s")) == set("adwezx")
    for a in letters:
        assert a not in neighbours(a)
        assert all(a in neighbours(b) for b in neighbours(a))
    assert neighbours("é") == ""


def test_homoglyphs_look_like_nothing_on_this_keyboard():
    assert len(set(HOMOGLYPHS.values())) == len(HOMOGLYPHS)
    assert not set(HOMOGLYPHS.values()) & set("abcdefghijklmnopqrstuvwxyz")


@given(one=WORDS, two=WORDS, three=WORDS)
def test_the_edit_distance_is_one(one, two, three):
    assert edit_distance(one, two) == edit_distance(two, one)
    assert (edit_distance(one, two) == 0) == (one == two)
    assert abs(len(one) - len(two)) <= edit_distance(one, two) <= max(len(one), len(two))
    assert edit_distance(one + three, two + three) <= edit_distance(one, two)


def test_edit_distances_known_by_hand():
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance("flood", "flodo") == 1
    assert edit_distance("", "abc") == 3


def test_the_search_finds_the_worst_and_keeps_the_budget():
    """A model that looks at the first letter of the hazard alone."""
    asked = []

    def measure(prompt):
        asked.append(prompt)
        return 1.0 if " w" in prompt else 0.0

    found = worst_case(
        PROMPT, "wildfire", ATTACKS["swap"], measure, np.random.default_rng(0), tries=20
    )
    assert found.clean == 1.0 and found.figure == 0.0 and found.change == -1.0
    assert found.spelling.startswith("i") and found.spelling in found.prompt
    assert found.tried == len(asked) - 1
    for prompt in asked:
        word = prompt.split()[4]
        assert edit_distance(word, "wildfire") <= 2
        assert prompt.replace(word, "wildfire") == PROMPT


def test_a_model_that_cannot_be_moved_is_reported_as_such():
    found = worst_case(
        PROMPT, "wildfire", ATTACKS["delete"], lambda _: 0.4, np.random.default_rng(0), tries=3
    )
    assert found.change == 0.0 and found.tried == 6 and found.spelling != "wildfire"
    with pytest.raises(BadParameter, match="not a word of the prompt"):
        worst_case(PROMPT, "flood", ATTACKS["swap"], len, np.random.default_rng(0))


def test_the_word_that_counts_comes_first():
    ranked = rank_words(PROMPT, lambda prompt: float("wildfire" in prompt))
    assert ranked[0] == ("wildfire", -1.0)
    assert all(change == 0 for _, change in ranked[1:])


@pytest.mark.parametrize("name", ATTACKS)
def test_the_spell_check_undoes_one_application_on_every_hazard(name):
    check = SpellCheck(vocabulary=(*HAZARDS, "town", "after", "seen", "from", "above", "a"))
    for word in HAZARDS:
        for spelling in ATTACKS[name].variants(word):
            prompt = PROMPT.replace("wildfire", spelling)
            assert check(prompt) == PROMPT.replace("wildfire", word), spelling


def test_the_spell_check_leaves_names_alone_and_tells_what_it_does():
    check = SpellCheck(vocabulary=(*HAZARDS, "in", "a"))
    assert check("a flood in Palu, 2018") == "a flood in Palu, 2018"
    assert check.changes("a flodo in Palu") == {"flodo": "flood"}
    assert check("A Flood") == "A Flood"
    with pytest.raises(BadParameter, match="vocabulary"):
        SpellCheck(vocabulary=())


def test_an_attack_of_ones_own_needs_no_change_in_the_room():
    shout = Attack(spell=lambda word: [word.upper()])
    found = worst_case(
        "a flood", "flood", shout, lambda p: float(p.islower()), np.random.default_rng(0),
        budget=1.0,
    )  # fmt: skip
    assert found.spelling == "FLOOD" and found.change == -1.0
