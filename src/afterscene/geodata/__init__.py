"""Scenes, buildings, labels and tiles: everything about the Earth, nothing about networks.

numpy, rasterio, shapely and OpenCV only; no torch. ``scene`` is the picture with its place,
``damage`` the buildings and their raster, ``xbd`` the dataset, ``tiles`` the windows.
"""

from typing import TYPE_CHECKING

from afterscene.lazy import imported_on_demand

if TYPE_CHECKING:
    from afterscene.geodata.damage import Building, DamageLevel, DamageMap, instances, rasterize
    from afterscene.geodata.pair import LabelledPair, read_pair, read_pairs
    from afterscene.geodata.scene import Scene, read_scene, read_tags, write_scene
    from afterscene.geodata.tiles import Window, feather
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
    "write_label",
    "write_scene",
]

#: Where each name is; a packed training runs where neither OpenCV nor rasterio is installed.
_WHERE = {
    "Building": "damage",
    "DamageLevel": "damage",
    "DamageMap": "damage",
    "instances": "damage",
    "rasterize": "damage",
    "LabelledPair": "pair",
    "read_pair": "pair",
    "read_pairs": "pair",
    "Scene": "scene",
    "read_scene": "scene",
    "read_tags": "scene",
    "write_scene": "scene",
    "Window": "tiles",
    "feather": "tiles",
    "EVENTS": "xbd",
    "METADATA_FIELDS": "xbd",
    "Pair": "xbd",
    "XbdLabel": "xbd",
    "XbdTree": "xbd",
    "fit_lnglat": "xbd",
    "make_label": "xbd",
    "read_label": "xbd",
    "write_label": "xbd",
}


__getattr__ = imported_on_demand(__name__, _WHERE)
