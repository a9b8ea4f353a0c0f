"""Footprints for an assessment, from every format that the package reads.

JSON is an xBD label or GeoJSON (:mod:`afterscene.geodata.footprints`, which keeps the names of
buildings); all else goes through the streaming readers of :mod:`afterscene.regions.footprints`,
which trust neither suffix nor driver.
"""

from pathlib import Path

from afterscene.geodata.footprints import Footprints, Place, on_place, read_footprints
from afterscene.regions import footprints as mapped

JSON = (".json", ".geojson")


def read_outlines(path: Path, place: Place) -> Footprints:
    """The buildings of `path` on the grid; those of a file without names are numbered.

    Raises:
        MissingFile, BadLabel, BadRegions: the file is not there or cannot be used.
        BadParameter: it has coordinates on the Earth and the image has no place.
        MissingExtra: GeoParquet without the extra ``geo``.
    """
    if path.suffix.lower() in JSON:
        return read_footprints(path, place)
    found = [(f"building-{n}", f.outline) for n, f in enumerate(mapped.read_footprints(path))]
    return on_place(path, found, place)
