"""No damage on pixels that do not exist: from the picture to label, target and detector."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from tests.detectors.toys import TINY, toy_pair

import toys
from afterscene import gbd
from afterscene.detectors import fit
from afterscene.detectors.crops import DetectorCrops
from afterscene.gbd.imagery import cut_tiles, pictures_in
from afterscene.geodata.damage import Building, DamageLevel, rasterize
from afterscene.geodata.masks import read_mask
from afterscene.geodata.pair import read_pair, read_pairs
from afterscene.geodata.scene import Scene, read_scene, write_scene
from afterscene.geodata.seen import seen_shares, unseen_unclassified
from afterscene.geodata.xbd import XbdTree, read_label
from pictures import outlines, scene_of, town
from published import MAKERS

SIDE = 160
#: Two houses on the left, two on the right, one across the edge of the data at 80, three quarters
#: of it on the right.
BOXES = (
    (8, 8, 28, 28),
    (20, 90, 44, 110),
    (110, 10, 130, 30),
    (120, 100, 150, 130),
    (74, 50, 97, 70),
)
SEEN = np.tile(np.arange(SIDE) >= 80, (SIDE, 1))
UNSEEN = {"b0", "b1"}


def ground() -> np.ndarray:
    """(3, H, W): nothing black in it."""
    pixels = np.random.default_rng(0).integers(60, 120, (3, SIDE, SIDE), np.uint8)
    for left, top, right, bottom in BOXES:
        pixels[:, top : bottom + 1, left : right + 1] = 200
    return pixels


def half_tif(path: Path, how: str) -> Path:
    """The left half of a GeoTIFF holds no data, in one of the ways to say so."""
    pixels = np.where(SEEN, ground(), 0).astype(np.uint8)
    profile: dict = {"nodata": 0} if how == "declared" else {}
    if how == "alpha":
        pixels = np.concatenate([pixels, 255 * SEEN[None]]).astype(np.uint8)
        profile = {"photometric": "rgb", "alpha": "yes"}
    if how == "int16":
        pixels = np.where(SEEN, ground().astype(np.int16) * 10, -9999).astype(np.int16)
    if how == "nan":
        pixels = np.where(SEEN, ground().astype(np.float32), np.nan).astype(np.float32)
    size = {"count": len(pixels), "height": SIDE, "width": SIDE, "dtype": pixels.dtype.name}
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver="GTiff", **size, **profile) as target:
            target.write(pixels)
            if how == "mask":
                target.write_mask(SEEN)
    return path


def half_png(path: Path, how: str) -> Path:
    """The same as a PNG: alpha, or black padding that nothing tells of."""
    pixels = np.where(SEEN, ground(), 0).astype(np.uint8)
    if how == "alpha":
        pixels = np.concatenate([pixels, 255 * SEEN[None]]).astype(np.uint8)
    Image.fromarray(np.moveaxis(pixels, 0, 2)).save(path)
    return path


def xbd(folder: Path, how: str, suffix: str = ".tif") -> Path:
    """An xBD tree of one such pre image."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    stem = "toy-town_00000001_pre_disaster"
    (half_tif if suffix == ".tif" else half_png)(folder / "images" / f"{stem}{suffix}", how)
    text = toys.label_text([toys.box_wkt(*b) for b in BOXES], stem, side=SIDE)
    (folder / "labels" / f"{stem}.json").write_text(text)
    return folder


WAYS = [
    *((way, ".tif") for way in ("declared", "alpha", "mask", "int16", "nan", "black")),
    ("black", ".png"),
]


