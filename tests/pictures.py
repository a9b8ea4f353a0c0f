"""Pictures of a drawn town with a place on the Earth, and its roofs as footprints."""

import numpy as np
import shapely
from affine import Affine

from afterscene.geodata.scene import Scene, write_scene
from published import MAKERS

UTM = ("EPSG:32616", Affine(0.5, 0, 500_000, 0, -0.5, 3_340_000))


def town(height=256, width=256, gap=37, seed=0):
    """Ground with roofs 14 x 18 pixels at odd places; the pixels and the boxes (l, t, r, b)."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(70, 90, (3, height, width)).astype(np.uint8)
    boxes = []
    for top in range(6, height - 20, gap):
        for left in range(6, width - 24, gap):
            t, e = top + int(rng.integers(0, 9)), left + int(rng.integers(0, 9))
            boxes.append((e, t, e + 18, t + 14))
            pixels[:, t : t + 14, e : e + 18] = rng.integers(120, 230)
    return pixels, boxes


def scene_of(pixels, crs=UTM[0], transform=UTM[1], valid=None):
    valid = np.ones(pixels.shape[1:], bool) if valid is None else valid
    return Scene(pixels=pixels, valid=valid, crs=crs, transform=transform)


def outlines(scene, boxes, x=0, y=0):
    """The boxes in degrees, moved by (x, y) pixels."""
    return [
        shapely.Polygon(scene.lnglat(np.array(shapely.box(*b).exterior.coords) + np.array((x, y))))
        for b in boxes
    ]


def picture(folder, name="harbour", x=0, y=0, maker="any.geojsonl", **place):
    """``folder/pre/{name}.tif`` and a footprint file beside the folder."""
    pixels, boxes = town()
    scene = scene_of(pixels, **place)
    (folder / "pre").mkdir(parents=True, exist_ok=True)
    write_scene(scene, folder / "pre" / f"{name}.tif")
    return MAKERS[maker](folder / maker, outlines(scene, boxes, x, y)), scene, boxes
