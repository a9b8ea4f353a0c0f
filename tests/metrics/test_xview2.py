"""The score against an independent rendering of the official rules, and its folder layout."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from afterscene import metrics
from afterscene.errors import BadImage, BadParameter, MissingFile
from afterscene.geodata.damage import LEVELS
from afterscene.metrics.confusion import Confusion
from afterscene.metrics.folders import score_folder, write_official
from afterscene.metrics.xview2 import (
    FIGURES,
    all_undamaged,
    figures,
    harmonic_mean,
    judged_score,
)

OFFICIAL_KEYS = [
    "score",
    "damage_f1",
    "localization_f1",
    "damage_f1_no_damage",
    "damage_f1_minor_damage",
    "damage_f1_major_damage",
    "damage_f1_destroyed",
]
Tile = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def official(tiles: list[Tile]) -> list[float]:
    """The rules as the challenge states them, one mask comparison at a time.

    A tile is (localization prediction, damage prediction, localization target, damage target).
    """
    rows: dict[int, list[int]] = {c: [0, 0, 0] for c in range(5)}  # TP, FN, FP; 0 is localization
    for located, damage, located_target, damage_target in tiles:
        predicted, true = located > 0, located_target > 0
        rows[0][0] += np.count_nonzero(predicted & true)
        rows[0][1] += np.count_nonzero(~predicted & true)
        rows[0][2] += np.count_nonzero(predicted & ~true)
        masked = np.where(predicted, damage, 0)[damage_target > 0]
        wanted = damage_target[damage_target > 0]
        for level in (1, 2, 3, 4):
            rows[level][0] += np.count_nonzero((masked == level) & (wanted == level))
            rows[level][1] += np.count_nonzero((masked != level) & (wanted == level))
            rows[level][2] += np.count_nonzero((masked == level) & (wanted != level))

    def f1(hit: int, missed: int, false: int) -> float:
        if hit == 0:
            return 0.0
        precision, recall = hit / (hit + false), hit / (hit + missed)
        return 2 * precision * recall / (precision + recall)

    levels = [f1(*rows[level]) for level in (1, 2, 3, 4)]
    damage_f1 = 4 / sum((x + 1e-6) ** -1 for x in levels)
    return [0.3 * f1(*rows[0]) + 0.7 * damage_f1, damage_f1, f1(*rows[0]), *levels]


def draw(rng: np.random.Generator, shape: tuple[int, int] = (40, 50)) -> Tile:
    levels = rng.choice(5, p=rng.dirichlet(np.ones(5)), size=shape).astype(np.uint8)
    guess = np.where(rng.random(shape) < rng.random(), levels, rng.integers(0, 5, shape))
    located = (rng.random(shape) < 0.8) & (guess > 0) | (rng.random(shape) < 0.1)
    other = np.where(rng.random(shape) < 0.95, levels > 0, rng.integers(0, 2, shape))
    return located.astype(np.uint8), guess.astype(np.uint8), other.astype(np.uint8), levels


def count(tiles: list[Tile], **policy: str) -> Confusion:
    total = Confusion(**policy)  # type: ignore[arg-type]
    for located, damage, located_target, target in tiles:
        total = total.add(located, damage, target, localization_target=located_target)
    return total


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 4))
def test_equals_the_official_rules_on_random_masks(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    tiles = [draw(rng) for _ in range(size)]
    result = count(tiles).result().official()
    assert list(result) == OFFICIAL_KEYS
    np.testing.assert_allclose(list(result.values()), official(tiles), rtol=0, atol=1e-9)


def test_equals_the_official_rules_where_levels_are_absent() -> None:
    tile = draw(np.random.default_rng(1))
    target = np.where(tile[3] == 3, 1, tile[3])
    tiles = [(*tile[:3], target)]
    result = count(tiles).result()
    np.testing.assert_allclose([*result.official().values()], official(tiles), rtol=0, atol=1e-9)
    assert result.absent_levels == ("major-damage",)
    assert result.damage_f1 < 1e-5
    present = [f for word, f in result.damage_f1_by_level.items() if word != "major-damage"]
    assert result.damage_f1_present == pytest.approx(3 / sum(1 / (f + 1e-6) for f in present))
    assert result.damage_f1_present > 0.01


def test_a_perfect_prediction_scores_one_and_its_negative_zero() -> None:
    target = np.arange(100).reshape(10, 10) % 5
    result = Confusion().add(target > 0, target, target).result()
    assert result.score == pytest.approx(1, abs=1e-5)
    assert (result.localization_f1, result.absent_levels, result.pixels) == (1.0, (), 100)
    wrong = Confusion().add(target == 0, (target + 1) % 5, target).result()
    assert wrong.localization_f1 == wrong.score - 0.7 * wrong.damage_f1 == 0
    assert wrong.damage_f1 < 2e-6


def test_sums_before_it_divides() -> None:
    """F1 of the set is not the mean of the tiles' F1."""
    full, none = np.ones((4, 4), int), np.zeros((4, 4), int)
    parts = [Confusion().add(full, full, full), Confusion().add(full, none, none)]
    whole = (parts[0] + parts[1]).result()
    assert whole.localization_f1 == pytest.approx(2 / 3)
    assert whole.pixels == 32
    once = Confusion().add(full, full, full).add(full, none, none)
    np.testing.assert_array_equal(once.counts, (parts[1] + parts[0]).counts)
    assert Confusion().counts.sum() == 0  # a value: nothing was added to the empty one


