"""The pixels of an image as a grid: how many, where on the Earth, and what that needs if it lacks.

Pixels have x = column and y = row, from the upper left corner on. A grid need not have a place:
a PNG has none, and a local system (:mod:`afterscene.geodata.crs`) gives none.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyproj
from affine import Affine

from afterscene.errors import BadParameter
from afterscene.geodata.crs import WGS84, Way, known_crs, metres_a_unit, on_earth, way
from afterscene.geodata.fit import applied
from afterscene.geodata.noplace import why_no_place

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
_RIM = 17
_ELLIPSOID = pyproj.Geod(ellps="WGS84")


def is_map(transform: Affine | None) -> bool:
    """Whether a transform leads from pixels to places and back."""
    return (
        transform is not None
        and bool(np.isfinite(transform[:6]).all())
        and not transform.is_degenerate
    )


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A grid: (H, W), where it lies, if that is known, and the image that it is of."""

    shape: tuple[int, int]
    crs: str | None = None
    transform: Affine | None = None
    image: Path | None = field(default=None, compare=False)

    @property
    def placed(self) -> bool:
        """Whether its pixels are places on the Earth."""
        return self.crs is not None and is_map(self.transform) and on_earth(self.crs)

    @property
    def gsd(self) -> float | None:
        """Ground sample distance: metres per pixel in the middle, None where nothing tells.

        Geometric mean of one step along a row and one along a column, each measured on the WGS84
        ellipsoid, so that degrees, feet and Mercator metres come out right; in a local system, by
        its unit.
        """
        if self.crs is None or self.transform is None or not is_map(self.transform):
            return None
        if not self.placed:
            a, b, _, d, e, _ = self.transform[:6]
            unit = metres_a_unit(self.crs)
            return None if unit is None else unit * float(np.sqrt(np.hypot(a, d) * np.hypot(b, e)))
        row, col = self.shape[0] / 2, self.shape[1] / 2
        lng, lat = self.to_degrees()(np.array([[col, row], [col + 1, row], [col, row + 1]])).T
        if not (np.isfinite(lng).all() and (np.abs(lat) <= 90).all()):
            return None
        _, _, steps = _ELLIPSOID.inv([lng[0]] * 2, [lat[0]] * 2, lng[1:], lat[1:])
        return float(np.sqrt(steps[0] * steps[1]))

    def check_placed(self, what: str) -> None:
        """Raise BadParameter, with what to do, where it is not placed.

        Args:
            what: Who needs a place, as the beginning of a sentence.
        """
        if self.placed:
            return
        name = self.image or "the image"
        if self.crs is not None and is_map(self.transform):
            raise BadParameter(
                f"{what}, but the CRS of {name}, {known_crs(self.crs).name[:60]!r}, is a local "
                "one without a place on the Earth; give the image its true CRS (gdal_edit.py "
                f"-a_srs EPSG:32616 {name}), or footprints in pixels as an xBD label"
            )
        raise BadParameter(f"{what}, but {name} has no place: {why_no_place(self)}")

    def to_degrees(self) -> Way:
        """From pixels to WGS84 longitude and latitude, infinite where a pixel has no place.

        Raises BadParameter: see :func:`way`.
        """
        assert self.crs is not None and self.transform is not None
        inside, outward = applied(self.transform), way(self.crs, WGS84)
        return lambda xy: outward(inside(np.asarray(xy, float)))

    def to_pixels(self, crs: str) -> Way:
        """From coordinates of a system to pixels. Raises BadParameter: see :func:`way`."""
        assert self.crs is not None and self.transform is not None
        move, (a, b, c, d, e, f) = way(crs, self.crs), (~self.transform)[:6]
        height, width = self.shape
        middle = (self.transform @ (width / 2, height / 2))[0]
        turns = known_crs(self.crs).is_geographic

        def pixels(xy: np.ndarray) -> np.ndarray:
            with np.errstate(all="ignore"):
                x, y = move(xy).T
                if turns:  # a picture across the antimeridian runs on beyond 180
                    x = x - 360 * np.round((x - middle) / 360)
                found = np.stack([a * x + b * y + c, d * x + e * y + f], axis=1)
            return np.where(np.isfinite(found).all(axis=1, keepdims=True), found, np.inf)

        return pixels

    def bounds(self) -> tuple[Bounds, ...]:
        """The grid in degrees: two boxes where it crosses the antimeridian.

        Raises BadParameter where it has no place, or a part of it lies nowhere on the Earth.
        """
        self.check_placed("footprints have coordinates on the Earth")
        height, width = self.shape
        steps = np.linspace(0, 1, _RIM)
        rim = [(s * width, e) for s in steps for e in (0, height)]
        rim += [(e, s * height) for s in steps for e in (0, width)]
        lng, lat = self.to_degrees()(np.array(rim, float)).T
        if not np.isfinite([lng, lat]).all():
            raise BadParameter(
                f"{self.image or 'the image'} lies in part or wholly nowhere on the Earth; check "
                "its CRS and transform"
            )
        return self._boxes((lng + 180) % 360 - 180, lat)

    def _boxes(self, lng: np.ndarray, lat: np.ndarray) -> tuple[Bounds, ...]:
        """The boxes of a rim, a thousandth wider: a straight rim is curved in degrees."""
        spare = 1e-3 * float(np.ptp(lat)) + 1e-7
        south, north = float(lat.min()) - spare, float(lat.max()) + spare
        around = [pole for pole in (-90.0, 90.0) if self._holds(0.0, pole)]
        if around:
            return ((-180.0, min(south, *around), 180.0, max(north, *around)),)
        if np.ptp(lng) <= 180:
            wide = 1e-3 * float(np.ptp(lng)) + 1e-7
            return ((float(lng.min()) - wide, south, float(lng.max()) + wide, north),)
        east, west = float(lng[lng > 0].min()), float(lng[lng <= 0].max())
        wide = 1e-3 * (360 + west - east) + 1e-7
        return ((east - wide, south, 180.0, north), (-180.0, south, west + wide, north))

    def _holds(self, lng: float, lat: float) -> bool:
        ((col, row),) = self.to_pixels(WGS84)(np.array([[lng, lat]]))
        height, width = self.shape
        return bool(0 <= col <= width and 0 <= row <= height)
