"""Taking a scene again: seeds, styles, no-data, the size of the change, bounded shifts."""

from dataclasses import replace

import numpy as np
import pytest

from afterscene.errors import BadParameter
from afterscene.generators.acquisition import LARGEST_SHIFT, Acquisition
from afterscene.generators.appearance import measure_style
from afterscene.generators.registration import find_flow
from afterscene.geodata.damage import DamageLevel
from tests.generators import toy

PLAIN = np.zeros(6, np.float32)


def picture(side=160, seed=0):
    """Blocks of different colours, with grain: something to register on."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(40, 215, (side // 16, side // 16, 3)).repeat(16, 0).repeat(16, 1)
    return np.clip(blocks + rng.normal(0, 4, blocks.shape), 0, 255).astype(np.uint8)


def everywhere(image):
    return np.ones(image.shape[:2], bool)


def test_equal_seeds_equal_pictures_and_other_seeds_other_ones():
    image = picture()
    first, again, other = (
        (a := Acquisition.draw(PLAIN, seed)).move(a(image, everywhere(image))) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again) and (first != other).mean() > 0.5


def test_another_state_of_the_scene_is_taken_alike():
    """Where both states agree, so do their pictures, though one has a white roof elsewhere."""
    image = picture()
    other = image.copy()
    other[40:80, 40:80] = 255
    take = Acquisition.draw(PLAIN, 3).simulator(image, everywhere(image))
    same = np.ones(image.shape[:2], bool)
    same[28:92, 28:92] = False  # blur reaches some pixels out
    assert np.array_equal(take(image)[same], take(other)[same])
    assert take(other)[50:70, 50:70].mean() > take(image)[50:70, 50:70].mean() + 40


def test_the_look_arrives():
    image = picture()
    brighter = np.array([0.2, 0.2, 0.2, 0, 0, 0], np.float32)
    plain = Acquisition.draw(PLAIN, 1)(image, everywhere(image)).astype(float)
    bright = Acquisition.draw(brighter, 1)(image, everywhere(image)).astype(float)
    assert (bright - plain).mean() == pytest.approx(0.2 * 127.5, rel=0.15)


def test_the_spread_is_that_of_the_look():
    """The tone moves colours against each other; it makes no picture harsh or flat."""
    image = picture()
    for seed in range(8):
        for gain in (-0.2, 0.2):
            style = np.array([0, 0, 0, gain, gain, gain], np.float32)
            drawn = Acquisition.draw(style, seed)
            taken = replace(drawn, sharpness=0.0)(image, everywhere(image)).astype(float)
            ratio = taken.std(axis=(0, 1)) / image.std(axis=(0, 1))
            np.testing.assert_allclose(ratio, np.exp(gain), rtol=0.05)


def test_the_change_is_of_the_size_of_real_pairs_at_most():
    """Real pairs: 0.14 to 0.32 once style and shift are taken out (see the module)."""
    image = picture()
    spreads = []
    for seed in range(12):
        taken = Acquisition.draw(PLAIN, seed)(image, everywhere(image))
        spreads.append((taken.astype(float) - image).mean(-1).std() / 127.5)
    assert 0.03 < np.median(spreads) < 0.2 and max(spreads) < 0.35


def test_the_shift_is_the_drawn_one_and_bounded():
    image = picture(256)
    for seed in range(4):
        taking = Acquisition.draw(PLAIN, seed)
        moved = np.median(find_flow(image, taking.move(image)), axis=(0, 1))[::-1]
        assert np.abs(taking.shift).max() <= LARGEST_SHIFT
        assert np.abs(moved - taking.shift).max() < 1.5


def test_no_data_stays():
    image = picture()
    valid = everywhere(image)
    valid[:40] = False
    taken = Acquisition.draw(PLAIN, 0)(image, valid)
    assert np.array_equal(taken[:40], image[:40]) and (taken[40:] != image[40:]).mean() > 0.8
    nothing = Acquisition.draw(PLAIN, 0)(image, np.zeros_like(valid))
    assert np.array_equal(nothing, image)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (300, 20)])
def test_any_size(shape):
    image = np.full((*shape, 3), 100, np.uint8)
    taking = Acquisition.draw(PLAIN, 0)
    assert taking.move(taking(image, everywhere(image))).shape == image.shape


def test_reacquire_changes_the_whole_scene_even_without_damage():
    pre = toy.scene()
    untouched = toy.damage(toy.building(8, 8, DamageLevel.NO_DAMAGE))
    post = toy.generator().render(pre, untouched, seed=1, mode="reacquire")
    assert (post.pixels != pre.pixels).any(0).mean() > 0.9


def test_a_look_that_is_told_is_the_look_of_the_post_image():
    image = picture()
    pre = replace(toy.scene(160, 160), pixels=np.ascontiguousarray(image.transpose(2, 0, 1)))
    untouched = toy.damage(toy.building(8, 8, DamageLevel.NO_DAMAGE), shape=(160, 160))
    told = np.array([0.2, 0.15, 0.1, -0.2, -0.2, -0.2], np.float32)
    post = toy.generator().render(pre, untouched, seed=1, mode="reacquire", style=told)
    measured = measure_style(image, post.rgb(), everywhere(image))
    assert measured is not None
    np.testing.assert_allclose(measured[:3], told[:3], atol=0.03)
    np.testing.assert_allclose(measured[3:], told[3:], atol=0.1)


@pytest.mark.parametrize(
    ("mode", "style"), [("edit", PLAIN), ("reacquire", PLAIN[:5]), ("reacquire", PLAIN + np.nan)]
)
def test_a_look_that_cannot_be_used_is_refused(mode, style):
    untouched = toy.damage(toy.building(8, 8, DamageLevel.NO_DAMAGE))
    with pytest.raises(BadParameter, match="style"):
        toy.generator().render(toy.scene(), untouched, seed=1, mode=mode, style=style)