def test_damage_outside_the_predicted_buildings_counts_as_missed() -> None:
    target, located = np.full((2, 2), 4), np.array([[1, 1], [0, 0]])
    result = Confusion().add(located, target, target).result()
    assert result.damage_f1_by_level["destroyed"] == pytest.approx(2 / 3)


def test_the_policy_on_unclassified_buildings_shows() -> None:
    target = np.array([[1, 255], [255, 0]], np.uint8)
    located, damage = np.array([[1, 1], [0, 1]]), np.array([[1, 4], [1, 1]])
    ignored = Confusion().add(located, damage, target).result()
    assert ignored.unclassified == "ignore"
    assert ignored.pixels == 2
    assert ignored.localization_f1 == pytest.approx(2 / 3)
    assert ignored.damage_f1_by_level["no-damage"] == 1
    taken = Confusion(unclassified="as-no-damage").add(located, damage, target).result()
    assert taken.unclassified == "as-no-damage"
    assert taken.pixels == 4
    assert taken.damage_f1_by_level["no-damage"] == pytest.approx(0.5)
    assert taken.as_json()["unclassified"] == "as-no-damage"
    with pytest.raises(BadParameter, match="one policy"):
        Confusion() + Confusion(unclassified="as-no-damage")
    with pytest.raises(BadParameter, match="choose 'ignore'"):
        Confusion(unclassified="drop")  # type: ignore[arg-type]


def test_without_a_building_there_is_no_damage_f1() -> None:
    none = np.zeros((3, 3), int)
    result = Confusion().add(none, none, none).result()
    assert result.damage_f1_present is None
    assert result.absent_levels == tuple(level.word for level in LEVELS)
    assert result.score < 1e-5


def test_bad_arrays_are_named() -> None:
    good, none = np.ones((2, 2), int), np.zeros((2, 2), int)
    with pytest.raises(BadParameter, match="no pixel was scored"):
        Confusion().result()
    with pytest.raises(BadParameter, match="no pixel was scored"):
        Confusion().add(good, good, good * 255).result()
    with pytest.raises(BadParameter, match="differ in shape"):
        Confusion().add(good, good, np.ones((2, 3), int))
    for bad in (good * 5, good * -1, good * 254):
        with pytest.raises(BadParameter, match=f"target has the value {bad[0, 0]}"):
            Confusion().add(good, good, bad)
        with pytest.raises(BadParameter, match=f"prediction has the value {bad[0, 0]}"):
            Confusion().add(good, bad, good)
    with pytest.raises(BadParameter, match="target is float64"):
        Confusion().add(good, good, good / 1)
    mixed = np.array([[255, 5], [0, 0]])
    with pytest.raises(BadParameter, match="target has the value 5"):
        Confusion().add(good, good, mixed)
    with pytest.raises(BadParameter, match="prediction has the value 255"):
        Confusion().add(good, mixed, none)


def test_many_sets_at_once_are_scored_by_the_official_rules() -> None:
    rng = np.random.default_rng(0)
    sets = [[draw(rng) for _ in range(size)] for size in (1, 3)]
    sets.append([(*tile[:3], np.where(tile[3] == 2, 1, tile[3])) for tile in sets[0]])
    many = figures(np.stack([count(tiles).counts for tiles in sets]))
    assert list(FIGURES) == OFFICIAL_KEYS
    np.testing.assert_allclose(many, [official(tiles) for tiles in sets], rtol=0, atol=1e-9)


def test_counting_in_words_is_counting_pixel_by_pixel() -> None:
    """Odd sizes, bool and int masks, un-classified pixels: the same table as a slow loop."""
    rng = np.random.default_rng(1)
    target = rng.choice([0, 0, 0, 1, 2, 3, 4, 255], size=(37, 29)).astype(np.uint8)
    target[:20] = 0
    found, damage = rng.random(target.shape) > 0.5, rng.integers(0, 5, target.shape)
    for policy in ("ignore", "as-no-damage"):
        expected = np.zeros((6, 2, 2, 5), int)
        for t, f, d in zip(target.ravel(), found.ravel(), damage.ravel(), strict=True):
            truth = {"ignore": 5, "as-no-damage": 1}[policy] if t == 255 else t
            expected[truth, int(t > 0), int(f), d] += 1
        made = Confusion(unclassified=policy).add(found, damage, target)  # type: ignore[arg-type]
        assert np.array_equal(made.counts, expected)