@pytest.mark.parametrize(("how", "suffix"), WAYS)
def test_what_is_built_has_no_level_where_there_is_no_data(
    afterscene, tmp_path: Path, how: str, suffix: str
) -> None:
    folder, out = xbd(tmp_path / "xbd", how, suffix), tmp_path / "out"
    flags = ("--hazard", "wind", "--severity", 1, "--count", 6, "--quiet", "--out", out)
    built = afterscene("gbd", "build", "--xbd", folder, *flags)
    assert built.code == 0, built.stderr
    assert afterscene("gbd", "verify", out).code == 0
    rows = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    damaged = 0
    for row in rows:
        label = read_label(out / "labels" / f"{row['id']}_post_disaster.json")
        words = {b.uid: b.level for b in label.buildings}
        assert {u for u, v in words.items() if v == DamageLevel.UNCLASSIFIED} == UNSEEN
        assert row["levels"]["un-classified"] == 2 and sum(row["levels"].values()) == 5
        for when in ("pre", "post"):
            target = read_mask(out / "targets" / f"{row['id']}_{when}_disaster_target.png")
            assert (target[:, :80] == 255).all()
            # A fringe beside black padding counts as padding.
            assert set(np.unique(target[:, 83:])) <= {0, 1, 2, 3, 4}
        damaged += sum(v in (2, 3, 4) for v in words.values())
    assert damaged > 6, "the houses that are there are damaged"


def test_a_synthesized_geotiff_keeps_its_nodata(afterscene, tmp_path: Path) -> None:
    folder = xbd(tmp_path / "xbd", "declared")
    (pre,) = (folder / "images").iterdir()
    (label,) = (folder / "labels").iterdir()
    flags = ("--hazard", "wind", "--severity", 1, "--out", tmp_path / "out", "--quiet")
    made = afterscene("synthesize", pre, "--labels", label, *flags)
    assert made.code == 0, made.stderr
    for suffix in (".tif", ".png"):
        post = read_scene(tmp_path / "out" / f"toy-town_00000001_post_disaster{suffix}")
        np.testing.assert_array_equal(post.valid, SEEN)
        assert not post.rgb()[:, :80].any()
    assert afterscene("gbd", "verify", tmp_path / "out").code == 0


def test_verify_names_a_level_on_pixels_without_data(afterscene, tmp_path: Path) -> None:
    """As sets hold them that were made before: mark and hashes fit, and yet."""
    out = tmp_path / "out"
    flags = ("--hazard", "wind", "--severity", 1, "--count", 1, "--quiet", "--out", out)
    assert afterscene("gbd", "build", "--xbd", xbd(tmp_path / "xbd", "mask"), *flags).code == 0
    path = out / "labels" / "toy-town-wind_00000000_post_disaster.json"
    whole = path.read_text()
    path.write_text(whole.replace("un-classified", "destroyed"))
    outcome = afterscene("gbd", "verify", out)
    assert outcome.code == 1
    assert "faulty" in outcome.stdout and "2 buildings with a level" in outcome.stdout
    path.write_text(whole)
    target = out / "targets" / "toy-town-wind_00000000_post_disaster_target.png"
    levels = rasterize(
        [replace(b, level=DamageLevel.MAJOR) for b in read_label(path).buildings], SEEN.shape
    )
    from afterscene.files import pixel_hash
    from afterscene.gbd.pair import MARK

    write_scene(Scene(pixels=levels[None], valid=np.ones_like(SEEN)), target, tags={MARK: "true"})
    (row,) = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    (out / "manifest.jsonl").write_text(json.dumps({**row, "target_sha256": pixel_hash(levels)}))
    outcome = afterscene("gbd", "verify", out)
    assert outcome.code == 1 and "has a level on" in outcome.stdout


