"""Every assessed building counts as one: in the crops, in the object head, in the evaluation."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import box

from afterscene.detectors import Detector, fit
from afterscene.detectors.objects import fit_objects, pool_pair
from afterscene.geodata.damage import Building, DamageLevel, layers
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene
from afterscene.geodata.xbd import XbdTree
from afterscene.metrics.buildings import match_buildings
from afterscene.training.spots import Spots
from tests.detectors.toys import TINY, toy_pair


@pytest.fixture(scope="module")
def detector() -> Detector:
    return fit(replace(TINY, steps=2), [toy_pair(0)], seed=0)


@pytest.fixture
def terrace() -> LabelledPair:
    """Two houses with one wall, a twin outline drawn twice, and one that nobody assessed."""
    outlines = [
        (box(10, 10, 30, 30), DamageLevel.MAJOR),
        (box(30, 10, 50, 30), DamageLevel.MAJOR),
        (box(70, 70, 90, 90), DamageLevel.DESTROYED),
        (box(70, 70, 90, 90), DamageLevel.DESTROYED),
        (box(100, 10, 110, 20), DamageLevel.UNCLASSIFIED),
    ]
    buildings = (Building(polygon=p, level=v, uid=str(n)) for n, (p, v) in enumerate(outlines))
    return replace(toy_pair(1), buildings=tuple(buildings))


def test_houses_that_share_a_wall_stay_two(detector: Detector, terrace: LabelledPair) -> None:
    assert Spots.of([terrace]).counts == (0, 0, 2, 2)
    made = fit_objects(detector, [terrace], seed=0)
    assert made.provenance["objects_fitted_on"] == 4
    rasters = tuple(layers(terrace.buildings, terrace.shape))
    table = match_buildings(rasters, np.array([0, *terrace.levels]), terrace.target % 255)
    assert table[3, 3] == 2 and table[4, 4] == 2 and table.sum() == 4


def test_pixels_without_data_say_nothing_of_a_building(
    detector: Detector, terrace: LabelledPair
) -> None:
    planes = detector.planes(terrace.pre.rgb(), terrace.post.rgb(), features=True)
    whole = pool_pair(planes, terrace)
    seen = np.ones(terrace.shape, bool)
    seen[:, :30] = False
    part = pool_pair(planes, replace(terrace, post=terrace.post.replace(valid=seen)))
    assert part[0, 0] == 0 and np.array_equal(part[2:], whole[2:])
    made = fit_objects(detector, [replace(terrace, pre=terrace.pre.replace(valid=seen))], seed=0)
    assert made.provenance["objects_fitted_on"] == 3


@pytest.mark.data
def test_all_assessed_buildings_of_the_real_pairs_are_used(shared_data: Path) -> None:
    """Counted from the JSON files, without any reader of ours."""
    asked: Counter[str] = Counter()
    used = np.zeros(4, np.int64)
    table = np.zeros((5, 5), np.int64)
    for files in XbdTree(shared_data / "xbd").pairs():
        if files.post is None or files.post_label is None:
            continue
        features = json.loads(files.post_label.read_text())["features"]["xy"]
        asked.update(feature["properties"]["subtype"] for feature in features)
        pair = _without_pictures(files)
        used += Spots.of([pair]).counts
        rasters = tuple(layers(pair.buildings, pair.shape))
        table += match_buildings(rasters, np.array([0, *pair.levels]), pair.target % 255)
    wanted = [asked[level.word] for level in DamageLevel][:4]
    assert used.tolist() == wanted
    assert table[1:].sum(axis=1).tolist() == wanted
    assert table[0].sum() == 0


def _without_pictures(files) -> LabelledPair:
    """The pair with blank scenes: only its buildings are asked about, and decoding takes long."""
    from afterscene.geodata.labelreading import read_label

    label = read_label(files.post_label)
    blank = Scene.of_rgb(np.zeros((*(label.shape or (1024, 1024)), 3), np.uint8))
    return LabelledPair(id=files.id, pre=blank, post=blank, buildings=label.buildings)
