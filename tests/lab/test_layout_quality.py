"""What is said about drawn pre images: real ones are like themselves, others are judged alike."""

import json
from types import MappingProxyType

import numpy as np
import pytest
import torch

import toys
from afterscene.errors import MissingFile
from afterscene.lab.evaluation_plan import EvaluationPlan
from afterscene.lab.layout_quality import OTHERS, REAL, evaluate_layout


class Colours:
    """Describes a picture by its mean colour."""

    name = "mean colour"

    def maps(self, pictures):
        return [torch.from_numpy(pictures.astype(np.float32)).permute(0, 3, 1, 2)]


class Bright:
    """Takes for a building what is brighter than 150."""

    def predict(self, pre, post):
        assert pre is post

        class Found:
            localization = pre.rgb().min(axis=2) > 150

        return Found


class Repainter:
    """Gives each picture back as it got it, greyer the fewer steps."""

    hash = "c0ffee"
    folder = None
    styles = MappingProxyType({})

    def draw_style(self, name, seed):
        return np.zeros(6, np.float32)

    def repaint(self, picture, levels, *, style, seed, steps):
        return picture if steps != 1 else np.full_like(picture, 128)


@pytest.fixture
def figures(tmp_path):
    tree = toys.toy_tree(tmp_path, count=3)
    (tree / "splits.json").write_text(
        json.dumps({"train": ["toy-town_00000000"], "val": [f"toy-town_{k:08d}" for k in (1, 2)]})
    )
    plan = EvaluationPlan(xbd=tree, split="val")
    return evaluate_layout(plan, Repainter(), Bright(), Colours())


def test_real_pictures_show_all_buildings_and_have_no_distance_to_themselves(figures):
    assert figures[REAL] == {"frechet": None, "kernel": None, "localization_f1": 1.0}


def test_the_coarse_picture_keeps_roofs_and_the_grey_one_loses_them(figures):
    coarse = figures["coarse colours of the real image"]
    grey = figures["one evaluation (regression), coarse colours of the real image"]
    assert coarse["localization_f1"] == 1.0 and grey["localization_f1"] == 0.0
    assert grey["frechet"] > coarse["frechet"] >= 0
    assert figures["diffusion, coarse colours of the real image"] == coarse


def test_other_places_are_judged_by_their_own_footprints(figures):
    assert figures[OTHERS]["localization_f1"] == 1.0


def test_a_split_without_buildings_is_said(tmp_path):
    toys.write_pre(tmp_path, "bare_00000000", wkts=[])
    (tmp_path / "splits.json").write_text('{"val": ["bare_00000000"]}')
    with pytest.raises(MissingFile, match="no tile of split 'val' has a building"):
        evaluate_layout(EvaluationPlan(xbd=tmp_path, split="val"), Repainter(), Bright(), None)
