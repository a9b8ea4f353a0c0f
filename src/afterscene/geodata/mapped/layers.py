"""Which layer of a file the buildings are in: the only one with polygons, or the one named so."""

import re
from collections.abc import Mapping
from pathlib import Path

from afterscene.errors import BadRegions

_POLYGONS = ("POLYGON", "SURFACE", "GEOMETRY", "UNKNOWN")
"""What stands in the name of a kind of geometry that may be polygons: that of MULTISURFACE, too."""


def choose_layer(path: Path, kinds: Mapping[str, str], wanted: str | None) -> str:
    """The layer to read of those (name to kind of geometry) that a file has.

    Raises BadRegions, with the list, where the file does not tell which it is.
    """
    if wanted is not None:
        if wanted in kinds:
            return wanted
        raise BadRegions(f"{path}: has no layer {wanted!r}; it has {_listed(kinds)}")
    fit = [name for name, kind in kinds.items() if may_be_polygons(kind)]
    named = [name for name in fit if _is_named_building(name)]
    for found in (fit, named):
        if len(found) == 1:
            return found[0]
    if not fit:
        raise BadRegions(
            f"{path}: has no layer of polygons ({_listed(kinds) or 'none at all'}); give a file "
            "with the outlines of buildings"
        )
    raise BadRegions(
        f"{path}: has {len(fit)} layers of polygons, and its names do not tell which one holds the "
        f"buildings; give one as {path.name}:LAYER out of {_listed(fit)}"
    )


def may_be_polygons(kind: str) -> bool:
    """Whether a layer of that kind of geometry can hold polygons."""
    return any(word in kind.upper() for word in _POLYGONS)


def _is_named_building(name: str) -> bool:
    """Whether a word of the name begins with "building": Buildings, gis_osm_buildings_a_free."""
    return any(word.startswith("building") for word in re.split(r"[\W_\d]+", name.casefold()))


def _listed(names: object) -> str:
    return ", ".join(sorted(map(str, names)))[:300]  # type: ignore[call-overload]