def test_the_undamaged_reference_is_what_saying_one_everywhere_scores() -> None:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 5, size=(40, 40))
    found = rng.random((40, 40)) > 0.4
    damage = rng.integers(1, 5, size=(40, 40))
    changed = Confusion(counts=all_undamaged(Confusion().add(found, damage, target).counts))
    said = Confusion().add(found, np.ones_like(damage), target)
    assert changed.result() == said.result()


def test_the_mean_is_harmonic_as_in_xview2() -> None:
    f1 = np.array([[0.9, 0.3], [0.6, 0.0]])
    wanted = [2 / (1 / (0.9 + 1e-6) + 1 / (0.3 + 1e-6)), 0]
    assert harmonic_mean(f1) == pytest.approx(wanted, abs=1e-5)


def test_levels_that_are_not_judged_leave_the_mean() -> None:
    """Level 1: 2 * 30 / (30 + 40), level 4 never hit; houses all found."""
    counts = np.zeros((6, 2, 2, 5), np.int64)
    counts[0, 0, 0, 0], counts[1, 1, 1, 1], counts[4, 1, 1, 1] = 50, 30, 10
    assert judged_score(counts, (1,)) == pytest.approx(0.3 + 0.7 * 60 / 70, abs=1e-5)
    assert judged_score(counts, (1, 4)) == pytest.approx(0.3, abs=1e-5)
    assert judged_score(counts) == pytest.approx(figures(counts)[0])


def write_set(folder: Path, rng: np.random.Generator, tiles: int) -> list[Tile]:
    written = []
    for index in range(tiles):
        located, damage, located_target, target = tile = draw(rng, (1024, 1024))
        split = "hold" if index == 1 else "test"
        for kind, role, mask in (
            ("localization", "prediction", located),
            ("damage", "prediction", damage),
            ("localization", "target", located_target),
            ("damage", "target", target),
        ):
            (folder / role).mkdir(exist_ok=True)
            write_official(folder / role, index, kind, mask, role=role, split=split)  # type: ignore[arg-type]
        written.append(tile)
    return written


def test_the_official_layout_out_and_in(tmp_path: Path) -> None:
    tiles = write_set(tmp_path, np.random.default_rng(2), 2)
    assert sorted(p.name for p in (tmp_path / "target").iterdir()) == [
        "hold_damage_00001_target.png",
        "hold_localization_00001_target.png",
        "test_damage_00000_target.png",
        "test_localization_00000_target.png",
    ]
    result = score_folder(str(tmp_path / "prediction"), tmp_path / "target")
    np.testing.assert_allclose([*result.official().values()], official(tiles), rtol=0, atol=1e-9)
    assert result.unclassified == "as in the target files"


def test_a_folder_with_something_missing_or_odd_is_refused(tmp_path: Path) -> None:
    write_set(tmp_path, np.random.default_rng(3), 1)
    prediction, target = tmp_path / "prediction", tmp_path / "target"
    with pytest.raises(MissingFile, match="holds no target such as test_damage_00000_target"):
        score_folder(prediction, tmp_path / "nowhere")
    damage = prediction / "test_damage_00000_prediction.png"
    good = damage.read_bytes()
    odd = {
        "has the value 5": np.full((1024, 1024), 5, np.uint8),
        "has 512 x 1024 pixels": np.zeros((1024, 512), np.uint8),
        "is a picture in colours": np.full((1024, 1024, 3), (1, 2, 3), np.uint8),
        "has the value 1000, which is not a level": np.full((1024, 1024), 1000, np.uint16),
    }
    for words, array in odd.items():
        Image.fromarray(array).save(damage)
        with pytest.raises(BadImage, match=words):
            score_folder(prediction, target)
    damage.write_bytes(good[:1000])
    with pytest.raises(BadImage, match="cannot be decoded"):
        score_folder(prediction, target)
    damage.unlink()
    with pytest.raises(MissingFile, match=r"00000_prediction\.png is not"):
        score_folder(prediction, target)


def test_no_mask_beyond_the_rules_is_written(tmp_path: Path) -> None:
    mask = np.zeros((1024, 1024), np.uint8)
    for bad in (mask[:512], mask + 5, mask + 255, mask.astype(int) - 1):
        with pytest.raises(BadParameter, match="an official mask is 1024 x 1024 in 0 to 4"):
            write_official(tmp_path, 0, "damage", bad)
    for names in ({"kind": "../x"}, {"role": "x"}, {"split": "train"}, {"index": -1}):
        settings_ = {"index": 0, "kind": "damage", **names}
        with pytest.raises(BadParameter, match="not an official name"):
            write_official(tmp_path, mask=mask, **settings_)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_works_out_an_f1_or_draws_tiles() -> None:
    """One measurement: harmonic means and draws of tiles stand in this room alone."""
    source = Path(metrics.__file__).parents[1]
    own = re.compile(
        r"1e-6\)\)?\.sum|(?<!torch)\.multinomial\(|2 \* (?:right|hit|both)\b|def _?f1\("
    )
    found = {
        path.relative_to(source).parts[0]
        for path in source.rglob("*.py")
        if own.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"metrics"}
