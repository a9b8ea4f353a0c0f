"""Ground heights for the water hazards: supplied, made from a seed, or from distance to water.

A single overhead image has no heights. An elevation raster is used if the user gives one; with a
water mask the land rises from the water (a crude substitute for "height above nearest drainage");
otherwise a valley with gentle bumps is drawn from the seed.
"""

import cv2
import numpy as np

from afterscene.errors import BadParameter
from afterscene.hazards.ground import Array, Ground, along_across
from afterscene.hazards.passage import Phase


def checked_raster(values: np.ndarray, ground: Ground, label: str) -> Array:
    """Return ``values`` as (H, W) float32, or raise ``BadParameter`` when they do not fit."""
    raster = np.asarray(values)
    if raster.shape != ground.shape or not np.isfinite(raster).all():
        raise BadParameter(
            f"{label} has shape {raster.shape} for a scene of {ground.shape}, or is not finite; "
            "give one finite number per pixel"
        )
    return raster.astype(np.float32)


def distance_to(mask: np.ndarray, ground: Ground) -> Array:
    """Return metres from each pixel to the nearest True pixel of ``mask``.

    Raises ``BadParameter`` for a mask without any True pixel.
    """
    wet = checked_raster(mask, ground, "water") > 0
    if not wet.any():
        raise BadParameter("the water mask is empty; mark the river or sea, or leave the mask out")
    dry = (~wet).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(dry, cv2.DIST_L2, 5)) * np.float32(ground.gsd)


def valley(
    ground: Ground,
    *,
    bearing: float,
    offset: float,
    slope: float,
    bumps: float,
    rng: np.random.Generator,
) -> Array:
    """Return heights >= 0 in m above the bottom of a winding valley.

    The valley runs along ``bearing``, ``offset`` m from the middle; its sides rise by ``slope``
    (m per m) with bumps of ``bumps`` m standard deviation over about 80 m.
    """
    phase, swing = rng.uniform(0, 2 * np.pi), rng.uniform(10, 40)
    rough = bumps * ground.noise(80.0, rng)
    cells = ground.lattice()
    along, across = along_across(cells.x, cells.y, ground.centre, bearing)
    thalweg = offset + swing * np.sin(phase + 2 * np.pi * along / 400.0)
    heights = cells.spread(slope * np.abs(across - thalweg)) + rough
    # One tile does not show the lowest ground of the event: use the bound of the noise.
    lowest = heights.min() if ground.site is None else np.float32(-2.5 * bumps)
    return np.asarray(heights - lowest, dtype=np.float32)


def rising(depth: np.ndarray) -> Phase:
    """Water that rises evenly to its final ``depth`` (H, W) in m, the deepest ground first.

    When it stands at a share s of the greatest depth D, a place with the final depth d has
    ``max(0, d - (1 - s) D)``.
    """
    share = np.clip(depth / max(float(depth.max()), 1e-6), 1e-4, 1).astype(np.float32)
    return Phase(onset=1 - share, growth=share)
