"""Scenes, buildings, labels and tiles: everything about the Earth, nothing about networks.

numpy, rasterio, shapely and OpenCV only; no torch. ``scene`` is the picture with its place,
``damage`` the buildings and their raster, ``xbd`` the dataset, ``tiles`` the windows.
"""

from afterscene.geodata.damage import Building, DamageLevel, DamageMap, instances, rasterize
from afterscene.geodata.pair import LabelledPair, read_pair, read_pairs
from afterscene.geodata.scene import Scene, read_scene, read_tags, write_scene
from afterscene.geodata.tiles import Window, feather, tiles
from afterscene.geodata.xbd import (
    EVENTS,
    METADATA_FIELDS,
    Pair,
    XbdLabel,
    XbdTree,
    fit_lnglat,
    make_label,
    read_label,
    write_label,
)

__all__ = [
    "EVENTS",
    "METADATA_FIELDS",
    "Building",
    "DamageLevel",
    "DamageMap",
    "LabelledPair",
    "Pair",
    "Scene",
    "Window",
    "XbdLabel",
    "XbdTree",
    "feather",
    "fit_lnglat",
    "instances",
    "make_label",
    "rasterize",
    "read_label",
    "read_pair",
    "read_pairs",
    "read_scene",
    "read_tags",
    "tiles",
    "write_label",
    "write_scene",
]
