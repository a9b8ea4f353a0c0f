"""Levels as a type; rasters as the official targets have them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from afterscene.errors import BadParameter, UnknownName
from afterscene.geodata import (
    Building,
    DamageLevel,
    DamageMap,
    XbdTree,
    instances,
    rasterize,
    read_label,
    read_scene,
)

LEVELS = tuple(DamageLevel)


def building(outline: Polygon | MultiPolygon, level: DamageLevel | None = None) -> Building:
    return Building(polygon=outline, level=level, uid="u")


def filled(outline: Polygon | MultiPolygon, shape: tuple[int, int] = (10, 10)) -> np.ndarray:
    return rasterize([building(outline)], shape)


def rows(mask: np.ndarray) -> list[str]:
    return ["".join(".#"[v] for v in row) for row in mask]


def test_word_level_and_value_are_a_bijection() -> None:
    words = ["no-damage", "minor-damage", "major-damage", "destroyed", "un-classified"]
    assert [level.word for level in LEVELS] == words
    assert [DamageLevel.from_word(word) for word in words] == list(LEVELS)
    assert [int(level) for level in LEVELS] == [1, 2, 3, 4, 255]
    with pytest.raises(UnknownName, match="'major' is not known; choose one of: no-damage, minor"):
        DamageLevel.from_word("major")


@pytest.mark.data
def test_the_official_target_is_reproduced(shared_data) -> None:
    pairs = [p for p in XbdTree(shared_data / "xbd").pairs() if p.target]
    assert pairs
    for pair in pairs:
        official = read_scene(pair.target).pixels[0]
        label = read_label(pair.post_label)
        ours = rasterize(label.buildings, official.shape, unclassified="as-no-damage")
        assert np.count_nonzero(ours != official) <= 1
        assert np.count_nonzero(official) > 1000


def test_vertices_are_rounded_and_the_border_belongs_to_the_building() -> None:
    assert rows(filled(Polygon([(1.6, 0.6), (4.4, 0.6), (4.4, 3.4), (1.6, 3.4)]), (5, 7))) == [
        ".......",
        "..###..",
        "..###..",
        "..###..",
        ".......",
    ]


def inside(points: Sequence[tuple[int, int]], shape: tuple[int, int]) -> np.ndarray:
    """Pixels within a polygon of integer vertices by the even-odd rule: edges to the right of each.

    Not by ``shapely.make_valid``, which at some self-crossings keeps what that rule leaves out. On
    the outline itself the answer may be either.
    """
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    odd = np.zeros(shape, bool)
    for (x1, y1), (x2, y2) in pairwise([*points, points[0]]):
        if y1 != y2:
            crossed = (y1 > ys) != (y2 > ys)
            odd ^= crossed & (xs < (x2 - x1) * (ys - y1) / (y2 - y1) + x1)
    return odd


@settings(max_examples=200, deadline=None)
@example([(0, 1), (8, 28), (0, 0), (6, 30), (9, 27), (5, 31)])
@given(
    st.lists(st.tuples(st.integers(0, 31), st.integers(0, 31)), min_size=3, max_size=9, unique=True)
)
def test_a_fill_is_the_inside_and_a_border_of_one_pixel(points: list[tuple[int, int]]) -> None:
    """Independent of OpenCV: all inside pixels, and none farther than a pixel from the outline."""
    mask = filled(Polygon(points), (32, 32)) > 0
    assert mask[tuple(np.array(points).T[::-1])].all()
    within = inside(points, mask.shape)
    ys, xs = np.nonzero(mask & ~within)
    distance = shapely.distance(shapely.LinearRing(points), shapely.points(xs, ys))
    assert (distance <= 0.75).all()
    deep = within & (shapely_distance(points, mask.shape) > 0.75)
    assert mask[deep].all()


def shapely_distance(points: Sequence[tuple[int, int]], shape: tuple[int, int]) -> np.ndarray:
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    return shapely.distance(shapely.LinearRing(points), shapely.points(xs, ys))


def test_a_hole_is_background_up_to_its_border() -> None:
    ring = Polygon(box(0, 0, 6, 6).exterior, [box(2, 2, 4, 4).exterior.coords])
    assert rows(filled(ring, (7, 7))) == [
        "#######",
        "#######",
        "#######",
        "###.###",
        "#######",
        "#######",
        "#######",
    ]


def test_the_parts_of_a_multipolygon_are_filled_each() -> None:
    both = MultiPolygon([box(0, 0, 2, 2), box(1, 1, 3, 3), box(6, 6, 6.2, 7)])
    assert rows(filled(both, (8, 8)))[1:4] == ["####....", "####....", ".###...."]
    assert filled(both)[6:8, 6].all()


def test_a_ring_that_crosses_itself_fills_by_the_even_odd_rule() -> None:
    bow_tie = Polygon([(0, 0), (8, 8), (8, 0), (0, 8)])
    assert rows(filled(bow_tie, (9, 9)))[::2] == [
        "#.......#",
        "###...###",
        "#########",
        "###...###",
        "#.......#",
    ]
    twice = Polygon([(0, 0), (8, 0), (8, 8), (2, 8), (2, 2), (6, 2), (6, 6), (0, 6)])
    assert not filled(twice)[4, 4]


def test_what_is_outside_is_cut_off_and_what_is_tiny_stays() -> None:
    assert rows(filled(box(-3, -3, 1, 1), (3, 3))) == ["##.", "##.", "..."]
    assert not filled(box(20, 20, 30, 30)).any()
    assert not filled(box(-9, -9, -3, -3)).any()
    assert np.argwhere(filled(box(4.1, 5.1, 4.3, 5.3))).tolist() == [[5, 4]]
    assert filled(box(0, 0, 5, 5), (1, 1)).tolist() == [[1]]


@pytest.mark.parametrize("far", [1e5, 4e8, 1e9])
def test_far_vertices_do_not_overflow(far: float) -> None:
    assert filled(box(-far, -far, far, far)).all()
    assert (
        rows(filled(Polygon([(2, -far), (4, -far), (4, far), (2, far)]), (3, 7))) == ["..###.."] * 3
    )
    assert not filled(box(far / 2, 0, far, 9)).any()
    crossing = Polygon([(-far, 2), (far, 2), (far, 4), (-far, 4)])
    assert np.nonzero(filled(crossing).all(axis=1))[0].tolist() == [2, 3, 4]


def test_a_large_raster_is_filled_at_its_far_end() -> None:
    mask = rasterize([building(box(39_990, 2, 39_995, 4))], (8, 40_000))
    assert np.count_nonzero(mask) == 18
    assert mask[2:5, 39_990:39_996].all()


def test_later_buildings_lie_over_earlier_ones() -> None:
    both = [
        building(box(0, 0, 5, 5), DamageLevel.DESTROYED),
        building(box(3, 3, 8, 8), DamageLevel.MINOR),
    ]
    mask = rasterize(both, (10, 10))
    assert (mask[0, 0], mask[4, 4], mask[8, 8]) == (4, 2, 2)
    assert rasterize(both[::-1], (10, 10))[4, 4] == 4
    index = instances(both, (10, 10))
    assert index.dtype == np.int32
    assert (index[0, 0], index[4, 4], index[9, 9]) == (1, 2, 0)
    np.testing.assert_array_equal(index > 0, mask > 0)


def test_unclassified_is_never_silently_no_damage() -> None:
    houses = [building(box(2 * i, 0, 2 * i, 3), level) for i, level in enumerate([*LEVELS, None])]
    assert rasterize(houses, (4, 12))[0, ::2].tolist() == [1, 2, 3, 4, 255, 1]
    taken = rasterize(houses, (4, 12), unclassified="as-no-damage")
    assert taken[0, ::2].tolist() == [1, 2, 3, 4, 1, 1]
    with pytest.raises(BadParameter, match="choose 'ignore' or 'as-no-damage'"):
        rasterize(houses, (4, 12), unclassified="no")  # type: ignore[arg-type]


def test_more_buildings_than_a_byte_can_count() -> None:
    houses = [building(box(2 * i, 0, 2 * i, 1)) for i in range(300)]
    assert instances(houses, (2, 600))[0, ::2].tolist() == list(range(1, 301))


@pytest.mark.parametrize(
    "outline",
    [
        Polygon(),
        MultiPolygon(),
        shapely.Point(0, 0),
        Polygon([(0, 0), (1, 0), (np.inf, 1)]),
        Polygon([(0, 0), (1, 0), (1e300, 1)]),
    ],
)
def test_a_building_needs_an_outline(outline: Polygon) -> None:
    with pytest.raises(BadParameter, match="building 'u': polygon"):
        building(outline)
    with pytest.raises(BadParameter, match="building 'u': lnglat"):
        Building(polygon=box(0, 0, 1, 1), level=None, uid="u", lnglat=outline)


def test_a_level_is_no_number() -> None:
    with pytest.raises(BadParameter, match="level 2 is not a DamageLevel"):
        Building(polygon=box(0, 0, 1, 1), level=2, uid="u")  # type: ignore[arg-type]


def test_a_damage_map_is_checked_and_cannot_change() -> None:
    field = np.zeros((4, 4), np.float32)
    made = DamageMap(
        buildings=[building(box(0, 0, 1, 1))],  # type: ignore[arg-type]
        intensity=field,
        unit="m/s",
        hazard="wind",
        parameters={"severity": 0.5},
    )
    assert isinstance(made.buildings, tuple)
    with pytest.raises(TypeError):
        made.parameters["severity"] = 1.0  # type: ignore[index]
    with pytest.raises(BadParameter, match="intensity is float64"):
        DamageMap(
            buildings=(), intensity=field.astype(float), unit="m", hazard="flood", parameters={}
        )


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (-1, 5)])
def test_an_empty_raster_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(BadParameter, match="is empty"):
        rasterize([], shape)
    with pytest.raises(BadParameter, match="is empty"):
        instances([], shape)
