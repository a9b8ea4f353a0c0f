"""Why an image has no place on the Earth, and the GDAL command that gives it one.

Georeferences come in more ways than the one that we read (CRS and transform inside the file):
control points or a camera model (RPCs) that need a warp, a world file beside the image that knows
no CRS, a transform without a CRS. Which it is, is looked up when somebody needs to be told.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from afterscene.errors import AftersceneError
from afterscene.geodata.imagefiles import open_raster, sniff

if TYPE_CHECKING:
    from afterscene.geodata.grid import Grid

NOTHING = "give a GeoTIFF, or an xBD label whose outlines are in pixels"
_WORLD = (".tfw", ".tifw", ".tiffw", ".pgw", ".pngw", ".jgw", ".jpgw", ".jpegw", ".wld")
_RPC = (".rpb", "_rpc.txt", "_rpc.tre")


def why_no_place(grid: Grid) -> str:
    """The rest of a sentence: what there is instead of a place, and the command that helps."""
    if grid.image is None:
        return NOTHING
    try:
        return _inside(grid.image, grid) or _beside(grid.image) or NOTHING
    except AftersceneError:
        return NOTHING


def _inside(path: Path, grid: Grid) -> str:
    """What the file itself says."""
    new = f"{path.stem}-placed.tif"
    if sniff(path) == "GTiff":
        with open_raster(path) as source:
            points, crs = source.gcps
            rpcs = source.rpcs is not None
        if points:
            said = "" if crs else "-s_srs EPSG:CODE "
            return (
                f"it has {len(points)} ground control points and no transform; warp it (gdalwarp "
                f"{said}-r cubic {path} {new})"
            )
        if rpcs:
            return _rpcs("it has RPCs, the model of its camera,", path, new)
    if grid.transform is not None and grid.crs is None:
        return (
            "it has a transform but no CRS; say which (gdal_translate -a_srs EPSG:CODE "
            f"{path} {new})"
        )
    if grid.crs is not None:
        return (
            "it has a CRS but no usable transform; say where its edges lie (gdal_translate "
            f"-a_ullr LEFT TOP RIGHT BOTTOM {path} {new})"
        )
    return ""


def _beside(path: Path) -> str:
    """What a file beside it says: GDAL's, a world file, RPCs."""
    names = {p.name.casefold(): p.name for p in path.parent.iterdir()}
    name, stem, new = path.name.casefold(), path.stem.casefold(), f"{path.stem}-placed.tif"
    if other := names.get(f"{name}.aux.xml"):
        return f"its place may be in {other}; write it into a GeoTIFF (gdal_translate {path} {new})"
    for world in (names.get(f"{stem}{end}") or names.get(f"{name}w") for end in _WORLD):
        if world:
            return (
                f"its place is in the world file {world}, which names no CRS; write both into a "
                f"GeoTIFF (gdal_translate -a_srs EPSG:CODE {path} {new})"
            )
    for other in (names.get(f"{stem}{end}") for end in _RPC):
        if other:
            return _rpcs(f"it has RPCs, the model of its camera, in {other}", path, new)
    return ""


def _rpcs(what: str, path: Path, new: str) -> str:
    return f"{what} and no transform; warp it (gdalwarp -rpc -t_srs EPSG:CODE {path} {new})"
