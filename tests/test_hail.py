"""A hazard is one thing: hail stands in one file of another package and works in every room."""

import ast
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from afterscene import shipped
from afterscene.conditioning import class_of
from afterscene.depiction import Depiction
from afterscene.errors import BadParameter
from afterscene.gbd.captions import captions, facts_of
from afterscene.generators import load
from afterscene.generators.bridge import BridgeConfig
from afterscene.generators.frame import depict, prepare_frame
from afterscene.generators.tiles import load_tiles, unlabelled_pairs
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.scene import read_scene
from afterscene.geodata.xbd import XbdTree, read_label
from afterscene.hazards import HAZARDS, hazard_of, make_hazard
from afterscene.recipes import layout
from afterscene.recipes.generator import initial
from afterscene.recipes.overrides import override
from tests import hail
from tests.generators import toy

SOURCE = Path(__file__).resolve().parents[1] / "src" / "afterscene"


@pytest.fixture(autouse=True)
def _hail(tmp_path, monkeypatch):
    hail.install(tmp_path / "site", monkeypatch)


def test_it_is_registered_and_listed(afterscene):
    assert list(HAZARDS)[-1] == "hail" and len(HAZARDS) > 7
    damage = make_hazard("hail", 1.0, largest=150.0)
    assert damage.largest == 150.0
    (entry,) = (e for e in afterscene("hazards", "list", "--json").json if e["name"] == "hail")
    assert entry["summary"] == "Hail: stones in mm, one size everywhere."
    assert [f["name"] for f in entry["parameters"]] == ["severity", "largest"]
    assert "hail: Hail: stones" in afterscene("hazards", "list").stdout


def test_regions_weigh_it_by_its_prior(afterscene, tmp_path):
    towns = [("lima", -77.03, -12.04), *((f"plains {k}", -100.0 + k, 36.0) for k in range(15))]
    features = [
        {
            "type": "Feature",
            "properties": {"name": name, "population": 5000},
            "geometry": {"type": "Point", "coordinates": [lng, lat]},
        }
        for name, lng, lat in towns
    ]
    places = tmp_path / "places.geojson"
    places.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    flags = ["--hazard", "all", "--count", 16, "--places", places, "--out", tmp_path / "out"]
    outcome = afterscene("regions", *flags, "--json")
    assert outcome.code == 0, outcome.stderr
    assert "hail" in {row["hazard"] for row in outcome.json["regions"]}
    flags = ["--hazard", "hail", "--count", 1, "--places", places, "--out", tmp_path / "hail"]
    (row,) = afterscene("regions", *flags, "--json").json["regions"]
    assert row["basis"] == "prior (this test); people / 4"
    assert row["likelihood"] == (0.1 if row["name"] == "lima" else 1.0)


