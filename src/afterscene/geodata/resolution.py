"""Metres per pixel: the one place that decides them, and what is too coarse to use.

The place of the image decides; where it has none (xBD images are plain PNG), the affine map between
the pixels and degrees of its label does (:mod:`.fit`). What metadata call ``gsd`` is not asked: in
xBD's labels it is that of the multispectral bands (1.9 m where a pixel is 0.45 m).

Models know houses of a certain size in pixels. Outside of :data:`FINEST` to :data:`COARSEST` metres
a warning says so. A picture is refused where half of its footprints, or more, cover fewer than
:data:`LEAST_PIXELS` pixels: their outlines are measured in pixels, so this holds without a place,
too. In our samples of xBD the smallest median of a tile is 24 pixels, at half resolution 13.
"""

import warnings
from collections.abc import Sequence
from shlex import quote

import numpy as np

from afterscene.errors import BadImage, OddPixelSize
from afterscene.geodata.crs import WGS84
from afterscene.geodata.damage import Building
from afterscene.geodata.fit import fit_lnglat
from afterscene.geodata.grid import Grid

FINEST, COARSEST = 0.3, 1.5
"""Metres per pixel that need no warning."""
BEST = 0.5
"""Metres per pixel to resample to: those of xBD, from which the shipped models have learned."""
LEAST_PIXELS = 9
"""Median area of the footprints of a picture in pixels: a house of three by three."""
_AGREE = 2.0  # pixels by which a label's two lists may differ and still place the image


def placed_by(grid: Grid, buildings: Sequence[Building]) -> Grid:
    """The grid with a place: its own, else the one that buildings in pixels and degrees give it."""
    fit = None if grid.placed else fit_lnglat(buildings)
    if fit is None or fit.residual > _AGREE:
        return grid
    return Grid(shape=grid.shape, crs=WGS84, transform=fit.affine, image=grid.image)


def metres_per_pixel(grid: Grid, buildings: Sequence[Building]) -> float | None:
    """Of an image with those buildings; None where neither tells."""
    return placed_by(grid, buildings).gsd


def median_pixels(buildings: Sequence[Building]) -> float | None:
    """Median area of the footprints in pixels; None where there is none."""
    return float(np.median([b.polygon.area for b in buildings])) if buildings else None


def check_pixels(grid: Grid, buildings: Sequence[Building]) -> None:
    """Warn (OddPixelSize), or raise BadImage where the houses are too small to show damage."""
    metres, area = metres_per_pixel(grid, buildings), median_pixels(buildings)
    if area is not None and area < LEAST_PIXELS:
        width = f" of {metres:.3g} m" if metres else ""
        raise BadImage(
            f"{grid.image or 'the image'}: the median of its {len(buildings)} footprints covers "
            f"{area:.1f} pixels{width}, fewer than the {LEAST_PIXELS} that can show damage; "
            f"{_finer(grid, metres)}"
        )
    warn_of_pixels(grid, buildings)


def warn_of_pixels(grid: Grid, buildings: Sequence[Building]) -> None:
    """Warn (OddPixelSize) of pixels that models do not know."""
    metres = metres_per_pixel(grid, buildings)
    if metres is None or FINEST <= metres <= COARSEST:
        return
    image = grid.image or "the image"
    how = "cubic" if metres > BEST else "average"
    warnings.warn(
        f"{image}: its pixels are {metres:.3g} m wide, the models are made for {FINEST} to "
        f"{COARSEST} m; bring it to {BEST} m ({_command(grid, metres, str(image), how)})",
        OddPixelSize,
        stacklevel=2,
    )


def _finer(grid: Grid, metres: float | None) -> str:
    """What to do where houses are too small."""
    if metres and metres <= COARSEST:
        return "check that the footprints are buildings and lie on this image"
    return (
        f"give an image of {FINEST} to {COARSEST} m a pixel, resampling this one adds no detail "
        f"(a finer one: {_command(grid, metres, 'FINER.tif', 'average')})"
    )


def _command(grid: Grid, metres: float | None, image: str, how: str) -> str:
    """How GDAL brings an image to :data:`BEST` metres per pixel."""
    if not grid.placed:
        if metres is None:
            return f"gdalwarp -t_srs EPSG:CODE -tr {BEST} {BEST} -r {how} {quote(image)} new.tif"
        share = f"{100 * metres / BEST:.0f}%"
        return (
            f"gdal_translate -outsize {share} {share} -r {how} {quote(image)} new.png, and its "
            "outlines alike"
        )
    return f"gdalwarp -t_srs {_metric(grid)} -tr {BEST} {BEST} -r {how} {quote(image)} new.tif"


def _metric(grid: Grid) -> str:
    """The UTM zone of the middle of a placed grid."""
    height, width = grid.shape
    ((lng, lat),) = grid.to_degrees()(np.array([[width / 2, height / 2]]))
    if not np.isfinite([lng, lat]).all():
        return "EPSG:CODE"
    return f"EPSG:{(326 if lat >= 0 else 327) * 100 + int((lng + 180) % 360 // 6) + 1}"
