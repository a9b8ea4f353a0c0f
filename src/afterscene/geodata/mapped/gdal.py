"""Footprints out of Shapefile, FlatGeobuf and KML, which GDAL reads (pyogrio, the extra ``geo``).

GDAL has a driver for most things, among them some that follow a file to other files and servers
(VRT, WFS). So a file must begin as one of these three, none of GDAL's languages for such links may
stand at its beginning, and the driver that takes it must be one of the three.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from afterscene.errors import BadParameter, BadRegions, MissingExtra
from afterscene.geodata.crs import WGS84, Way, way
from afterscene.geodata.grid import Bounds
from afterscene.geodata.leftout import LeftOut
from afterscene.geodata.mapped import wkb
from afterscene.geodata.mapped.layers import choose_layer
from afterscene.geodata.mapped.rows import UIDS, Row, name_in, placed

DRIVERS = ("ESRI Shapefile", "FlatGeobuf", "KML", "LIBKML")
_BEGINNINGS = (b"\0\0\x27\x0a", b"fgb\x03fgb")
_HEAD = 64 * 1024
_LINKS = (b"<OGR", b"<VRT", b"<GDAL", b"<WMS", b"<WFS", b"<!DOCTYPE", b"<!ENTITY", b"<NETWORKLINK")
_TOGETHER = 4096


def read_by_gdal(
    path: Path, within: Bounds | None, left_out: LeftOut, layer: str | None = None
) -> Iterator[Row]:
    """The rows of the layer of buildings. Raises BadRegions, MissingExtra."""
    _check_head(path)
    try:
        import pyogrio
        from pyogrio.errors import DataLayerError, DataSourceError, FieldError
    except ImportError as error:
        raise MissingExtra(
            f"{path}: {path.suffix.lower()} needs pyogrio, which is not installed; install it "
            f'with: pip install "afterscene[geo]", or convert the file (ogr2ogr {path.stem}.gpkg '
            f"{path.name})"
        ) from error
    where = str(path.absolute())
    try:
        kinds = {str(n): str(k or "UNKNOWN") for n, k in pyogrio.list_layers(where)}
        chosen = choose_layer(path, kinds, layer)
        said = pyogrio.read_info(where, layer=chosen)
        if said["driver"] not in DRIVERS:
            raise BadRegions(f"{path}: is a {said['driver']} file, not {path.suffix}; export it")
        names = [n for n in said["fields"] if n.casefold() in UIDS][:1]
        move = _way(path, said["crs"])
        with pyogrio.open_arrow(
            where, layer=chosen, columns=names, batch_size=_TOGETHER, use_pyarrow=True
        ) as (_, reader):
            for batch in reader:
                blobs = batch.column(batch.schema.names[-1]).to_pylist()
                uids = batch.column(names[0]).to_pylist() if names else [""] * len(blobs)
                for shape, uid in zip(placed(wkb.outlines(blobs), move), uids, strict=True):
                    yield Row(shape, path.name, None, name_in(uid))
    except (DataSourceError, DataLayerError, FieldError, OSError, RuntimeError) as error:
        words = (str(error).splitlines() or [""])[0][:160]
        raise BadRegions(f"{path}: cannot be read ({words}); export it again") from error


def _check_head(path: Path) -> None:
    """Raise BadRegions where it does not begin as what it is named."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    known = head.startswith(_BEGINNINGS)
    if path.suffix.lower() == ".kml":
        known = b"<kml" in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    link = next((words for words in _LINKS if words in head.upper()), None)
    if not known or link is not None:
        why = f"holds {link.decode()!r}" if link else f"begins with {head[:8]!r}"
        raise BadRegions(
            f"{path}: is not a plain {path.suffix.lower()} file (it {why}); export it again"
        )


def _way(path: Path, crs: str | None) -> Way | None:
    """The way to degrees; None where they are that already. Raises BadRegions."""
    if crs is None:
        raise BadRegions(
            f"{path}: says no reference system (a Shapefile has it in {path.stem}.prj); say which "
            f"it is in (ogr2ogr -a_srs EPSG:CODE out.gpkg {path.name})"
        )
    try:
        return None if crs in (WGS84, "OGC:CRS84") else way(crs, WGS84)
    except BadParameter as error:
        raise BadRegions(f"{path}: {error}") from error