def test_events_are_planned_with_its_law(afterscene, tree, tmp_path):
    out = tmp_path / "plan.jsonl"
    flags = ["--xbd", tree, "--hazard", "all", "--count", 16, "--events", "--out", out]
    outcome = afterscene("gbd", "plan", *flags, "--json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.json["hazards"]["hail"] >= 1
    built = afterscene("gbd", "build", "--plan", out, "--out", tmp_path / "out", "--json")
    assert built.code == 0, built.stderr
    rows = [row for row in built.json["pairs"] if row["hazard"] == "hail"]
    assert rows and all(60 <= row["parameters"]["largest"] <= 160 for row in rows)
    assert afterscene("gbd", "verify", tmp_path / "out").code == 0


def test_captions_say_its_noun(tree):
    pair = XbdTree(tree).pairs()[0]
    buildings = read_label(pair.pre_label).buildings
    rng = np.random.default_rng(0)
    damage = make_hazard("hail", 1.0)(read_scene(pair.pre), buildings, rng)
    said = captions(facts_of(damage.hazard, damage.buildings, damage.intensity.shape), 1)
    assert any("damaged by a hailstorm" in words for words in said)


def test_real_pairs_of_its_events_teach_it(tmp_path):
    for part in ("pre", "post"):
        noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
        Image.fromarray(noise).save(tmp_path / f"munich-hail_00000003_{part}_disaster.png")
    ((_, tile),) = load_tiles(unlabelled_pairs(tmp_path))
    assert tile.hazard == hazard_of("munich-hail") == "hail"
    known = BridgeConfig().hazards
    assert class_of("hail", known) == known.index("hail") >= 7
    assert class_of("hail", load("default").model.config.hazards) == -1


def test_a_training_that_starts_from_weights_keeps_their_order():
    folder = shipped.find("layout", "layout")
    with pytest.raises(BadParameter, match=r"--set model\.hazards=earthquake,wind,.*") as told:
        initial(folder, layout.default())
    assert "hail" in layout.default().model.hazards and "hail" not in str(told.value)
    kept = override(layout.default(), [str(told.value).rpartition("--set ")[2]])
    assert class_of("hail", kept.model.hazards) == -1
    assert initial(folder, kept)


def test_an_aftermath_of_it_is_made(afterscene, tree, tmp_path):
    (image, *_), (label, *_) = (sorted((tree / n).iterdir()) for n in ("images", "labels"))
    flags = ["--labels", label, "--hazard", "hail", "--set", "largest=150", "--seed", 3]
    outcome = afterscene("synthesize", image, *flags, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.stderr
    (written,) = (tmp_path / "out").rglob("*_post_disaster.json")
    told = read_label(written)
    assert told.metadata["disaster_type"] == "hail"
    assert max(b.level for b in told.buildings) > DamageLevel.NO_DAMAGE


def test_a_network_that_does_not_know_it_refines_what_it_paints():
    pre = toy.scene(96, 96)
    struck = toy.damage(toy.building(28, 28, DamageLevel.MAJOR, 40), shape=(96, 96))
    struck = replace(struck, hazard="hail", unit="mm")
    post = toy.generator(entry=0.02).render(pre, struck, seed=3).rgb()
    painted = hail.dent(pre.rgb(), struck, 3)
    assert np.array_equal(post[:8], pre.rgb()[:8])
    apart = [np.abs(post - one.astype(float))[28:68, 28:68].mean() for one in (painted, pre.rgb())]
    assert apart[0] < apart[1]


@pytest.mark.parametrize("own", [True, False])
def test_what_it_is_drawn_as_is_said(own, monkeypatch):
    """With no depiction of its own it is the network's alone, and the network is told no hazard."""
    if not own:
        monkeypatch.setattr(hail.Hail, "depiction", Depiction())
    pre, generator = toy.scene(96, 96), toy.generator()
    struck = toy.damage(toy.building(28, 28, DamageLevel.MAJOR, 40), shape=(96, 96))
    struck = replace(struck, hazard="hail", unit="mm")
    assert generator.drawn_as("hail") == ("wind" if own else "not said")
    frame = depict(prepare_frame(pre, struck, mode="edit", seed=3, config=generator.config))
    assert (frame.sketch is not None) == own
    changed = (generator.render(pre, struck, seed=3).pixels != pre.pixels).any(0)
    assert changed[28:68, 28:68].any() and not changed[:8].any()


@pytest.mark.parametrize("name", ["flood", "hail"])
def test_two_of_one_name_are_refused(tmp_path, monkeypatch, name):
    hail.install(tmp_path / "another", monkeypatch, package="another", name=name)
    with pytest.raises(BadParameter, match=f"two .* are named '{name}'"):
        list(HAZARDS)


#: Rooms that may write a hazard's name: what is known of a hazard, and how it is painted.
HOMES = ("hazards", "depiction")
#: What strikes with certain hazards, as a user does: the tutorials, the prompts of the course.
USERS = ("school/tutorials", "lab/prompts.py")


def named(path: Path) -> set[str]:
    """Names of hazards that are strings in a module."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    strings = {n.value for n in nodes if isinstance(n, ast.Constant)}
    return strings & {*HAZARDS}


def test_no_other_room_knows_a_hazard_by_its_name():
    assert "flood" in named(SOURCE / "hazards" / "flood.py")
    paths = [(path.relative_to(SOURCE), path) for path in SOURCE.rglob("*.py")]
    found = {
        str(short): named(path)
        for short, path in paths
        if short.parts[0] not in HOMES and not any(short.is_relative_to(path) for path in USERS)
    }
    assert not {short: names for short, names in found.items() if names}
