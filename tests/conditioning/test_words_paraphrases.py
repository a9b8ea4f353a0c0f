"""Sentences in everyday wording mean what a person says they mean, or are refused; none is misread.

``paraphrases.txt`` has them under the sentence that says their meaning. Those after its second
comment were written after the grammar and did not change it.
"""

from pathlib import Path

import pytest

from afterscene.conditioning.words import Saying, parse, tell
from afterscene.errors import BadParameter

LINES = (Path(__file__).parent / "paraphrases.txt").read_text("utf-8").splitlines()
REFUSED = "refused"


def cases() -> list[tuple[str, str]]:
    """(sentence, the sentence that says its meaning, or "refused")."""
    found, meaning = [], ""
    for line in (line for line in LINES if line and not line.startswith("#")):
        if line.startswith("= "):
            meaning = line.removeprefix("= ")
        else:
            found.append((line, meaning))
    return found


CASES = cases()


def read(sentence: str) -> Saying | None:
    try:
        return parse(sentence)
    except BadParameter:
        return None


def same(one: Saying, two: Saying) -> bool:
    """Whether they ask for the same; the order of rules at one time says nothing."""
    return (one.hazard, one.strength, set(one.rules)) == (two.hazard, two.strength, set(two.rules))


def test_there_are_three_hundred_of_both_languages():
    chinese = [sentence for sentence, _ in CASES if not sentence.isascii() and "°" not in sentence]
    assert len(CASES) >= 300
    assert len(chinese) >= 60
    assert len(set(CASES)) == len(CASES)


@pytest.mark.parametrize("meaning", sorted({m for _, m in CASES} - {REFUSED}))
def test_a_meaning_is_said_as_it_is_read(meaning):
    assert tell(parse(meaning)) == meaning


def test_none_is_misread():
    for sentence, meaning in CASES:
        found = read(sentence)
        if found is not None:
            assert meaning != REFUSED, f"{sentence}: read as {tell(found)}"
            assert same(found, parse(meaning)), f"{sentence}: read as {tell(found)}"


def test_nine_of_ten_that_mean_something_are_understood():
    meant = [sentence for sentence, meaning in CASES if meaning != REFUSED]
    assert sum(read(sentence) is not None for sentence in meant) / len(meant) > 0.9