def test_the_share_that_decides() -> None:
    seen = np.zeros((40, 40), bool)
    seen[:, 20:] = True
    boxes = [(0, 0, 9, 9), (15, 0, 24, 9), (14, 12, 23, 21), (30, 30, 39, 39), (60, 60, 70, 70)]
    import shapely

    houses = [
        Building(polygon=shapely.box(*b), level=DamageLevel.MAJOR, uid=str(k))
        for k, b in enumerate(boxes)
    ]
    assert seen_shares(houses, seen).tolist() == [0, 0.5, 0.4, 1, 1]
    words = [b.level.word for b in unseen_unclassified(houses, seen)]
    assert words == ["un-classified", "major-damage", "un-classified", *["major-damage"] * 2]
    unknown = [replace(b, level=None) for b in houses]
    assert all(b.level is None for b in unseen_unclassified(unknown, seen))
    # A building that others hide is judged by its own pixels.
    twins = [houses[0], replace(houses[0], uid="twin"), houses[3]]
    assert seen_shares(twins, seen).tolist() == [0, 0, 1]


def test_a_normal_picture_is_made_as_before(tmp_path: Path) -> None:
    """To the bit: without nodata nothing is un-classified and nothing 255."""
    tree = toys.toy_tree(tmp_path / "xbd", 1)
    plan = gbd.draw_plan(
        gbd.find_sources(tree), gbd.PlanConfig(hazards=("wind",), count=1, seed=1, severity=(1, 1))
    )
    gbd.build(plan, tmp_path / "out", toys.ToyGenerator(), rendering=gbd.Rendering())
    (label,) = (tmp_path / "out" / "labels").glob("*_post_*")
    (target,) = (tmp_path / "out" / "targets").glob("*_post_*")
    buildings = read_label(label).buildings
    np.testing.assert_array_equal(read_mask(target), rasterize(buildings, (toys.SIDE, toys.SIDE)))
    assert all(b.level in (1, 2, 3, 4) for b in buildings)


# ---------------------------------------------------------------- what detectors are handed


