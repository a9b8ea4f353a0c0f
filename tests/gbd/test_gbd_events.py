"""Tiles of one event agree, the plan file keeps the event, and the mix of levels can be steered."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import toys
from afterscene import gbd
from afterscene.errors import BadParameter
from afterscene.gbd.events import MOST, tile_groups
from afterscene.gbd.pair import make_post
from afterscene.gbd.sources import read_source
from afterscene.gbd.steering import parse_mix
from afterscene.geodata.damage import LEVELS

PIXEL = 5e-6  # degrees of latitude: a toy tile of 64 pixels is 36 m wide
EAST = PIXEL / np.cos(np.radians(50))


def place(tree, stem, column, row, lat=50.0):
    """Tile (column, row) of a grid of tiles that touch."""
    path = tree / "labels" / f"{stem}_pre_disaster.json"
    label = json.loads(path.read_text())
    lng, north = 10.0 + column * 64 * EAST, lat - row * 64 * PIXEL
    label["features"]["lng_lat"] = [
        {
            **entry,
            "wkt": toys.box_wkt(
                *(lng + a * EAST, north - b * PIXEL, lng + c * EAST, north - d * PIXEL)
            ),
        }
        for entry, (a, b, c, d) in zip(label["features"]["xy"], toys.BOXES, strict=True)
    ]
    path.write_text(json.dumps(label))


@pytest.fixture
def tree(tmp_path):
    """2 x 2 tiles that touch, two far away that touch, one without a place."""
    tree = toys.toy_tree(tmp_path / "xbd", count=7)
    for k in range(4):
        place(tree, f"toy-town_{k:08d}", k % 2, k // 2)
    for k in (4, 5):
        place(tree, f"toy-town_{k:08d}", k - 4, 0, lat=52.0)
    return tree


def make(tree, tmp_path, name="plan.jsonl", **changes):
    asked = {"hazards": ("earthquake",), "count": 7, "seed": 3, "events": True}
    asked = {"severity": (1.0, 1.0)} | asked | changes
    return toys.plan_file(tmp_path / name, tree, shard_size=2, **asked)


def items(written):
    return list(written.plan.items)


def test_tiles_are_grouped_by_place_within_the_reach(tree):
    found = tile_groups(gbd.find_sources(tree), 1.0)
    assert sorted(len(group.tiles) for group in found) == [1, 2, 4]
    assert next(g for g in found if g.tiles[0][1] is None).tiles[0][0].id == "toy-town_00000006"
    square = next(g for g in found if len(g.tiles) == 4)
    sites = [site for _, site in square.tiles]
    side = 64 * sites[0].gsd
    corners = sorted((round(s.x / side, 1), round(s.y / side, 1)) for s in sites)
    assert corners == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert len(tile_groups(gbd.find_sources(tree), 0.03)) == 7
    many = [replace(s, id=f"x_{k}") for k in range(MOST) for s in gbd.find_sources(tree)]
    assert max(len(g.tiles) for g in tile_groups(many, 1e5)) <= MOST


def test_an_event_shares_seed_fields_and_severity_and_stands_in_the_plan_file(tree, tmp_path):
    planned = make(tree, tmp_path)
    found = items(planned)
    events = {}
    for item in found:
        events.setdefault(item.occurrence.name, []).append(item)
    assert planned.events == len(events) == 3
    for tiles in events.values():
        shared = {(i.occurrence.seed, i.severity, tuple(i.parameters.items())) for i in tiles}
        assert len(shared) == 1
        assert len({item.seed for item in tiles}) == len(tiles), "pictures have seeds of their own"
    magnitudes = {tiles[0].parameters["magnitude"] for tiles in events.values()}
    assert len(magnitudes) == 3, "each event draws its own"


@pytest.mark.parametrize("hazard", ["earthquake", "flood", "wind"])
def test_neighbours_agree_at_their_border_through_plan_and_build(tree, tmp_path, hazard):
    fields = {}
    for item in items(make(tree, tmp_path, hazards=(hazard,))):
        post = make_post(item, *read_source(item.source), gbd.Rendering(), toys.ToyGenerator())
        if (
            len(item.occurrence.name)
            and item.site
            and item.site.width > 60
            and item.site.height > 60
        ):
            fields[item.source.id[-1]] = post.damage.intensity
    left, right, below = fields["0"], fields["1"], fields["2"]
    size = max(float(np.abs(left).mean()), 1e-6)
    assert float(np.median(np.abs(left[:, -1] - right[:, 0]))) / size < 0.1
    assert float(np.median(np.abs(left[-1] - below[0]))) / size < 0.1


def test_a_tile_of_an_event_is_made_alike_alone_and_in_the_build(tree, tmp_path):
    planned = make(tree, tmp_path)
    made = {"rendering": gbd.Rendering()}
    report = gbd.build(planned.plan, tmp_path / "all", toys.ToyGenerator(), **made)
    row = report.rows[3]
    tile = gbd.read_plan(tmp_path / "plan.jsonl", only=row["id"])
    one = gbd.build(tile, tmp_path / "one", toys.ToyGenerator(), **made)
    assert one.rows == (row,)
    assert row["occurrence"]["seed"] in {i.occurrence.seed for i in items(planned)}


def test_hazards_keep_their_share_though_events_differ_in_size(tree, tmp_path):
    planned = make(tree, tmp_path, hazards=("wind", "flood", "tornado"), count=60)
    assert max(planned.hazards.values()) - min(planned.hazards.values()) <= MOST
    assert set(planned.hazards) == {"wind", "flood", "tornado"}


def test_the_first_items_do_not_depend_on_the_count_with_events_and_a_mix(tree, tmp_path):
    mix = parse_mix("no-damage=1,destroyed=1")
    few = items(make(tree, tmp_path, "a.jsonl", count=5, mix=mix, severity=(0.3, 1.0)))
    more = items(make(tree, tmp_path, "b.jsonl", count=12, mix=mix, severity=(0.3, 1.0)))
    assert more[:5] == few


@pytest.mark.parametrize("events", [True, False])
def test_a_wished_mix_is_approached_and_the_plan_says_how_near(tree, tmp_path, events):
    wish = parse_mix("no-damage=0.25,minor=0.25,major=0.25,destroyed=0.25")
    ask = {"count": 14, "severity": (0.3, 1.0), "hazards": ("wind", "earthquake"), "events": events}
    plain = items(make(tree, tmp_path, "plain.jsonl", **ask))
    steered = make(tree, tmp_path, "steered.jsonl", mix=wish, **ask)

    def shares(of):
        levels = Counter()
        for item in of:
            post = make_post(item, *read_source(item.source), gbd.Rendering(), toys.ToyGenerator())
            levels.update(b.level for b in post.damage.buildings)
        return levels, np.array([levels[level] for level in LEVELS]) / sum(levels.values())

    levels, near = shares(items(steered))
    assert steered.levels == {
        level.word: n for level, n in sorted(levels.items(), key=lambda pair: pair[0].word)
    }
    far = shares(plain)[1]
    assert np.abs(near - 0.25).sum() < 0.75 * np.abs(far - 0.25).sum()


@pytest.mark.parametrize(
    "text", ["", "minor", "minor=x", "lost=1", "minor=-1", "minor=0", "minor=nan"]
)
def test_a_mix_that_makes_no_sense_is_named(text):
    with pytest.raises(BadParameter, match="mix"):
        parse_mix(text)


def test_a_mix_is_shares_of_one():
    mix = parse_mix("no-damage=2, minor=1, major-damage=1")
    assert [mix[level] for level in LEVELS] == [0.5, 0.25, 0.25, 0]


@pytest.mark.parametrize(
    "change",
    [{"name": "a\nb"}, {"seed": "x"}, {"site": {"x": 1}}, {"site": {"gsd": -1}}, {"name": 3}],
)
def test_a_plan_whose_event_is_damaged_is_refused(tree, tmp_path, change):
    make(tree, tmp_path)
    head, *shards = (tmp_path / "plan.jsonl").read_text().splitlines()
    rows = json.loads(shards[0])
    site = rows[0]["occurrence"]["site"] or {}
    if isinstance(change.get("site"), dict) and "gsd" in change["site"]:
        change = {"site": {**dict.fromkeys(("x", "y", "height", "width"), 1.0), **site, "gsd": -1}}
    rows[0]["occurrence"] |= change
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join([head, json.dumps(rows), *shards[1:]]))
    with pytest.raises(BadParameter, match="line 2 is damaged"):
        list(gbd.read_plan(path).items)
