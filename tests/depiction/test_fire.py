"""Fire burns houses and ground by heat, and nothing where no heat was."""

from dataclasses import replace

import numpy as np
from tests.generators import toy

from afterscene.depiction import burn, scorch
from afterscene.geodata.damage import DamageLevel

GREY = np.full((96, 96, 3), 120, np.uint8)


def test_a_fire_is_drawn_on_houses_and_ground():
    house = toy.building(28, 28, DamageLevel.DESTROYED, 40)
    heat = np.zeros(GREY.shape[:2], np.float32)
    heat[:, :60] = 30.0
    damage = replace(toy.damage(house, shape=heat.shape), intensity=heat, unit="kW/m2")
    whole = scorch(GREY, damage, 3)
    burnt = burn(whole, damage, 3)
    roof = np.s_[30:66, 30:66]
    assert np.array_equal(whole[roof], GREY[roof])
    assert (np.abs(burnt[roof].astype(int) - GREY[roof]) > 3).any(-1).mean() > 0.9
    far = np.s_[:, :8]  # beyond the reach of scorched surroundings
    assert np.array_equal(whole[far], burnt[far]) and (whole[far] != GREY[far]).any()
    assert np.array_equal(burnt[:, 90:], GREY[:, 90:])
