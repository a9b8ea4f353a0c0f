"""Crops drawn as a whole batch agree with the tile they come from, and with the rules of crops."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from shapely.geometry import box

from afterscene.generators.colour import to_rgb
from afterscene.generators.crops import CropSampler, affected_mask
from afterscene.generators.devicecrops import DeviceCrops
from afterscene.generators.examples import CropConfig, TrainingTile
from afterscene.generators.training import TrainConfig, crops_of
from afterscene.geodata.damage import Building, DamageLevel
from tests.generators import toy

SIDE, CPU = 200, torch.device("cpu")
PLAIN = CropConfig(shapes=((64, 12),), edit_share=0.0, drop=0.0, jitter=0.0)


def telling() -> TrainingTile:
    """A tile whose colours tell row and column: red, green; blue differs by the picture."""
    rows, cols = np.mgrid[0:SIDE, 0:SIDE].astype(np.uint8)
    houses = [
        (box(50, 40, 89, 59), DamageLevel.DESTROYED),
        (box(100, 120, 119, 139), DamageLevel.MINOR),
        (box(150, 20, 169, 29), DamageLevel.NO_DAMAGE),
    ]
    buildings = [Building(polygon=p, level=v, uid=v.word) for p, v in houses]

    def picture(blue: int) -> np.ndarray:
        return np.stack([rows, cols, np.full_like(rows, blue)], axis=2)

    pair = toy.pair_of(picture(10), picture(90), buildings)
    return toy.tile_of(pair, matched=picture(170), middle=np.zeros(3, np.float32))


def colours(x: torch.Tensor) -> np.ndarray:
    return ((to_rgb(x) + 1) * 127.5).permute(0, 2, 3, 1).numpy()


def test_pictures_levels_and_places_of_a_crop_belong_together():
    tile = telling()
    batch = DeviceCrops([tile], PLAIN, 3, CPU).batch(5)
    pre, target = colours(batch.condition.pre), colours(batch.target)
    at = pre[..., :2].round().astype(int)
    assert np.abs(pre[..., :2] - at).max() < 0.01  # whole pixels, not turned
    assert np.abs(pre[..., 2] - 10).max() < 0.01
    assert np.abs(target[..., 2] - 90).max() < 0.01
    assert np.abs(target[..., :2] - at).max() < 0.01
    assert (batch.condition.levels.numpy() == tile.levels[at[..., 0], at[..., 1]]).all()
    assert len({tuple(crop.ravel()) for crop in at}) == len(at)
    mirrored = {int(np.sign(np.linalg.det(_turn(crop)))) for crop in at}
    assert mirrored == {-1, 1}
    assert (batch.condition.affected == 1).all()
    assert (batch.weight == 1).all()


def _turn(at: np.ndarray) -> np.ndarray:
    """Where one step down and one to the right lead in the tile."""
    return np.stack([at[1, 0] - at[0, 0], at[0, 1] - at[0, 0]])


def test_crops_turned_by_any_angle_move_both_pictures_alike():
    config = replace(PLAIN, turned=1.0)
    batch = DeviceCrops([telling()], config, 3, CPU).batch(0)
    pre, target = colours(batch.condition.pre), colours(batch.target)
    assert np.abs(pre[..., :2] - target[..., :2]).max() < 0.01
    step = np.linalg.norm(pre[:, 33, 32, :2] - pre[:, 32, 32, :2], axis=1)
    assert 0.8 < step.min() < 0.95 < 1.05 < step.max() < 1.21
    assert pre[..., :2].min() > -0.01
    assert pre[..., :2].max() < SIDE - 0.99


def test_an_edit_changes_the_pre_image_near_damage_alone():
    config = replace(PLAIN, edit_share=1.0, level_weights=(0, 0, 0, 1, 0))
    batch = DeviceCrops([telling()], config, 3, CPU).batch(0)
    mask = batch.condition.affected[:, 0].numpy()
    pre, target = colours(batch.condition.pre), colours(batch.target)
    assert np.abs(target[..., 2] - (10 + mask * 160)).max() < 0.01
    assert (batch.condition.style == 0).all()
    assert np.allclose(batch.weight[:, 0], 0.15 + 0.85 * mask)
    for crop, own in zip(pre[..., :2].round().astype(int), mask, strict=True):
        whole = telling().levels
        wanted = [affected_mask(whole, r, f) for r in range(3, 14) for f in (2.0, 4.0, 6.0)]
        apart = [np.abs(own - one[crop[..., 0], crop[..., 1]]).mean() for one in wanted]
        assert min(apart) < 0.02


def test_a_batch_is_a_function_of_its_step_and_may_be_taken_in_pieces():
    config = replace(PLAIN, drop=0.3, jitter=0.15, turned=0.5, edit_share=0.5)
    crops = DeviceCrops([telling(), telling()], config, 3, CPU, ("wind", "wildfire"))
    first, again, other = crops.batch(1), crops.batch(1), crops.batch(2)
    assert torch.equal(first.target, again.target)
    assert not torch.equal(first.target, other.target)
    piece = crops.batch(1, slice(4, 9))
    assert torch.equal(piece.target, first.target[4:9])
    assert torch.equal(piece.condition.pre, first.condition.pre[4:9])
    assert torch.equal(piece.weight, first.weight[4:9])
    unsaid = (first.condition.levels == 255).flatten(1).all(dim=1)
    assert 0 < unsaid.sum() < len(unsaid)
    assert 0 < (first.condition.hazard == -1).sum() < len(unsaid)
    assert 0 < first.condition.style.isnan().any(dim=1).sum() < len(unsaid)


def test_levels_are_drawn_as_often_as_the_processor_draws_them():
    config = replace(PLAIN, shapes=((16, 400),), level_weights=(0.2, 0.5, 0.0, 0.3, 0.0))
    tile = telling()
    shares = []
    for crops in (DeviceCrops([tile], config, 0, CPU), CropSampler([tile], config, 0)):
        levels = crops.batch(0).condition.levels.numpy().reshape(400, -1)
        shares.append([(levels == level).any(axis=1).mean() for level in (1, 2, 4)])
    assert np.allclose(*shares, atol=0.08)
    assert shares[0][1] == pytest.approx(0.5, abs=0.1)


def test_the_class_of_a_hazard_is_its_place_in_the_order_of_the_weights():
    tiles = [replace(telling(), hazard=name) for name in ("wildfire", "wind", "snow", "")]
    order = ("tornado", "wind", "wildfire")
    config = replace(PLAIN, shapes=((16, 200),))
    for crops in (DeviceCrops(tiles, config, 0, CPU, order), CropSampler(tiles, config, 0, order)):
        assert set(crops.batch(0).condition.hazard.tolist()) == {2, 1, -1}
    run = TrainConfig(model=replace(toy.TINY, hazards=order), crops=config)
    assert crops_of(tiles, run, CPU).hazards == order


def test_resampled_crops_keep_within_their_range_and_know_their_pixel_size():
    """Alike on both: metres per pixel times the pixels that a crop spans."""
    tiles = [replace(telling(), gsd=gsd) for gsd in (0.5, 1.0)]
    config = replace(PLAIN, shapes=((32, 200),), resampled=1.0, level_weights=(0, 0, 0, 0, 1))
    for crops in (DeviceCrops(tiles, config, 0, CPU), CropSampler(tiles, config, 0)):
        batch = crops.batch(0)
        gsd, pre = batch.condition.gsd.numpy(), colours(batch.condition.pre)
        assert gsd.min() > 0.38 and gsd.max() < 1.25 and np.ptp(gsd) > 0.5
        spans = np.linalg.norm((pre[:, 28, 16, :2] - pre[:, 4, 16, :2]) / 24, axis=1)
        own = gsd / spans
        assert (np.minimum(np.abs(own / 0.5 - 1), np.abs(own - 1)) < 0.06).mean() > 0.97
        coarse = gsd[np.abs(own - 1) < 0.12]
        assert coarse.min() > 0.75  # not finer than there is to see
        target = colours(batch.target)
        assert np.abs(target[..., :2] - pre[..., :2]).max() < 0.02


def test_a_share_of_crops_keeps_the_pixels_of_its_tile():
    config = replace(PLAIN, shapes=((32, 200),), resampled=0.5, drop=0.3)
    for crops in (DeviceCrops([telling()], config, 0, CPU), CropSampler([telling()], config, 0)):
        gsd = crops.batch(0).condition.gsd.numpy()
        assert 0.2 < np.isnan(gsd).mean() < 0.4
        assert 0.35 < (gsd[~np.isnan(gsd)] == 0.5).mean() < 0.65


def test_tiles_of_several_sizes_are_drawn_together():
    large, small = telling(), replace(toy.tile(), gsd=1.0)
    batch = DeviceCrops([large, small], replace(PLAIN, shapes=((16, 100),)), 0, CPU).batch(0)
    assert set(batch.condition.gsd.tolist()) == {0.5, 1.0}


def test_an_edit_of_a_coarse_crop_reaches_as_far_in_its_own_pixels():
    config = replace(PLAIN, edit_share=1.0, level_weights=(0, 0, 0, 1, 0), resampled=1.0)
    config = replace(config, gsd=(1.0, 1.0), shapes=((64, 40),))
    for crops in (DeviceCrops([telling()], config, 0, CPU), CropSampler([telling()], config, 0)):
        batch = crops.batch(0)
        mask, levels = batch.condition.affected[:, 0].numpy(), batch.condition.levels.numpy()
        house = (levels == 4).sum(axis=(1, 2))
        assert abs(np.median(house) - 40 * 20 / 4) < 40
        grown = (mask > 0).sum(axis=(1, 2)) - house
        assert 150 < np.median(grown) < 1100
