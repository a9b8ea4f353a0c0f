"""Films: levels never fall, ground stays, the last frame is the scene without a film."""

from dataclasses import replace

import numpy as np
import pytest

from afterscene import gbd, samples
from afterscene.depiction import draw_aftermath
from afterscene.errors import BadParameter
from afterscene.gbd.film import Film
from afterscene.gbd.filmruns import frames_plan
from afterscene.gbd.pair import make_post
from afterscene.geodata.damage import DamageLevel
from afterscene.geodata.scene import Scene
from afterscene.geodata.xbd import XbdLabel
from afterscene.hazards import HAZARDS, depiction_of

FRAMES, SIDE = 9, 224
PLACES = dict(flood="river", tsunami="coast", wildfire="forest-edge")


class Ruled:
    """A generator without a network: the painters of the hazards alone."""

    hash = "ab" * 32

    def drawn_as(self, hazard):
        return hazard

    def render(self, pre, damage, *, seed, **_):
        return draw_aftermath(pre, damage, depiction_of(damage.hazard), seed)


def film_of(hazard, say="", severity=0.9, place=""):
    """A film of a corner of a sample, drawn by rules."""
    scene, buildings = samples.read_sample(place or PLACES.get(hazard, "suburb"))
    inside = [b for b in buildings if max(b.polygon.bounds) < SIDE]
    cut = Scene.of_rgb(scene.rgb()[:SIDE, :SIDE])
    source = gbd.Source(id="corner_0", event="corner", pre=None, label=None)
    plan = gbd.plan_each(
        [source], hazard, severity=severity, seed=5, parameters={}, told=gbd.Told(say=say)
    )
    (item,) = plan.items
    label = XbdLabel(path=None, buildings=tuple(inside), metadata={})
    return Film(item, cut, label, gbd.Rendering(), Ruled(), FRAMES)


@pytest.fixture(scope="module", params=list(HAZARDS))
def film(request):
    return film_of(request.param)


def test_no_level_ever_falls_and_the_ends_are_before_and_after(film):
    levels = film.levels
    assert (np.diff(levels, axis=0) >= 0).all()
    assert (levels[0] == DamageLevel.NO_DAMAGE).all()
    final = [int(b.level) for b in film.last.damage.buildings]
    assert levels[-1].tolist() == final
    assert max(final) > DamageLevel.NO_DAMAGE  # else nothing was tested


def test_the_ends_are_the_pre_image_and_the_scene_without_a_film(film):
    alone = make_post(film.item, film.scene, film.label, film.rendering, film.generator)
    last = film.post(FRAMES - 1)
    assert np.array_equal(film.picture(0), film.scene.rgb())
    assert np.array_equal(last.scene.pixels, alone.scene.pixels)
    assert np.array_equal(last.target, alone.target)
    assert np.array_equal(film.post(0).target, np.minimum(alone.target, 1))


def test_outside_the_front_each_pixel_is_that_before_or_that_after(film):
    before, after = film.picture(0), film.picture(FRAMES - 1)
    same, painted = (before == after).all(axis=2), False
    done_before = np.zeros(same.shape, bool)
    for number in range(1, FRAMES - 1):
        standing = film.standing(number)
        assert np.array_equal(standing[same], before[same])
        progress = film.passage.progress(film.times[number], same.shape)
        everywhere = film._near[1] == 0  # away from buildings
        done = everywhere & (progress == 1)
        assert np.array_equal(standing[done], after[done])
        far = everywhere & (progress == 0)
        assert np.array_equal(standing[far], before[far])
        assert not (done_before & ~done).any()
        done_before = done
        painted |= not np.array_equal(film.picture(number), standing)
    assert painted  # something is seen of the event while it passes


def test_a_frame_has_the_labels_of_the_levels_reached(film):
    number = FRAMES // 2
    post = film.post(number)
    assert [int(b.level) for b in post.label.buildings] == film.levels[number].tolist()
    assert post.damage.buildings == post.label.buildings


def test_a_frame_does_not_depend_on_the_others():
    one, other = film_of("wildfire"), film_of("wildfire")
    pictures = [one.picture(k) for k in range(FRAMES)]
    assert np.array_equal(other.picture(5), pictures[5])
    assert not np.array_equal(pictures[4], pictures[5])


def test_what_is_said_is_filmed():
    film = film_of(
        "wildfire",
        say="the northern half is destroyed by fire, nothing else is touched",
        place="suburb",
    )
    final = np.array([int(b.level) for b in film.last.damage.buildings])
    assert set(final) == {1, 4}
    assert (film.levels[-1] == final).all()
    assert (np.diff(film.levels, axis=0) >= 0).all()
    assert (film.levels[:, final == 1] == 1).all()


def test_no_event_changes_nothing():
    film = film_of("flood", severity=0.0)
    assert all(np.array_equal(film.standing(k), film.scene.rgb()) for k in range(FRAMES))


def test_nothing_is_painted_where_there_is_no_data():
    film = film_of("wind")
    valid = np.ones((SIDE, SIDE), bool)
    valid[:, :20] = False
    film = replace(film, scene=film.scene.replace(valid=valid))
    for number in range(FRAMES):
        assert np.array_equal(film.picture(number)[:, :20], film.picture(0)[:, :20])


@pytest.mark.parametrize("frames", [-1, 0, 1, 1001])
def test_too_few_or_too_many_frames_are_refused(frames):
    source = gbd.Source(id="a_0", event="a", pre=None, label=None)
    plan = gbd.plan_each([source], "flood", severity=0.5, seed=0, parameters={})
    with pytest.raises(BadParameter, match=f"{frames} frames"):
        frames_plan(plan, frames)
