"""How strong a hazard may be at a place, from layers that the user supplies.

===================  ===============================================  =======================
file                 what it is                                       value
===================  ===============================================  =======================
``.tif``             any raster (GEM or GSHAP PGA, JRC or Aqueduct    as the user says: g, m,
                     flood depth, GAR wind), any CRS                  m/s, kPa
``grid.xml``         USGS ShakeMap                                    PGA, %g in the file, g here
``.csv``             IBTrACS (NOAA), second row are units             strongest 1-minute wind
                                                                      within 100 km, knots -> m/s
===================  ===============================================  =======================

The publishers of such layers say that they are not for local use: they weight places and label
nothing. Rasters are read in windows of one pixel through the allow-list of
:mod:`afterscene.geodata.imagefiles`; XML with a document type (entity bombs, external files) is
refused.
"""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from afterscene.errors import BadRegions, MissingFile
from afterscene.geodata.distance import distance_km
from afterscene.geodata.overview import values_at
from afterscene.hazards.earthquake import Earthquake
from afterscene.hazards.wind import HurricaneWind
from afterscene.regions.places import Place

LARGEST = 256 * 2**20
"""Bytes of a text layer; IBTrACS with all storms since 1980 has 180 MB."""
KNOT = 0.514444
REACH_KM = 100.0


@dataclass(frozen=True, kw_only=True)
class Layer:
    """``at(places)`` gives (n,) intensities in ``unit``, 0 where the layer has no value."""

    hazard: str
    unit: str
    source: str
    at: Callable[[Sequence[Place]], np.ndarray]


def read_layer(path: Path, hazard: str | None = None, unit: str | None = None) -> Layer:
    """The layer in a file; ``hazard`` and ``unit`` are for rasters, which do not say.

    Raises:
        MissingFile: there is no such file.
        BadRegions: it is not a layer that we can read, or it is damaged.
    """
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such hazard layer; check the path")
    name = path.name.lower()
    if name.endswith((".tif", ".tiff")):
        return _raster(path, hazard, unit)
    if name.endswith(".xml"):
        return _shakemap(path)
    if name.endswith(".csv"):
        return _ibtracs(path)
    raise BadRegions(
        f"{path} is not a hazard layer that we can read; give a GeoTIFF, a ShakeMap grid.xml or "
        "an IBTrACS CSV"
    )


def _raster(path: Path, hazard: str | None, unit: str | None) -> Layer:
    if hazard is None or unit is None:
        raise BadRegions(f"{path}: a raster does not say its hazard; give HAZARD=FILE")

    def at(places: Sequence[Place]) -> np.ndarray:
        found = values_at(path, np.array([(p.lng, p.lat) for p in places]).reshape(-1, 2))
        return np.maximum(np.nan_to_num(found), 0.0)

    at([])  # reports now what is wrong with the file
    return Layer(hazard=hazard, unit=unit, source=path.name, at=at)


def _small(path: Path) -> None:
    if path.stat().st_size > LARGEST:
        raise BadRegions(
            f"{path}: {path.stat().st_size:,} bytes are more than the limit of {LARGEST:,}; "
            "cut it to your region"
        )


class _HasDoctype(Exception):
    """The XML declares a document type: entities may follow, and none is ever read."""


class _Plain(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Stop at a document type, before its entities, in whatever encoding it is written."""
        raise _HasDoctype(name)


def _shakemap(path: Path) -> Layer:
    _small(path)
    try:
        root = ElementTree.fromstring(path.read_bytes(), ElementTree.XMLParser(target=_Plain()))
        names = {e.get("name", "").lower(): e for e in root if e.tag.endswith("grid_field")}
        data = next(e for e in root if e.tag.endswith("grid_data"))
        values = np.array((data.text or "").split(), float).reshape(-1, len(names))
        lng, lat, pga = (
            values[:, int(names[n].get("index", "")) - 1] for n in ("lon", "lat", "pga")
        )
        percent = names["pga"].get("units", "").lower() in ("pctg", "%g")
    except _HasDoctype as error:
        raise BadRegions(
            f"{path} declares a document type, which a ShakeMap has not; download it again"
        ) from error
    except (ElementTree.ParseError, StopIteration, ValueError, LookupError) as error:
        raise BadRegions(
            f"{path} is not a ShakeMap grid with lon, lat and pga ({error or 'no grid_data'}); "
            "download grid.xml again"
        ) from error
    if not len(lng) or not np.isfinite(values).all():
        raise BadRegions(f"{path}: its grid is empty or not finite; download grid.xml again")
    g = pga / 100 if percent else pga
    step = max(np.ptp(lng), np.ptp(lat)) / max(1.0, math.sqrt(len(lng)))

    def at(places: Sequence[Place]) -> np.ndarray:
        out = np.zeros(len(places))
        for k, place in enumerate(places):
            far = np.maximum(np.abs(lng - place.lng), np.abs(lat - place.lat))
            near = int(far.argmin())
            out[k] = g[near] if far[near] <= step else 0.0
        return out

    return Layer(
        hazard=Earthquake.name, unit=Earthquake.unit, source=f"ShakeMap {path.name}", at=at
    )


def _ibtracs(path: Path) -> Layer:
    _small(path)
    wanted = ("LAT", "LON", "USA_WIND")
    points = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = csv.DictReader(file)
            missing = [n for n in wanted if n not in (rows.fieldnames or ())]
            if missing:
                raise BadRegions(f"{path}: has no column {missing[0]}; give an IBTrACS v04 CSV")
            units = next(rows, {})  # the second row: degrees_north, degrees_east, kts
            if "degrees" not in str(units.get("LAT", "")):
                raise BadRegions(
                    f"{path}: its second row holds no units (LAT: {units.get('LAT')!r}); "
                    "give an unchanged IBTrACS v04 CSV"
                )
            for row in rows:
                point = [_number(row.get(name)) for name in wanted]
                if not any(math.isnan(v) for v in point):
                    points.append(point)
    except csv.Error as error:
        raise BadRegions(f"{path} is not a CSV file ({error}); download it again") from error
    if not points:
        raise BadRegions(f"{path} has no track point with a wind; give a file with USA_WIND")
    lat, lng, knots = np.array(points).T

    def at(places: Sequence[Place]) -> np.ndarray:
        out = np.zeros(len(places))
        for k, place in enumerate(places):
            near = distance_km(place.lng, place.lat, lng, lat) <= REACH_KM
            out[k] = (knots[near] * KNOT).max(initial=0.0)
        return out

    return Layer(
        hazard=HurricaneWind.name, unit=HurricaneWind.unit, source=f"IBTrACS {path.name}", at=at
    )


def _number(text: str | None) -> float:
    """The number; NaN if it is missing or not a number."""
    try:
        value = float(text or "nan")
    except ValueError:
        return math.nan
    return value if abs(value) <= 360 else math.nan
