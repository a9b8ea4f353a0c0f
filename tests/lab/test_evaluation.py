"""The evaluation as a whole on toy pairs, whose damage is a colour that the judge reads."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import toys
from afterscene.detectors.encoders import pretrained_available
from afterscene.errors import BadParameter, MissingFile, OutputConflict, UnknownName
from afterscene.gbd.pair import MARK
from afterscene.generators.choosing import Choice
from afterscene.generators.crops import affected_mask
from afterscene.generators.tiles import REACH
from afterscene.generators.windows import halo_of
from afterscene.geodata.pair import read_pair
from afterscene.geodata.scene import read_scene, read_tags
from afterscene.geodata.xbd import XbdTree
from afterscene.lab import seams
from afterscene.lab.baselines import TrainingPosts
from afterscene.lab.candidates import (
    CEILING,
    CHOSEN,
    EDIT_CEILING,
    FLOOR,
    TOLD,
    PostStore,
    candidates,
    outside,
    real_in_edit_area,
    real_style,
)
from afterscene.lab.evaluation import evaluate, prepare
from afterscene.lab.evaluation_plan import EvaluationPlan
from afterscene.lab.evaluation_report import evaluation_page, evaluation_table
from afterscene.lab.features import LiteFeatures, crops_around, pooled
from afterscene.lab.seams import borders, seam_figures
from afterscene.lab.tilefigures import real_apart
from afterscene.metrics.distances import frechet_distance
from tests.generators import toy
from tests.lab import places

NAMES = [
    FLOOR,
    "average",
    "copy-paste",
    "regression",
    "regression-reacquire",
    "ours-edit",
    "ours-reacquire",
    EDIT_CEILING,
    CEILING,
]


class BlockMeans:
    """A feature space of mean colours, in 4 x 4 and in one cell."""

    name = "mean colours"

    def maps(self, pictures: np.ndarray) -> list[torch.Tensor]:
        stack = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
        return [torch.nn.functional.adaptive_avg_pool2d(stack, n) for n in (4, 1)]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return places.paired_tree(tmp_path_factory.mktemp("xbd"))


def plan(tree, **more) -> EvaluationPlan:
    return EvaluationPlan(**{"xbd": tree, "split": "test", "seams": False, **more})


@pytest.fixture(scope="module")
def made(tree, tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluation") / "out"
    generator = places.PerfectGenerator()
    prepare(plan(tree), generator, out, overwrite=False)
    judge = places.ReadingJudge()
    return out, evaluate(plan(tree), generator, judge, space=BlockMeans(), out=out)


def test_a_generator_that_draws_what_is_asked_closes_the_gap(made):
    figures = made[1].figures
    assert list(figures["candidates"]) == NAMES
    assert figures["label_fidelity_gap_closed"] == 1
    gaps = figures["label_fidelity_gap_closed_of"]
    assert set(gaps) == set(NAMES) - {FLOOR, CEILING}
    assert set(gaps["ours-edit"]) == {"overall", "wind", "wildfire"}
    assert gaps["ours-reacquire"]["wind"]["tiles"] == 2
    # Cut by the outline, the donors' inside has their colour; the average is another picture.
    assert gaps["copy-paste"]["overall"]["gap_closed"] > 0.9
    assert gaps["average"]["overall"]["gap_closed"] < 0.5


def test_counts_say_what_the_figures_rest_on(made):
    figures = made[1].figures
    assert figures["tiles"] == 4 and sum(figures["buildings"].values()) == 100
    assert figures["levels_counted"] == [
        "no-damage",
        "minor-damage",
        "major-damage",
        "destroyed",
    ]
    assert figures["by_hazard"]["wind"]["levels_counted"] == []  # 12 or 14 houses of each level
    real = figures["candidates"][CEILING]
    assert real["damage_f1"] == pytest.approx(1, abs=1e-4) and real["buildings_recovered"] == 1
    assert real["by_event"]["hurricane-michael"]["levels_left_out"]["destroyed"] == 12
    assert real["distances"]["all"] == {
        "crops": 100,
        "frechet": pytest.approx(0, abs=1e-6),
        "kernel": 0,
        "perceptual": pytest.approx(0, abs=1e-6),
        "told_apart": pytest.approx(0.5),
    }
    assert real["distances"]["damaged"]["crops"] == 72
    assert figures["training"]["pairs"] == 2


def test_edit_is_exact_where_nothing_may_change(made):
    found = made[1].figures["candidates"]
    assert found["ours-edit"]["outside_change"]["max"] == 0
    assert found[FLOOR]["outside_change"]["share"] == 0
    assert found["ours-reacquire"]["outside_change"]["share"] > 0.9
    assert found["ours-edit"]["unaffected_buildings"]["to_pre"] == {
        "ssim": 1.0,
        "psnr": None,
        "exact": True,
    }
    assert found["ours-reacquire"]["unaffected_buildings"]["to_pre"]["psnr"] == pytest.approx(
        34.15, abs=0.1
    )


def test_distances_tell_a_wrong_picture_from_a_right_one(made):
    found = made[1].figures["candidates"]
    for part in ("all", "damaged"):
        right, wrong = (found[n]["distances"][part] for n in ("ours-edit", "average"))
        assert right["frechet"] < wrong["frechet"] and right["kernel"] < wrong["kernel"]
        assert right["perceptual"] < wrong["perceptual"]


def test_a_second_run_finds_the_posts_of_the_first(made, tree):
    out, first = made
    again = places.PerfectGenerator()
    prepare(plan(tree), again, out, overwrite=False)
    second = evaluate(plan(tree), again, places.ReadingJudge(), space=BlockMeans(), out=out)
    assert again.calls == 0
    for name in ("regression", "ours-edit", "ours-reacquire"):  # with the seconds of the first
        assert second.figures["candidates"][name] == first.figures["candidates"][name]
    post = next((out / "posts" / "ours-edit").glob("*.png"))
    assert read_tags(post)[MARK] == "true"
    with pytest.raises(OutputConflict, match="other settings"):
        prepare(plan(tree, seed=1), again, out, overwrite=False)


def test_the_page_holds_every_candidate_and_loads_nothing(made):
    page = evaluation_page(made[1])
    for name in NAMES:
        assert f"<td>{name}</td>" in page
    for name in ("pre", "requested damage", "ours-edit", "real post"):
        assert f"<figcaption>{name}</figcaption>" in page
    assert (
        "cannot be compared with published Inception figures" in page
        and "one step" in page
        and 'src="http' not in page
    )


def test_figures_are_json_and_fill_the_table(made):
    figures = json.loads(json.dumps(made[1].figures, allow_nan=False))
    table = evaluation_table(figures)
    assert [row[0] for row in table.rows] == NAMES
    assert (table.rows[0][1], table.rows[-1][1]) == (0.0, 1.0)


def test_without_features_and_training_posts_the_rest_remains(tree, tmp_path):
    for k in range(2):
        places.write_pair(tmp_path, f"hurricane-michael_{k:08d}", k)
    names = [pair.id for pair in XbdTree(tmp_path).pairs()]
    (tmp_path / "splits.json").write_text(json.dumps({"hold": names}))
    asked = plan(tmp_path, split="hold", limit=1)
    found = evaluate(asked, places.PerfectGenerator(), places.ReadingJudge(), space=None)
    assert set(found.figures["candidates"]) == set(NAMES) - {"average", "copy-paste"}
    assert found.figures["tiles"] == 1
    assert found.figures["candidates"]["ours-edit"]["distances"]["all"] is None
    page = evaluation_page(found)
    assert "missing: the folder has no split train" in page and "encoders" in page


def test_a_split_that_cannot_be_asked_is_named(tree, tmp_path):
    generator, judge = places.PerfectGenerator(), places.ReadingJudge()
    with pytest.raises(UnknownName, match="nowhere"):
        evaluate(plan(tree, split="nowhere"), generator, judge, space=None)
    with pytest.raises(MissingFile, match="no pair with a post image"):
        evaluate(plan(toys.toy_tree(tmp_path)), generator, judge, space=None)


def test_a_generator_in_windows_has_no_seam(tree, monkeypatch):
    """The bridge with random weights, its windows made small: the borders cross the tile."""
    monkeypatch.setattr("afterscene.generators.windows.WHOLE", 160)
    monkeypatch.setattr("afterscene.generators.windows.CORE", 64)
    monkeypatch.setattr(seams, "REACH", 80)
    monkeypatch.setattr(seams, "MARGIN", 16)
    place = read_pair(XbdTree(tree).pairs("test")[0])
    generator = toy.generator()
    found = seam_figures(place, generator, 7)
    halo = halo_of(generator.model)
    assert borders(288, halo)[:2] == [64 + halo, 128 + halo]
    assert halo == 32
    assert found["borders"]["rows"] == [64, 128]
    assert found["other_origin"] == 0
    assert found["several"] == pytest.approx(found["single"], rel=0.02)
    assert found["largest_difference"] <= 1


def test_crops_are_centred_on_assessed_buildings_and_stay_inside(tree):
    place = read_pair(XbdTree(tree).pairs("test")[0])
    crops = crops_around(place.buildings, place.shape)
    cut = crops.cut(place.pre.rgb())
    assert cut.shape == (25, 96, 96, 3)
    middle = 12  # the third house of the third row
    assert crops.corners[middle].tolist() == [64 + 8 + 7 - 48, 64 + 8 + 7 - 48]
    assert crops.corners.min() == 0 and crops.corners.max() == places.SIDE - 96
    small = crops_around(place.buildings[:1], (40, 160))
    assert small.size == 40


@pytest.mark.skipif(not pretrained_available("lite0"), reason="the extra encoders is missing")
def test_lite_features_do_not_depend_on_the_batch():
    space = LiteFeatures()
    pictures = np.random.default_rng(0).integers(0, 255, (34, 96, 96, 3)).astype(np.uint8)
    maps = space.maps(pictures)
    assert [m.shape[1] for m in maps] == [16, 24, 40, 112, 320]
    alone = space.maps(pictures[33:])
    torch.testing.assert_close(maps[-1][33:], alone[-1], atol=1e-4, rtol=1e-4)
    assert pooled(maps).shape == (34, 320) and space.maps(pictures[:0])[-1].shape[0] == 0


@pytest.mark.data
def test_real_posts_are_nearer_to_real_posts_than_pre_images_are(shared_data):
    """On one real burnt tile, in the feature space that the tables name."""
    if not pretrained_available("lite0"):
        pytest.skip("the extra encoders is missing")
    pairs = {pair.id: pair for pair in XbdTree(shared_data / "xbd").pairs("train")}
    place = read_pair(pairs["santa-rosa-wildfire_00000012"])
    crops = crops_around(place.buildings, place.shape)
    space = LiteFeatures()
    post, pre = (pooled(space.maps(crops.cut(s.rgb())[::2])) for s in (place.post, place.pre))
    from afterscene.metrics.distances import kernel_distance

    half = len(post) // 2
    apart = kernel_distance(pre, post)
    assert kernel_distance(post[:half], post[half:]) < apart
    assert read_scene(pairs[place.id].pre).shape == (1024, 1024)


def test_the_ceiling_of_edit_is_the_real_post_near_damage_and_the_pre_image_elsewhere(tree):
    place = read_pair(XbdTree(tree).pairs("test")[0])
    pre, post = place.pre.rgb(), 255 - place.pre.rgb()
    place = replace(place, post=place.post.replace(pixels=255 - place.pre.pixels))
    drawn = real_in_edit_area(place, places.PerfectGenerator())
    kept = outside(place, places.PerfectGenerator())
    damaged = (place.target >= 2) & (place.target < 255)
    assert damaged.any() and kept.any()
    assert np.array_equal(drawn[kept], pre[kept])
    assert np.array_equal(drawn[damaged], post[damaged])


def test_the_told_candidate_has_the_look_of_the_real_post_and_is_made_by_our_generator_alone(tree):
    place = read_pair(XbdTree(tree).pairs("test")[0])
    darker = (place.pre.pixels // 2).astype(np.uint8)
    post = place.post.replace(pixels=darker)
    place = replace(place, post=post, buildings=place.buildings[:1])
    found = candidates(toy.generator(), TrainingPosts())
    assert TOLD in found and TOLD not in candidates(places.PerfectGenerator(), TrainingPosts())
    style = real_style(place)
    alone = affected_mask(place.target, REACH, 0) == 0
    told, drawn = (found[name](place, 1).rgb()[alone].mean() for name in (TOLD, "ours-reacquire"))
    assert style is not None and style[:3].mean() < -0.1
    assert told == pytest.approx(place.post.rgb()[alone].mean(), abs=6)
    assert drawn > told + 10  # the styles of the toy are brighter


def test_the_chosen_candidate_is_made_where_a_critic_is_named_and_again_by_another_one(
    tree, tmp_path
):
    place = read_pair(XbdTree(tree).pairs("test")[0])

    looks = []

    def critic(pre, post, buildings):
        looks.append(post)
        return np.random.default_rng(int(post.sum())).random((len(buildings), 4))

    def made(name):
        choice = Choice(critic=critic, name=name, sketches=2)
        candidate = candidates(toy.generator(), TrainingPosts(), choice)[CHOSEN]
        return PostStore(folder=tmp_path, model_hash="toy").make(CHOSEN, candidate, place, 1)

    assert CHOSEN not in candidates(toy.generator(), TrainingPosts())
    first, seconds = made("one")
    assert len(looks) == 2
    again = made("one")
    assert len(looks) == 2  # as kept
    assert again[1] == seconds and np.array_equal(again[0].pixels, first.pixels)
    made("two")
    assert len(looks) == 4


def test_a_critic_cannot_judge_what_it_chose():
    from afterscene import shipped
    from afterscene.detectors import load_detector
    from afterscene.lab.assessor import choice_for

    with pytest.raises(BadParameter, match="is also the assessor"):
        choice_for(load_detector("unet"), shipped.find("unet", "detector"))


def test_two_halves_of_the_real_posts_are_as_far_apart_as_their_features_say(made):
    """Halves of one kind: equal features are at 0, shifted ones at the square of the shift."""
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 1, (40, 5)).astype(np.float32)
    levels = np.repeat([1, 4], 20)

    def tile(features, hazard):
        return SimpleNamespace(hazard=hazard, levels=levels, features=features)

    shift = np.array([3, 0, 0, 0, 0], np.float32)
    # By hazard in turn: within each hazard one tile goes to each half.
    alike = [tile(rows, h) for h in ("wind", "fire", "wind", "fire")]
    apart = [tile(rows + k * shift, h) for k, h in ((0, "wind"), (0, "fire"), (1, "wind"))]
    found = real_apart(alike)
    assert found["all"]["frechet"] == pytest.approx(0, abs=1e-3)
    assert found["damaged"]["crops"] == [40, 40] and found["all"]["crops"] == [80, 80]
    # fire 0, wind 0, wind + shift in that order: the halves are (fire, wind + shift) and (wind).
    one, two = np.concatenate([rows, rows + shift]), rows
    assert real_apart(apart)["all"]["frechet"] == pytest.approx(
        frechet_distance(one, two), abs=1e-3
    )
    assert real_apart(alike[:1]) == {"all": None, "damaged": None}
    assert set(made[1].figures["real_apart"]["all"]) == {"crops", "frechet", "kernel"}
    assert "real post images of every other tile" in evaluation_page(made[1])