def real_pair(folder: Path, how: str) -> Path:
    """An xBD pair whose post image lacks its left half, with levels on all of it."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    stem = "hurricane-michael_00000001"
    pixels = np.moveaxis(ground(), 0, 2)
    Image.fromarray(pixels).save(folder / "images" / f"{stem}_pre_disaster.png")
    half_png(folder / "images" / f"{stem}_post_disaster.png", how)
    for when, word in (("pre", None), ("post", "destroyed")):
        text = toys.label_text(
            [toys.box_wkt(*b) for b in BOXES], f"{stem}_{when}_disaster", word, side=SIDE
        )
        (folder / "labels" / f"{stem}_{when}_disaster.json").write_text(text)
    return folder


@pytest.mark.parametrize("how", ["alpha", "black"])
def test_labels_on_padding_teach_nothing(tmp_path: Path, how: str) -> None:
    (pair,) = read_pairs(real_pair(tmp_path / "xbd", how))
    assert (pair.known[:, :80] == 255).all()
    np.testing.assert_array_equal(pair.known[:, 83:], pair.target[:, 83:])
    assert pair.levels.tolist() == [255, 255, 4, 4, 4]
    crops = DetectorCrops([pair], replace(TINY, crop=64, batch=16, jitter=0.0), seed=0)
    for step in range(4):
        batch = crops.batch(step)
        dark = (batch.post == -1).all(dim=1)
        assert (batch.target[dark] == 255).all()


def test_a_post_image_that_is_black_all_over_teaches_nothing(tmp_path: Path) -> None:
    folder = real_pair(tmp_path / "xbd", "black")
    post = folder / "images" / "hurricane-michael_00000001_post_disaster.png"
    Image.fromarray(np.zeros((SIDE, SIDE, 3), np.uint8)).save(post)
    pair = read_pair(XbdTree(folder).pairs()[0])
    assert (pair.known == 255).all() and set(pair.levels) == {255}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("detector") / "model"
    fit(replace(TINY, steps=12), [toy_pair(0)], seed=0).save(folder)
    return folder


@pytest.mark.parametrize("how", ["alpha", "black"])
def test_predict_writes_nodata_as_nodata(afterscene, model, tmp_path: Path, how: str) -> None:
    folder = real_pair(tmp_path / "xbd", how)
    flags = ("--model", model, "--json", "--quiet")
    done = afterscene("detect", "predict", "--xbd", folder, *flags, "--out", tmp_path / "png")
    assert done.code == 0, done.stderr
    (row,) = done.json["predictions"]
    found = np.array(Image.open(tmp_path / "png" / row["file"]))
    assert found.ndim == 2
    assert (found[:, :80] == 255).all() and (found[:, 83:] <= 4).all()
    assert row["no_data"] == (found == 255).sum()
    half = half_tif(tmp_path / "post.tif", "mask" if how == "alpha" else "black")
    whole = tmp_path / "pre.tif"
    write_scene(Scene(pixels=ground(), valid=np.ones_like(SEEN)), whole)
    files = ("--pre", whole, "--post", half, *flags, "--out", tmp_path / "tif")
    done = afterscene("detect", "predict", *files)
    assert done.code == 0, done.stderr
    with rasterio.open(tmp_path / "tif" / done.json["predictions"][0]["file"]) as source:
        values, mask = source.read(1), source.dataset_mask()
    assert (values[:, :80] == 255).all() and (values[:, 83:] <= 4).all()
    assert (mask[:, :80] == 0).all() and (mask[:, 83:] == 255).all()
    np.testing.assert_array_equal(
        read_mask(tmp_path / "tif" / done.json["predictions"][0]["file"]), values
    )


def test_score_leaves_out_what_nobody_sees(afterscene, model, tmp_path: Path) -> None:
    """Other levels under the padding change no figure."""
    folder = real_pair(tmp_path / "xbd", "black")
    label = folder / "labels" / "hurricane-michael_00000001_post_disaster.json"
    scores = []
    for word in ("destroyed", "no-damage"):
        document = json.loads(label.read_text())
        for feature in document["features"]["xy"][:2]:
            feature["properties"]["subtype"] = word
        label.write_text(json.dumps(document))
        done = afterscene("detect", "score", "--xbd", folder, "--model", model, "--json", "--quiet")
        assert done.code == 0, done.stderr
        scores.append(done.json)
    assert scores[0] == scores[1]
    assert scores[0]["objects"]["buildings"] == 3


def test_assess_says_nothing_of_a_building_that_is_mostly_not_there(
    afterscene, model, tmp_path: Path
) -> None:
    pre, post = tmp_path / "pre.tif", half_tif(tmp_path / "post.tif", "mask")
    write_scene(Scene(pixels=ground(), valid=np.ones_like(SEEN)), pre)
    boxes = [*BOXES, (70, 120, 86, 140)]  # a third of it is seen
    label = tmp_path / "houses.json"
    label.write_text(toys.label_text([toys.box_wkt(*b) for b in boxes], "houses", side=SIDE))
    done = afterscene(
        *("assess", "--pre", pre, "--post", post, "--footprints", label, "--model", model),
        *("-o", tmp_path / "out.gpkg", "--json", "--quiet"),
    )
    assert done.code == 0, done.stderr
    assert done.json["levels"]["not-assessed"] == 3


def test_a_cut_tile_leaves_out_footprints_where_the_picture_has_no_data(tmp_path: Path) -> None:
    pixels, boxes = town()
    valid = np.tile(np.arange(256) >= 128, (256, 1))
    scene = scene_of(np.where(valid, pixels, 0).astype(np.uint8), valid=valid)
    (tmp_path / "pre").mkdir()
    write_scene(scene, tmp_path / "pre" / "a.tif")
    file = MAKERS["any.geojsonl"](tmp_path / "f.geojsonl", outlines(scene, boxes))
    made = cut_tiles(pictures_in(tmp_path / "pre"), [file], tmp_path / "tiles")
    label = read_label(tmp_path / "tiles" / "labels" / f"{made.tiles[0]}_pre_disaster.json")
    lost = sum(box[2] < 128 for box in boxes)
    assert made.left_out.reasons["footprint where the picture has no data"] == lost > 10
    assert len(label.buildings) == len(boxes) - lost
