"""Water, ash and silt as a generator learns them: painted where a real post image shows them."""

from dataclasses import replace

import numpy as np
import pytest

from afterscene.depiction import Water
from afterscene.generators.crops import CropSampler
from afterscene.generators.devicecrops import DeviceCrops
from afterscene.generators.examples import CropConfig
from afterscene.generators.frame import depict, prepare_frame
from afterscene.generators.tiles import laid_over
from afterscene.geodata.damage import DamageLevel
from afterscene.hazards.real import real_damage
from afterscene.recipes.export import covered_of
from tests.depiction import landscape
from tests.generators import toy

FLOODED = np.zeros((256, 256), bool)
FLOODED[:, 150:] = True


def flooded_pair(turbidity=0.8):
    """The landscape and the same under a metre of water in its eastern half."""
    pre = landscape.picture()
    damage = landscape.damage(FLOODED.astype(np.float32), "m", turbidity=turbidity)
    post = Water()(pre, damage, seed=5)
    return replace(
        toy.pair_of(pre, post, damage.buildings, id="hurricane-florence_00000001"),
        event="hurricane-florence",
    )


def test_water_is_painted_where_the_post_image_shows_it_in_about_its_colour():
    pair = flooded_pair()
    picture, covered = laid_over(pair)
    assert covered[:, 170:250].mean() > 0.6 and covered[:120, :120].mean() < 0.05
    assert np.array_equal(picture[~covered], pair.pre.rgb()[~covered])
    there = covered & FLOODED
    assert np.abs(picture[there].mean(axis=0) - pair.post.rgb()[there].mean(axis=0)).max() < 20


@pytest.mark.parametrize("turbidity", [0.1, 0.9])
def test_how_muddy_the_water_is_is_read_from_the_post_image(turbidity):
    told = real_damage(flooded_pair(turbidity)).parameters["turbidity"]
    assert abs(told - turbidity) < 0.3


def test_a_margin_without_data_is_not_flooded():
    pair = flooded_pair()
    pre, post = (scene.rgb().copy() for scene in (pair.pre, pair.post))
    pre[:, 240:] = post[:, 240:] = 0
    margin = replace(toy.pair_of(pre, post, pair.buildings), event=pair.event, id=pair.id)
    _, covered = laid_over(margin)
    assert covered[:, 170:235].mean() > 0.5 and not covered[:, 240:].any()


@pytest.mark.parametrize("sampler", ["processor", "card"])
def test_an_edit_example_shows_the_real_water_and_nothing_else(sampler):
    import torch

    pair = flooded_pair()
    picture, covered = laid_over(pair)
    tile = toy.tile_of(pair, hazard="flood", pre=picture, covered=covered)
    config = CropConfig(shapes=((64, 12),), edit_share=1.0, drop=0.0, jitter=0.0)
    crops = (
        CropSampler([tile], config, 0, ["flood"])
        if sampler == "processor"
        else DeviceCrops([tile], config, 0, torch.device("cpu"), ["flood"])
    )
    batch = crops.batch(0)
    mask = batch.condition.affected[:, 0]
    change = (batch.target - batch.condition.pre).abs().amax(dim=1)
    edited = mask.flatten(1).mean(dim=1) < 1
    assert edited.any() and (mask[edited] > 0.9).any()
    assert float(change[edited][mask[edited] == 0].max()) < 1e-4


def test_a_generator_that_learned_water_redraws_it_and_another_keeps_it():
    pre = toy.scene(96, 96)
    damage = replace(
        toy.damage(toy.building(8, 8, DamageLevel.NO_DAMAGE), shape=pre.shape),
        hazard="flood",
        unit="m",
        intensity=np.where(np.arange(96) > 48, 2.0, 0.0)[None].repeat(96, 0).astype(np.float32),
    )
    areas = [
        depict(
            prepare_frame(
                pre, damage, mode="edit", seed=1, config=toy.generator(covered=covered).config
            )
        ).area
        for covered in ((), ("flood",))
    ]
    assert not areas[0].any() and areas[1][:, 60:].mean() > 0.9 and not areas[1][:, :30].any()


def test_water_counts_as_learned_from_a_million_pixels_on():
    pair = flooded_pair()
    some = np.ones((1024, 1024), bool)
    tiles = [toy.tile_of(pair, hazard="flood", covered=some), toy.tile_of(pair, hazard="tsunami")]
    assert covered_of(tiles) == ("flood",)
