"""Of several sketches each building is taken from the one that the critic believes."""

from dataclasses import replace

import numpy as np
import pytest

from afterscene.errors import BadParameter
from afterscene.generators.choosing import Choice
from afterscene.geodata.damage import DamageLevel, instances
from tests.generators import toy

LEFT, RIGHT = (
    toy.building(4, 20, DamageLevel.MINOR, 12),
    toy.building(44, 20, DamageLevel.MAJOR, 12),
)


def brightness(pre, post, buildings):
    """Believes minor damage where a house is bright, major damage where it is dark."""
    owner = instances(buildings, post.shape[:2])
    light = np.array([post[owner == k + 1].mean() / 255 for k in range(len(buildings))])
    return np.stack([0 * light, light, 1 - light, 0 * light], axis=1)


def best(sketches, critic=brightness, buildings=(LEFT, RIGHT), count=4):
    """The choice among pictures that are grey all over, in this order."""
    drawn = iter(sketches[1:])
    choice = Choice(critic=critic, name="toy", sketches=count)
    pre = np.zeros((64, 64, 3), np.uint8)
    return choice.best(sketches[0], lambda _: next(drawn), lambda one: one, pre, buildings, 3)


def grey(*tones):
    return [np.full((64, 64, 3), tone, np.uint8) for tone in tones]


def test_each_building_comes_from_its_best_sketch_with_what_lies_nearest_to_it():
    chosen = best(grey(90, 200, 150, 10))
    assert (chosen[:, :28] == 200).all() and (chosen[:, 36:] == 10).all()


def test_the_first_sketch_stays_where_no_other_is_better():
    first = grey(90, 90, 90, 90)
    assert np.array_equal(best(first), first[0])
    assert np.array_equal(best(first, buildings=()), first[0])


def test_a_building_of_no_level_follows_nobody():
    unknown = replace(RIGHT, level=DamageLevel.UNCLASSIFIED)
    chosen = best(grey(90, 200, 150, 10), buildings=(LEFT, unknown))
    assert (chosen[:, :28] == 200).all() and (chosen[:, 36:] == 90).all()


def test_one_sketch_is_no_choice():
    with pytest.raises(BadParameter, match="at least 2"):
        Choice(critic=brightness, name="toy", sketches=1)


def render(choice, mode="edit"):
    house = toy.building(20, 20, DamageLevel.MAJOR, 24)
    generator = replace(toy.generator(), choice=choice)
    return generator.render(toy.scene(), toy.damage(house), seed=3, mode=mode).rgb()


@pytest.mark.parametrize("mode", ["edit", "reacquire"])
def test_a_generator_draws_what_the_critic_believes(mode):
    plain, asked = render(None, mode), []

    def critic(pre, post, buildings):
        asked.append(post)
        return brightness(pre, post, buildings)

    chosen = render(Choice(critic=critic, name="toy", sketches=6), mode)
    roof = np.s_[22:42, 22:42]
    assert len(asked) == 6 and len({post.tobytes() for post in asked}) == 6
    assert chosen[roof].mean() < plain[roof].mean() - 1
    again = render(Choice(critic=brightness, name="toy", sketches=6), mode)
    assert np.array_equal(chosen, again)


def test_a_choice_leaves_hazards_without_a_sketch_alone():
    def critic(pre, post, buildings):
        raise AssertionError("nobody is to be asked")

    house = toy.building(20, 20, DamageLevel.DESTROYED, 24)
    damage = replace(toy.damage(house), hazard="wildfire")
    plain = toy.generator(learned=("wildfire",))
    choosing = replace(plain, choice=Choice(critic=critic, name="toy"))
    one, other = (g.render(toy.scene(), damage, seed=3).rgb() for g in (plain, choosing))
    assert np.array_equal(one, other)
