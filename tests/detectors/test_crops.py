"""Batches: a function of (seed, step), aligned, balanced, and never inventing labels."""

from dataclasses import replace

import numpy as np
import torch

from afterscene.detectors.crops import DetectorCrops
from tests.detectors.toys import TINY, pair_of, toy_pair

STILL = replace(TINY, shift=0, zoom=0.0, jitter=0.0)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    pairs = [toy_pair(i) for i in range(3)]
    first, again = DetectorCrops(pairs, TINY, seed=1), DetectorCrops(pairs, TINY, seed=1)
    again.batch(0)
    again.batch(7)
    assert torch.equal(first.batch(3).pre, again.batch(3).pre)
    assert not torch.equal(first.batch(3).pre, first.batch(4).pre)
    assert not torch.equal(first.batch(3).pre, DetectorCrops(pairs, TINY, seed=2).batch(3).pre)


def test_pre_post_and_target_stay_aligned_through_flips_and_turns() -> None:
    """Post is painted with the target's own numbers, so any misplaced turn would show."""
    rng = np.random.default_rng(0)
    target = rng.integers(0, 5, size=(128, 128)).astype(np.uint8)
    picture = np.repeat((target * 50)[..., None], 3, axis=2)
    pair = pair_of(picture, picture, target)
    batch = DetectorCrops([pair], STILL, seed=0).batch(0)
    for picture in (batch.pre, batch.post):
        said = ((picture[:, 0] + 1) * 127.5 / 50).round().long()
        assert torch.equal(said, batch.target)


def test_rare_levels_are_drawn_as_often_as_common_ones() -> None:
    """One destroyed house among hundreds of undamaged ones is in a good part of the crops."""
    target = np.zeros((1024, 1024), dtype=np.uint8)
    target[::40, ::40] = 1
    target[500:520, 500:520] = 4
    blank = np.zeros((1024, 1024, 3), dtype=np.uint8)
    pair = pair_of(blank, blank, target)
    sampler = DetectorCrops([pair], replace(STILL, crop=64), seed=0)
    seen = [bool((crop == 4).any()) for step in range(20) for crop in sampler.batch(step).target]
    assert np.mean(seen) > 0.25


def test_level_weights_of_zero_leave_a_level_out() -> None:
    pairs = [toy_pair(0)]
    config = replace(STILL, crop=64, background_share=0.0, level_weights=(0, 0, 0, 1))
    crops = [
        c for step in range(5) for c in DetectorCrops(pairs, config, seed=0).batch(step).target
    ]
    assert all((crop == 4).any() for crop in crops)


def test_the_share_of_synthetic_crops_is_the_asked_one() -> None:
    black = np.zeros((64, 64, 3), dtype=np.uint8)
    target = np.zeros((64, 64), dtype=np.uint8)
    real = pair_of(black, black, target)
    made = pair_of(black + 255, black, target, synthetic=True, id="b")
    config = replace(STILL, synthetic_share=0.25, batch=400, crop=64)
    batch = DetectorCrops([real, made, made], config, seed=0).batch(0)
    assert 0.17 < (batch.pre[:, 0, 0, 0] > 0).float().mean() < 0.33


def test_a_picture_smaller_than_a_crop_is_padded_with_ignore() -> None:
    small = np.zeros((20, 40, 3), dtype=np.uint8)
    pair = pair_of(small, small, np.ones((20, 40), dtype=np.uint8))
    target = DetectorCrops([pair], STILL, seed=0).batch(0).target
    assert target.shape[1:] == (STILL.crop, STILL.crop)
    assert ((target == 1).sum(dim=(1, 2)) == 20 * 40).all()
    assert set(target.unique().tolist()) == {1, 255}


def test_jitter_changes_pre_and_post_differently() -> None:
    grey = np.full((64, 64, 3), 120, dtype=np.uint8)
    pair = pair_of(grey, grey, np.zeros((64, 64), dtype=np.uint8))
    batch = DetectorCrops([pair], replace(STILL, jitter=0.2, crop=64), seed=0).batch(0)
    difference = (batch.pre - batch.post).abs().amax(dim=(1, 2, 3))
    assert (difference > 0.01).all()
    assert (difference < 0.9).all()


def test_what_has_no_data_teaches_nothing() -> None:
    pair = toy_pair(0)
    half = pair.post.valid.copy()
    half[:, :64] = False
    cut = replace(pair, post=pair.post.replace(valid=half))
    batch = DetectorCrops([cut], replace(STILL, background_share=1.0), seed=0).batch(0)
    dark = (batch.post == -1).all(dim=1)
    assert dark.any() and not dark.all()
    assert (batch.target[dark] == 255).all() and (batch.target[~dark] != 255).all()
