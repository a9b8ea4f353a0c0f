"""Sentences are read as what they say, said back as the same, or refused in one sentence."""

import logging
import random

import pytest
from lark import Lark, logger
from tests.conditioning.sayings import saying

from afterscene.conditioning.words import as_json, parse, tell
from afterscene.conditioning.words.lexer import Words
from afterscene.conditioning.words.reading import grammar, grammar_text
from afterscene.conditioning.words.vocabulary import phrases
from afterscene.errors import BadParameter

RIVER = (
    "every house within 200 m of the river is flooded, the northern third is destroyed except "
    "the largest building, nothing else is touched"
)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_thousand_sayings_are_read_as_they_are_said(language):
    made = [saying(random.Random(k)) for k in range(1000)]
    made = [one for one in made if one.hazard or one.rules]
    assert len(made) > 950
    told = [(one, tell(one, language)) for one in made]
    assert [text for one, text in told if parse(text) != one] == []


def test_a_sentence_becomes_a_record():
    found = as_json(parse(RIVER))
    assert found["hazard"] == "flood"
    near, north, rest = found["rules"]
    assert near["groups"] == [{"places": [{"target": "water", "metres": 200.0}]}]
    assert near["effect"] == {"low": "minor-damage", "high": "destroyed"}
    (group,) = north["groups"]
    assert group["places"] == [{"direction": "n", "share": "third"}]
    assert group["but"] == [{"rank": "largest"}]
    assert north["effect"] == {"low": "destroyed", "high": "destroyed"}
    assert rest == {
        "groups": [{"rest": True}],
        "effect": {"low": "no-damage", "high": "no-damage"},
    }


def test_the_same_in_chinese():
    text = "离河200米以内的所有房屋被淹，北部三分之一除最大的建筑外全部被毁，其余完好。"
    assert parse(text) == parse(RIVER)
    assert parse(tell(parse(RIVER), "zh")) == parse(RIVER)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("大多数房屋倒塌", "'大多数' (character 1) is vague"),
        ("北部三分之一的房屋被毁", "two ways"),
        ("南部被淹，北部着火", "two hazards"),
        ("至少严重受损", "does not fit"),
        ("", "empty"),
        ("   \n", "empty"),
        ("house " * 20_000, "characters; write at most 2000"),
        ("the north \N{FIRE} burns", "character 11"),
        ("the north\x00 burns", "control character"),
        ("the \u202enorth burns", "right-to-left override"),
        ("البيوت مدمرة", "another script"),
        ("дома разрушены", "another script"),
        ("le nord est inondé", "'le' (character 1)"),
        ("the north is florded", "'florded' (character 14) is not a word of the grammar; the near"),
        ("the north is", "ends too early, after 'is'"),
        ("the the of", "holds no word"),
        ("the north south is destroyed", "'south' (character 11) does not fit after 'north'"),
        ("the north burns, the south is flooded", "two hazards"),
        ("a 40 m/s tornado, a tornado of 60 m/s", "two strengths"),
        ("no house is not destroyed", "is not"),
        ("3 houses in the north and the south are destroyed", "two ways"),
        ("all but the largest building in the north are destroyed", "two ways"),
        ("the largest buildings are destroyed", "how many"),
        ("2.5 houses are destroyed", "no number of buildings"),
        ("0 houses are destroyed", "no number of buildings"),
        ("300% of the houses are destroyed", "300% of the buildings"),
        ("houses within 3 g of the river are destroyed", "in metres"),
        ("most houses are destroyed", "'most'"),
        ("every house is at most destroyed", "every level"),
        ("the north is not slightly damaged", "more or less"),
    ],
)
def test_what_it_cannot_read_is_refused_in_one_sentence(text, words):
    if words == "is not":
        parse(text)  # "no house is not destroyed": every house is
        return
    with pytest.raises(BadParameter) as error:
        parse(text)
    assert words in str(error.value)
    assert len(str(error.value)) < 260


def test_two_negations_are_one_assertion():
    assert parse("no house is not destroyed") == parse("every house is destroyed")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_sentence_has_one_reading(language):
    """Only "and" leaves a choice: it goes on with its list; 北部三分之一 stays together."""
    assert grammar(language)
    logger.setLevel(logging.DEBUG)
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        Lark(grammar_text(language), parser="lalr", lexer=Words, debug=True)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.CRITICAL)
    assert {line for line in records if "onflict" in line} <= {
        "Shift/Reduce conflict for terminal AND: (resolving as shift)",
        "Shift/Reduce conflict for terminal SHARE: (resolving as shift)",
    }


@pytest.mark.parametrize(("language", "between"), [("en", " "), ("zh", "")])
def test_words_in_any_order_are_refused_or_said_back(language, between):
    rng, by_class = random.Random(7), {}
    for phrase, entry in phrases(language).items():
        by_class.setdefault(entry.terminal, []).append(phrase)
    pools = [*by_class.values(), ['"Mill Lane"'], ["3"], ["40%"], ["(3, 4)"]]
    for _ in range(1500):
        sentence = between.join(rng.choice(rng.choice(pools)) for _ in range(rng.randint(1, 6)))
        try:
            said = parse(sentence)
        except BadParameter:
            continue
        assert parse(tell(said)) == said, sentence
