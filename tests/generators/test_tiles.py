"""Real pairs become training tiles; unlabelled ones teach styles only."""

import json

import numpy as np
import pytest
from PIL import Image

from afterscene.errors import MissingFile
from afterscene.generators.tiles import load_tiles, unlabelled_pairs
from afterscene.geodata.xbd import XbdTree
from tests.generators.launch import toy_pairs


def test_flat_folder_of_pairs_without_labels(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    for part in ("pre", "post"):
        Image.fromarray(noise).save(tmp_path / f"mexico-earthquake_00000003_{part}_disaster.png")
    Image.fromarray(noise).save(tmp_path / "lonely_00000001_post_disaster.png")
    (pair,) = unlabelled_pairs(tmp_path)
    assert (pair.id, pair.event) == ("mexico-earthquake_00000003", "mexico-earthquake")
    ((found, tile),) = load_tiles([pair])
    assert (tile.levels == 255).all() and not found.buildings and tile.hazard == "earthquake"
    assert np.array_equal(tile.matched, noise)


def test_empty_folder_is_named(tmp_path):
    with pytest.raises(MissingFile, match="has no pairs"):
        unlabelled_pairs(tmp_path)


@pytest.mark.data
def test_real_pairs_carry_levels_and_styles(shared_data):
    pairs = XbdTree(shared_data / "xbd").pairs("train")
    chosen = [p for p in pairs if p.id in ("santa-rosa-wildfire_00000089", pairs[0].id)]
    tiles = {tile.name: tile for _, tile in load_tiles(chosen)}
    burnt = tiles["santa-rosa-wildfire_00000089"]
    assert (burnt.places.levels == 4).sum() == 170
    assert burnt.hazard == "wildfire" and np.isfinite(burnt.style).all()
    rows, cols = burnt.places.centres.round().astype(int).T
    on_building = burnt.levels[rows.clip(0, 1023), cols.clip(0, 1023)] > 0
    assert on_building.mean() > 0.9
    assert burnt.gsd == pytest.approx(0.45, abs=0.02)


def test_a_tile_knows_its_metres_per_pixel_by_its_label(tmp_path):
    """A width half of the original means pixels of a metre."""
    root = toy_pairs(tmp_path / "xbd", count=1)
    for path in (root / "labels").iterdir():
        label = json.loads(path.read_text())
        label["metadata"] |= {"original_width": 128, "width": 64, "height": 64}
        label["features"]["lng_lat"] = []
        path.write_text(json.dumps(label))
    ((pair, tile),) = load_tiles(XbdTree(root).pairs())
    assert tile.gsd == 1.0
    assert pair.shape == tile.shape == (64, 64)
