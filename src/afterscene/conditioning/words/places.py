"""Where a sentence's places lie in a scene, and which buildings are in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
import shapely

from afterscene.conditioning.words.records import Chosen, Near, Part
from afterscene.conditioning.words.telling import tell_group, tell_target
from afterscene.errors import BadParameter
from afterscene.geodata.crs import WGS84
from afterscene.geodata.damage import Building, instances
from afterscene.geodata.named import NamedPlaces
from afterscene.geodata.resolution import placed_by
from afterscene.hazards.ground import Ground

SMALL, LARGE = 60.0, 300.0
"""Square metres below which a building is small (a shed), and above which it is large."""
PAINTED = 0.25
"""Share of a building from which on it is painted over."""
_SIDES = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "corner": 1 / 3}


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """What a user knows beside the picture: named places, and a map painted over it.

    ``painted`` (H, W) uint8 has the kinds of ``colours``, from 1; 0 is blank.
    """

    named: NamedPlaces | None = None
    painted: np.ndarray | None = None
    colours: tuple[str, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """A scene as its buildings and its ground in metres; ``strain`` ranks buildings.

    ``strain`` (n,): intensity of the hazard at each building over what it withstands; where a
    sentence leaves open which buildings are hit, those with the largest are.
    """

    ground: Ground
    strain: np.ndarray
    given: Given = field(default_factory=Given)

    @property
    def buildings(self) -> Sequence[Building]:
        """In the order of the label."""
        return self.ground.buildings

    @cached_property
    def areas(self) -> np.ndarray:
        """(n,) square metres."""
        return np.array([b.polygon.area for b in self.buildings]) * self.ground.gsd**2

    @cached_property
    def middles(self) -> np.ndarray:
        """(n, 2) centroids (column, row)."""
        points = [b.polygon.centroid for b in self.buildings]
        return np.array([(p.x, p.y) for p in points]).reshape(-1, 2)

    def members(
        self,
        group: Chosen,
        *,
        damages: bool,
        free: np.ndarray,
        among: np.ndarray | None = None,
    ) -> np.ndarray:
        """(n,) bool: the buildings of a group.

        ``free`` (n,) are those from which it may pick a number where the sentence leaves open
        which; ``among`` (n,) those that it is an exception of.

        Raises:
            BadParameter: it asks for more than there are, or for what the scene does not have.
        """
        if group.number is not None:
            return self._numbered(group.number)
        found = np.ones(len(self.buildings), bool) if among is None else among.copy()
        for place in group.places:
            found &= self.within(place)
        if group.size:
            found &= self.areas < SMALL if group.size == "small" else self.areas > LARGE
        found = self._excepted(group, found, damages, free)
        if group.only and found.sum() != 1:
            raise BadParameter(
                f"--say: {tell_group(group)} means one building, but there are {found.sum()}; say "
                "every building, the largest, or how many"
            )
        return self._chosen(group, found, damages, free)

    def _excepted(
        self, group: Chosen, found: np.ndarray, damages: bool, free: np.ndarray
    ) -> np.ndarray:
        """Without the exceptions, which are looked for among those found."""
        kept = found.copy()
        for but in group.but:
            kept &= ~self.members(but, damages=not damages, free=free, among=kept)
        return kept

    def _chosen(
        self, group: Chosen, found: np.ndarray, damages: bool, free: np.ndarray
    ) -> np.ndarray:
        if not (group.rank or group.count or group.fraction):
            return found
        if group.rank:
            order = self._order(group)
            wanted = group.count or 1
        else:
            wanted = group.count or round(float(found.sum()) * (group.fraction or 0) + 1e-9)
            found = found & free
            order = -self.strain if damages else self.strain
        if wanted > found.sum():
            raise BadParameter(
                f"--say: {tell_group(group)} asks for {wanted}, but only {found.sum()} are there "
                "and not named otherwise; ask for fewer"
            )
        ranked = np.lexsort((np.arange(len(found)), np.where(found, order, np.inf)))
        chosen = np.zeros(len(found), bool)
        chosen[ranked[:wanted]] = True
        return chosen

    def _order(self, group: Chosen) -> np.ndarray:
        if group.rank == "nearest":
            assert group.to
            return self._away(self._target(group.to))
        return -self.areas if group.rank == "largest" else self.areas

    def _numbered(self, number: int) -> np.ndarray:
        if number > len(self.buildings):
            raise BadParameter(
                f"--say: there is no building {number}; the picture has {len(self.buildings)}, "
                "counted from 1 in the order of the label"
            )
        return np.arange(len(self.buildings)) == number - 1

    def within(self, place: Part | Near) -> np.ndarray:
        """(n,) bool: whose centroid is in the part, or any point at most so far away."""
        if isinstance(place, Part):
            mask = self.mask(place)
            far = np.array(mask.shape)[::-1] - 1
            columns, rows = np.floor(self.middles).clip(0, far).astype(int).T
            return mask[rows, columns]
        if place.target == "painted":
            return self._colours == self._colour(place)
        near = self._away(self._target(place)) <= place.metres
        return ~near if place.outside else near

    def mask(self, place: Part | Near) -> np.ndarray:
        """(H, W) bool: the ground of a place."""
        if isinstance(place, Part):
            found = self._part(place)
        elif place.target == "painted":
            assert self.given.painted is not None
            found = self.given.painted == self._colour(place)
        else:
            found = self._target(place) <= place.metres
        return ~found if place.outside else found

    def _away(self, distance: np.ndarray) -> np.ndarray:
        """(n,) metres from the nearest point of each building."""
        height, width = self.ground.shape
        out = np.empty(len(self.buildings))
        for k, building in enumerate(self.buildings):
            xy = shapely.get_coordinates(shapely.segmentize(building.polygon, 2.0))
            columns, rows = np.floor(xy).clip(0, (width - 1, height - 1)).astype(int).T
            out[k] = distance[rows, columns].min()
        return out

    def _part(self, part: Part) -> np.ndarray:
        height, width = self.ground.shape
        y, x = np.mgrid[0:height, 0:width]
        east, south = (x + 0.5) / width, (y + 0.5) / height
        side = _SIDES[part.share]
        if part.direction == "centre":
            low, high = side, 1 - side
            return (east >= low) & (east < high) & (south >= low) & (south < high)
        north, west = 1 - south, 1 - east
        reach = {"n": north, "s": south, "e": east, "w": west}
        towards = [reach[letter] for letter in part.direction]
        if len(towards) == 2 and part.share in ("half", "third"):
            # The diagonal that cuts off this share of the unit square.
            return towards[0] + towards[1] >= 2 - np.sqrt(2 * side)
        limit = 1 - (1 / 2 if part.share == "quarter" and len(towards) == 2 else side)
        return np.asarray(np.logical_and.reduce([along >= limit for along in towards]))

    def _target(self, near: Near) -> np.ndarray:
        """(H, W) metres from a target. Raises BadParameter: it is not there."""
        if near.target in ("water", "road", "land", "named"):
            return self._from(self._mapped(near))
        height, width = self.ground.shape
        if near.target == "building":
            assert near.number
            self._numbered(near.number)
            return self._from(instances([self.buildings[near.number - 1]], (height, width)) > 0)
        column, row = self._point(near)
        y, x = np.mgrid[0:height, 0:width]
        return np.hypot(x + 0.5 - column, y + 0.5 - row) * self.ground.gsd

    def _colour(self, near: Near) -> int:
        return 1 + self.given.colours.index(near.name)

    @cached_property
    def _colours(self) -> np.ndarray:
        """(n,) the colour that covers most of each building; 0 where little of it is painted."""
        painted, count = self.given.painted, len(self.given.colours) + 1
        assert painted is not None
        owner = instances(self.buildings, self.ground.shape).ravel().astype(np.int64)
        size = count * (len(self.buildings) + 1)
        votes = np.bincount(owner * count + painted.ravel(), minlength=size).reshape(-1, count)[1:]
        enough = votes[:, 1:].sum(axis=1) >= PAINTED * np.maximum(votes.sum(axis=1), 1)
        return np.where(enough, votes[:, 1:].argmax(axis=1) + 1, 0)

    def _mapped(self, near: Near) -> np.ndarray:
        """(H, W) bool: water as the file of places has it, else as the picture shows it; others."""
        kind = near.name if near.target == "land" else near.target
        named = self.given.named
        if named and (kind != "water" or named.has("water")):
            grid = placed_by(self.ground.scene.grid, self.buildings)
            name = near.name if near.target == "named" else ""
            return named.mask(grid, kind=kind, name=name)
        if kind == "water":
            if self.ground.water is None:
                raise BadParameter(
                    "--say names water (a river, lake or coast), but the picture shows no open "
                    "water; name a place by its side, by a point such as (120, 340), or give its "
                    "water with --places"
                )
            return self.ground.water
        what = {"road": "a road", "named": repr(near.name)}.get(near.target, tell_target(near))
        raise BadParameter(
            f"--say names {what}, which neither the picture nor its label shows; give a GeoJSON "
            "file that has it with --places, or name a side or a point such as (120, 340)"
        )

    def _from(self, mask: np.ndarray) -> np.ndarray:
        dry = (~mask).astype(np.uint8)
        return np.asarray(cv2.distanceTransform(dry, cv2.DIST_L2, 5)) * self.ground.gsd

    def _point(self, near: Near) -> tuple[float, float]:
        """(column, row) of a named point. Raises BadParameter: it lies outside the picture."""
        assert near.at
        height, width = self.ground.shape
        column, row = near.at
        if near.target == "lnglat":
            grid = placed_by(self.ground.scene.grid, self.buildings)
            if not grid.placed:
                raise BadParameter(
                    "--say names a longitude and latitude, but neither picture nor label has a "
                    "place; name a pixel such as (120, 340)"
                )
            column, row = grid.to_pixels(WGS84)(np.array([near.at]))[0]
        if not (0 <= column <= width and 0 <= row <= height):
            raise BadParameter(
                f"--say: the point {near.at[0]:g}, {near.at[1]:g} is outside the picture of "
                f"{width}x{height} pixels"
            )
        return float(column), float(row)
