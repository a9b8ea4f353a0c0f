"""Protocols hold out what they say, stop at leaks, go on after a stop, and report what they saw."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from afterscene import shipped
from afterscene.detectors.crops import DetectorCrops
from afterscene.errors import (
    BadParameter,
    LeakFound,
    MissingFile,
    OutputConflict,
    UnknownName,
)
from afterscene.generators.checkpoint import load_weights, save_weights
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.pair import read_pair
from afterscene.geodata.xbd import XbdTree
from afterscene.lab import runs as runs_module
from afterscene.lab.arms import ARMS
from afterscene.lab.baselines import harvest
from afterscene.lab.comparison import Outcome, Sources, Work, compare_arms, held_back
from afterscene.lab.protocol_report import compare_and_report, protocol_verdict
from afterscene.lab.protocols import PROTOCOLS, Protocol
from afterscene.lab.settings import settings
from afterscene.lab.synthesis import CopyPaste, expected_mix
from tests.detectors.toys import TINY, toy_pair
from tests.lab.places import PerfectGenerator, write_pair
from toys import box_wkt

WIND, FIRE = "hurricane-michael", "santa-rosa-wildfire"
SMALL = {"detector": replace(TINY, steps=4, crop=64), "synthetic": 2, "replicates": 20}
TOY = replace(PROTOCOLS["leave-one-out"], events=(FIRE,), seeds=(0, 1), **SMALL)
RARE = replace(PROTOCOLS["rare-levels"], seeds=(0, 1), **SMALL)


@pytest.fixture(scope="module")
def xbd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("protocols")
    names: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for seed in range(9):
        event = (WIND, FIRE)[seed % 2]
        stem = f"{event}_{seed:08d}"
        write_pair(root, stem, seed)
        names["val" if seed < 2 else "test" if seed < 4 else "train"].append(stem)
    (root / "splits.json").write_text(json.dumps(names))
    return root


@pytest.fixture
def generator(tmp_path: Path) -> Path:
    return said(tmp_path / "generator", [f"{WIND}_00000004"])


def said(folder: Path, tiles: list[str] | None) -> Path:
    """A model folder that says which tiles it has seen; the weights do not matter here."""
    about = {"kind": "bridge", "tiles": tiles}
    save_weights(folder, {"w": torch.zeros(1)}, about, dtype=torch.float32)
    return folder


def run(protocol: Protocol, xbd: Path, generator: Path, out: Path, **work: object) -> Outcome:
    sources = Sources(
        xbd=xbd, generators={"": generator}, load_generator=lambda _: PerfectGenerator()
    )
    return compare_and_report(protocol, sources, out, Work(**work))  # type: ignore[arg-type]


def test_a_held_out_event_is_held_out(xbd: Path) -> None:
    for one in settings(TOY, XbdTree(xbd)):
        assert not any(FIRE in i for i in (*one.real, *one.val))
        assert one.test and all(FIRE in i for i in one.test)
        assert not {*one.real} & {*one.val}
        assert one.hazards == {"wildfire": 1.0}


def test_labelled_pairs_grow_and_the_test_tiles_stay(xbd: Path) -> None:
    protocol = replace(TOY, pairs=(0, 1, 2))
    none, one, two = settings(protocol, XbdTree(xbd))
    assert none.own == () and two.own[:1] == one.own and len(two.own) == 2
    assert none.test == one.test == two.test and not {*two.own} & {*two.test}
    assert {*two.real} == {*none.real, *two.own}
    with pytest.raises(BadParameter, match="label fewer"):
        settings(replace(protocol, pairs=(0, 4)), XbdTree(xbd))


def test_a_split_is_tested_alone_and_the_region_gives_pre_images(xbd: Path) -> None:
    protocol = replace(TOY, pairs=(0, 1), test=("test",), region=1)
    tree = XbdTree(xbd)
    none, one = settings(protocol, tree)
    assert {*none.test} == {p.id for p in tree.pairs("test") if p.event == FIRE}
    assert len(none.region) == 1 and none.region == one.region == one.own
    train = {p.id for p in tree.pairs("train")}
    assert {*none.region} <= train and not {*none.region} & {*none.real}


def test_levels_with_few_buildings_are_not_judged(xbd: Path) -> None:
    """A toy tile has 7 undamaged houses and 6 of each other level."""
    (one,) = settings(replace(TOY, tiles=2, judged=13), XbdTree(xbd))
    assert one.levels == (1,)
    (all_,) = settings(replace(TOY, tiles=2, judged=12), XbdTree(xbd))
    assert all_.levels == (1, 2, 3, 4)


def test_held_synthetic_pairs_calibrate_and_do_not_train() -> None:
    real, made = [toy_pair(1)], [toy_pair(i, synthetic=True) for i in (2, 3, 4, 5)]
    kept, held = held_back([*real, *made], 2)
    assert held == [made[1], made[3]] and kept == [real[0], made[0], made[2]]
    assert held_back(kept, 0) == (kept, [])


def test_synthetic_pairs_keep_the_mix_of_their_hazard() -> None:
    pair = toy_pair(2, synthetic=True)
    levels = [DamageLevel.DESTROYED, *[DamageLevel.NO_DAMAGE] * 8]
    houses = (replace(b, level=level) for b, level in zip(pair.buildings, levels, strict=True))
    made = [replace(pair, buildings=tuple(houses))]
    config = replace(TINY, background_share=0.0, batch=64, crop=64)
    levels, natural = (
        DetectorCrops(made, replace(config, synthetic_natural=flag), seed=0)
        for flag in (False, True)
    )
    assert levels.synthetic.chances.tolist() == [0.5, 0, 0, 0.5, 0]
    assert natural.synthetic.chances == pytest.approx([8 / 9, 0, 0, 1 / 9, 0])


def test_the_expected_mix_is_that_of_the_hazard_and_not_of_the_labels(xbd: Path) -> None:
    protocol = replace(TOY, pairs=(0,), test=("test",), region=1)
    tree = XbdTree(xbd)
    (one,) = settings(protocol, tree)
    pairs = {p.id: p for p in tree.pairs()}
    calm = expected_mix(replace(protocol, severity=(0.0, 0.01)), one, pairs)
    worst = expected_mix(replace(protocol, severity=(0.99, 1.0)), one, pairs)
    assert sum(calm) == pytest.approx(1) and calm[0] > 0.9 and worst[3] > calm[3]


def test_arms_train_further_from_a_shared_base(
    xbd: Path, generator: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    real_fit = runs_module.fit

    def counted(config, pairs, **more):  # type: ignore[no-untyped-def]
        started.append(more["start"])
        return real_fit(config, pairs, **more)

    monkeypatch.setattr(runs_module, "fit", counted)
    protocol = replace(TOY, base_steps=3, seeds=(0,), arms=("real", "gbd"))
    results = run(protocol, xbd, generator, tmp_path / "out").results
    assert results.whole and [p.name for p in (tmp_path / "out/bases").iterdir()] == [
        f"{FIRE}-seed0"
    ]
    assert started[0] is None  # the base itself
    first, second = (start.network.state_dict() for start in started[1:])
    assert all(torch.equal(first[name], second[name]) for name in first)
    log = tmp_path / "out/bases" / f"{FIRE}-seed0/log.jsonl"
    assert len(log.read_text().splitlines()) == 3
    with pytest.raises(OutputConflict, match="base_steps"):
        run(replace(protocol, base_steps=2), xbd, generator, tmp_path / "out")


def test_rare_levels_keeps_the_splits(xbd: Path) -> None:
    (one,) = settings(RARE, XbdTree(xbd))
    tree = XbdTree(xbd)
    assert {*one.test} == {p.id for p in tree.pairs("test")}
    assert {*one.real} == {p.id for p in tree.pairs("train")}
    assert sum(one.hazards.values()) == pytest.approx(1) and len(one.hazards) == 2


@pytest.mark.parametrize(
    ("tiles", "words"),
    [
        ([f"{FIRE}_00000005"], "has seen santa-rosa-wildfire_00000005"),
        ([f"{WIND}_00000000"], "has seen hurricane-michael_00000000"),
        (None, "does not say"),
    ],
)
def test_a_generator_that_saw_too_much_is_refused(
    xbd: Path, tmp_path: Path, tiles: list[str] | None, words: str
) -> None:
    folder = said(tmp_path / "g", tiles)
    with pytest.raises(LeakFound, match=words):
        run(TOY, xbd, folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_shipped_generator_says_what_it_saw_and_is_refused_where_that_is_tested(
    shared_data: Path,
) -> None:
    tree, folder = XbdTree(shared_data / "xbd"), shipped.find("default", "bridge")
    config = load_weights(folder)[1]
    assert len(config["tiles"]) == sum(
        map(len, config["styles"].values())
    )  # a style from each pair
    (rare,) = settings(RARE, tree)
    held = {*rare.test, *rare.val}
    rare.check_generator(folder, [tile for tile in config["tiles"] if tile not in held])
    if held.intersection(config["tiles"]):
        with pytest.raises(LeakFound, match="has seen"):
            rare.check_generator(folder, config["tiles"])
    (new,) = settings(TOY, tree)
    with pytest.raises(LeakFound, match=f"has seen {FIRE}"):
        new.check_generator(folder, [tile for tile in config["tiles"] if tile not in held])


def test_no_generator_is_asked_for_where_no_arm_needs_one(xbd: Path, tmp_path: Path) -> None:
    plain = replace(TOY, arms=("real", "augmented"), seeds=(0,))
    results = compare_arms(plain, Sources(xbd=xbd), tmp_path / "a").results
    assert results.whole and results.settings[0].best is None
    assert all(arm.gain is None for arm in results.settings[0].arms)
    with pytest.raises(MissingFile, match=f"--model {FIRE}=FOLDER"):
        compare_arms(TOY, Sources(xbd=xbd), tmp_path / "b")
    with pytest.raises(UnknownName, match="magic"):
        compare_arms(replace(TOY, arms=("magic",)), Sources(xbd=xbd), tmp_path / "c")


def test_a_planted_leak_stops_before_anything_is_trained(xbd: Path, tmp_path: Path) -> None:
    """A test tile under another event's name among the training sources."""
    tree = tmp_path / "planted"
    for seed in range(9):
        write_pair(tree, f"{(WIND, FIRE)[seed % 2]}_{seed:08d}", seed)
    write_pair(tree, f"{WIND}_00000099", 5)  # the picture of a fire tile
    folder = said(tmp_path / "g", [])
    with pytest.raises(LeakFound, match=f"{WIND}_00000099"):
        run(TOY, tree, folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stopped_protocol_goes_on_and_says_what_it_measured(
    xbd: Path, generator: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, trained = tmp_path / "out", []
    real_fit = runs_module.fit

    def counted(config, pairs, **more):  # type: ignore[no-untyped-def]
        natural = config.synthetic_natural
        trained.append((config.order, config.blur, natural, sum(p.synthetic for p in pairs)))
        return real_fit(config, pairs, **more)

    monkeypatch.setattr(runs_module, "fit", counted)
    found = run(TOY, xbd, generator, out, limit=4).results
    assert len(trained) == 4 and not found.whole and found.settings == ()
    assert protocol_verdict(found) == ("No seed is finished yet.",)
    found = run(TOY, xbd, generator, out, limit=2).results
    assert len(trained) == 6 and found.settings[0].seeds == (0,)
    found = run(TOY, xbd, generator, out).results
    assert len(trained) == 12 and found.whole
    assert trained[2] == trained[4] == ("mixed", 0.0, True, 2)
    assert trained[5] == ("synthetic-first", 0.0, True, 2)
    assert trained[3][1] > 0 and trained[0][2:] == (False, 0)
    assert run(TOY, xbd, generator, out).trained == 0 and len(trained) == 12
    (setting,) = found.settings
    assert tuple(arm.name for arm in setting.arms) == TOY.arms and setting.seeds == (0, 1)
    arms = {arm.name: arm for arm in setting.arms}
    best = arms[setting.best]
    assert not ARMS[best.name].generative
    assert best.score.mean == max(a.score.mean for a in setting.arms if a.gain is None)
    assert arms["gbd"].gain.mean == pytest.approx(arms["gbd"].score.mean - best.score.mean)
    folder = out / "runs" / FIRE / "gbd-seed0"
    assert {p.name for p in folder.iterdir()} >= {"done.json", "config.json", "log.jsonl"}
    assert not list(out.rglob("model.safetensors"))
    page, told = (out / "report.html").read_text(), (out / "figures.md").read_text()
    for text in (page, told):
        assert f"{arms['gbd'].score.mean:.3f}" in text and "xView2 scores" in text
    assert "F1 of the rare levels" in page
    assert "data:image/jpeg;base64," in page and "The arms differ on" in page


def test_curves_go_over_the_number_of_pairs(xbd: Path, generator: Path, tmp_path: Path) -> None:
    protocol = replace(TOY, pairs=(0, 2), arms=("oversampled", "gbd"), seeds=(0,))
    found = run(protocol, xbd, generator, tmp_path / "out").results.settings
    assert [one.pairs_own for one in found] == [0, 2]
    made = [one.arms[1].synthetic for one in found]
    assert made == [2, 4]  # each own pair gives one more
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 3 and f"score on {FIRE} by number of its real pairs" in page


def test_labelled_and_region_pairs_are_of_the_split_train(xbd: Path) -> None:
    """Whatever is drawn: pairs of ``val`` and ``test`` are neither labelled nor known."""
    tree = XbdTree(xbd)
    train = {p.id for p in tree.pairs("train")}
    for draw in range(12):
        protocol = replace(TOY, pairs=(1,), test=("test",), region=1, draw=draw)
        (one,) = settings(protocol, tree)
        assert len(one.own) == len(one.region) == 1
        assert {*one.own, *one.region} <= train


def test_a_tile_beside_a_labelled_one_is_not_tested(xbd: Path, tmp_path: Path) -> None:
    tree, protocol = Path(shutil.copytree(xbd, tmp_path / "xbd")), replace(TOY, pairs=(1,))
    (before,) = settings(protocol, XbdTree(tree))
    for stem, north in ((before.own[0], 50.0), (before.test[0], 50.008)):  # 0.9 km
        at = box_wkt(10, north, 10.0001, north + 0.0001)
        for path in tree.glob(f"labels/{stem}_*.json"):
            label = json.loads(path.read_text())
            label["features"]["lng_lat"] = [{**e, "wkt": at} for e in label["features"]["xy"]]
            path.write_text(json.dumps(label))
    (after,) = settings(protocol, XbdTree(tree))
    assert after.own == before.own
    assert after.test == before.test[1:]


def test_synthetic_pairs_of_every_arm_keep_their_mix_of_levels() -> None:
    for name, arm in ARMS.items():
        config = arm.configure(TOY.detector, [toy_pair(1)])
        assert config.synthetic_natural == bool(arm.synthetic), name


def test_the_first_arm_draws_buildings_as_they_occur() -> None:
    pairs = [toy_pair(i) for i in range(3)]  # nine houses each: 3 undamaged, 2 of each other level
    config = ARMS["real"].configure(TOY.detector, pairs)
    low, *rest = config.level_weights
    assert low == 9 and rest == [6, 6, 6]
    assert ARMS["oversampled"].configure(TOY.detector, pairs) == TOY.detector


def test_synthetic_first_shows_synthetic_crops_first() -> None:
    real, made = [toy_pair(1)], [toy_pair(2, synthetic=True)]
    config = replace(TINY, steps=10, order="synthetic-first", synthetic_share=0.4)
    whole = DetectorCrops([*real, *made], config, seed=0)
    for step in range(10):
        alone = DetectorCrops(made if step < 4 else real, config, seed=0)
        assert torch.equal(whole.batch(step).pre, alone.batch(step).pre), step


def test_blur_and_grain_change_pictures_and_never_targets() -> None:
    plain = DetectorCrops([toy_pair(1)], replace(TINY, background_share=1.0), seed=0)
    rough = DetectorCrops(
        [toy_pair(1)], replace(TINY, background_share=1.0, blur=1.5, grain=0.05), seed=0
    )
    a, b = plain.batch(0), rough.batch(0)
    assert torch.equal(a.target, b.target) and not torch.equal(a.pre, b.pre)


def test_pasted_ruins_come_from_the_given_pairs_alone(xbd: Path) -> None:
    """A toy ruin has its level's colour: destroyed is dark in the post image."""
    tree = XbdTree(xbd)
    donors = harvest(read_pair(p) for p in tree.pairs() if p.event == WIND).donors
    renderer = CopyPaste(donors)
    assert renderer.hash == CopyPaste(tuple(reversed(donors))).hash
    assert renderer.hash != CopyPaste(donors[1:]).hash
    assert {d.hazard for d in donors} == {"wind"}
    assert np.mean([d.pixels.mean() for d in donors if d.level == 4]) < np.mean(
        [d.pixels.mean() for d in donors if d.level == 2]
    )
