"""Scenes that do not show what they claim are drawn again, or given up; the figure is kept."""

import json

import numpy as np
import pytest

import toys
from afterscene import gbd
from afterscene.errors import BadParameter, LowFidelity, OutputConflict
from afterscene.judging.quality import TRIES, QualityControl, fidelity


def judge_by(answers):
    """A judge that says, look after look, that this share of the destroyed houses is found."""
    looks = iter(answers)

    def judge(pre, post, damage):
        table = np.zeros((4, 4), int)
        found = next(looks)
        table[3] = (10 - found, 0, 0, found)
        return table

    return judge


def build(folder, judge, least, count=1, **options):
    tree = toys.toy_tree(folder / "xbd")
    plan = gbd.draw_plan(
        gbd.find_sources(tree), gbd.PlanConfig(hazards=("wildfire",), count=count, seed=7)
    )
    control = QualityControl(judge=judge, name="toy", least=least)
    rendering = gbd.Rendering(control=control)
    options = gbd.RunOptions(**options)
    return gbd.build(
        plan, folder / "set", toys.ToyGenerator(), rendering=rendering, options=options
    )


def rows(folder):
    return [json.loads(line) for line in (folder / "set/manifest.jsonl").read_text().splitlines()]


def test_fidelity_weighs_asked_levels_alike():
    table = np.zeros((4, 4), int)
    table[0, 0] = 96
    table[3] = (3, 0, 0, 1)
    assert fidelity(table) == pytest.approx((1 + 0.25) / 2)
    assert fidelity(np.zeros((4, 4), int)) is None


def test_a_poor_scene_is_drawn_again_with_another_seed(tmp_path):
    build(tmp_path, judge_by([2, 5, 9]), 0.8)
    (row,) = rows(tmp_path)
    assert (row["fidelity"], row["draws"]) == (0.9, 3) and row["render_seed"] != row["seed"]
    assert all(v.verdict == "synthetic" for v in gbd.verify(tmp_path / "set"))


def test_a_good_scene_is_the_one_that_is_drawn_without_a_judge(tmp_path):
    build(tmp_path / "a", judge_by([8]), 0.8)
    tree = toys.toy_tree(tmp_path / "b/xbd")
    plan = gbd.draw_plan(
        gbd.find_sources(tree), gbd.PlanConfig(hazards=("wildfire",), count=1, seed=7)
    )
    gbd.build(plan, tmp_path / "b/set", toys.ToyGenerator(), rendering=gbd.Rendering())
    (judged,), (plain,) = rows(tmp_path / "a"), rows(tmp_path / "b")
    assert judged["pixel_sha256"] == plain["pixel_sha256"]
    assert judged["render_seed"] == judged["seed"] and "fidelity" not in plain


def test_a_scene_that_stays_poor_ends_the_build_or_is_left_out(tmp_path):
    with pytest.raises(
        LowFidelity, match=r"best of 4 scenes has fidelity 0.50, but 0.8 is required"
    ):
        build(tmp_path / "a", judge_by([1, 5, 2, 0] * TRIES), 0.8)
    report = build(tmp_path / "b", judge_by([1] * TRIES + [9]), 0.8, 2, on_error="skip")
    assert [row["fidelity"] for row in rows(tmp_path / "b")] == [0.9] and len(report.skipped) == 1


def test_another_bar_is_another_run(tmp_path):
    build(tmp_path, judge_by([9]), 0.8)
    with pytest.raises(OutputConflict, match="min_fidelity"):
        build(tmp_path, judge_by([9]), 0.5)


@pytest.mark.parametrize("least", [-0.1, 1.5])
def test_a_bar_that_is_no_share_is_refused(least):
    with pytest.raises(BadParameter, match="between 0 and 1"):
        QualityControl(judge=judge_by([]), name="toy", least=least)
