"""``evaluate words``: forty prompts are read or refused, obeyed on toy tiles, and judged."""

import json
from types import MappingProxyType

import pytest

import toys
from afterscene.errors import MissingFile
from afterscene.geodata.damage import DamageLevel
from afterscene.lab.evaluation_plan import EvaluationPlan
from afterscene.lab.obedience import ASKED, evaluate_words
from afterscene.lab.prompts import prompts, read_prompt
from tests.lab import places


def test_there_are_forty_and_each_is_read_or_refused_as_expected():
    asked = prompts()
    assert len(asked) == len({one.text for one in asked}) == 40
    assert [read_prompt(one) for one in asked if not read_prompt(one)["as_expected"]] == []
    assert sum(bool(one.refused) for one in asked) == 12


def test_a_prompt_that_is_read_where_it_must_be_refused_is_told():
    kept = next(one for one in prompts() if one.refused)
    wrong = type(kept)(text="the north is flooded", kind="misspelt", refused="'nort'")
    assert not read_prompt(wrong)["as_expected"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return places.paired_tree(tmp_path_factory.mktemp("xbd"))


class Judge(places.ReadingJudge):
    provenance = MappingProxyType({"tiles": []})


class Lazy(places.PerfectGenerator):
    """Paints nothing."""

    def render(self, pre, damage, **_):
        return pre


def run(tree, generator, out=None):
    plan = EvaluationPlan(xbd=tree, split="test", limit=2)
    return evaluate_words(plan, generator, (Judge(), "toy"), mode="edit", out=out)


def test_labels_obey_and_a_judge_of_perfect_pictures_recovers_all(tree, tmp_path):
    found = run(tree, places.PerfectGenerator(), tmp_path / "out")
    assert found["prompts_as_expected"] == 40
    assert found["labels"] == {"buildings": 800, "right": 800, "share": 1.0}
    for one in found["recovered"].values():
        assert one["asked, drawn"] == [1.0, 1.0, 1.0]
    assert found["recovered"]["wildfire"]["asked, floor"] == [0.0, 0.0, 0.0]
    assert found["damage_f1"]["drawn"][0] == pytest.approx(1)
    kept = json.loads((tmp_path / "out" / "results.json").read_text())
    assert kept["recovered"] == found["recovered"]


def test_a_stopped_run_draws_only_what_is_missing(tree, tmp_path):
    judged = sum(one.judged for one in ASKED)
    first, again = places.PerfectGenerator(), places.PerfectGenerator()
    run(tree, first, tmp_path / "out")
    gone = next((tmp_path / "out" / "posts").glob("*/*.png"))
    gone.unlink()
    run(tree, again, tmp_path / "out")
    assert (first.calls, again.calls) == (2 * judged, 1)


def test_pictures_without_damage_recover_none(tree):
    found = run(tree, Lazy())
    assert found["recovered"]["wildfire"]["asked, drawn"] == [0.0, 0.0, 0.0]
    assert found["recovered"]["wind, no-damage"]["asked, drawn"] == [1.0, 1.0, 1.0]
    assert found["damage_f1"]["drawn"][0] < 0.01


def test_tiles_need_a_building_in_each_quarter(tmp_path):
    plan = EvaluationPlan(xbd=toys.toy_tree(tmp_path), split="train")
    with pytest.raises(MissingFile):
        evaluate_words(plan, places.PerfectGenerator(), (Judge(), "toy"), mode="edit")


def test_a_wrong_level_in_the_place_is_counted():
    north = next(one for one in prompts() if one.kind == "position" and one.judged)
    assert north.asks(DamageLevel.DESTROYED, True) and not north.asks(DamageLevel.MAJOR, True)
    assert north.asks(DamageLevel.NO_DAMAGE, False) and not north.asks(DamageLevel.MINOR, False)
