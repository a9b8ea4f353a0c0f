"""Hazards: physics that decides which building suffers which damage. No torch, no drawing.

``hazard(scene, buildings, rng) -> DamageMap``: a spatial intensity field in a physical unit, then a
damage level per building through fragility curves with a published source. Everything about one
hazard is in its file; other code gets it from :data:`HAZARDS` by the hazard's name. See
:mod:`afterscene.hazards.base` for the rules that every hazard obeys, and for how to add one.
"""

from dataclasses import fields
from numbers import Real
from typing import Any

from afterscene.depiction import Depiction
from afterscene.errors import BadParameter
from afterscene.hazards import parameters
from afterscene.hazards.base import Hazard
from afterscene.hazards.earthquake import Earthquake
from afterscene.hazards.flood import Flood
from afterscene.hazards.fragility import Fragility
from afterscene.hazards.parameters import FieldRow
from afterscene.hazards.tornado import Tornado
from afterscene.hazards.tsunami import Tsunami
from afterscene.hazards.volcano import Volcano
from afterscene.hazards.wildfire import Wildfire
from afterscene.hazards.wind import HurricaneWind
from afterscene.registry import Registry

__all__ = [
    "HAZARDS",
    "FieldRow",
    "Fragility",
    "Hazard",
    "depiction_of",
    "fields_of",
    "hazard_of",
    "make_hazard",
]

_ROWS = (Earthquake, HurricaneWind, Tornado, Wildfire, Flood, Tsunami, Volcano)
HAZARDS: Registry[type[Hazard]] = Registry("hazard", {kind.name: kind for kind in _ROWS})
"""Every hazard's class by its name, with those of installed packages."""


def make_hazard(name: str, severity: float, /, **params: Any) -> Hazard:
    """Return the hazard ``name`` at ``severity`` in [0, 1] with ``params`` as in ``fields_of``.

    Raises ``UnknownName`` for the hazard and ``BadParameter`` for an unknown or bad parameter.
    """
    kind = HAZARDS.find(name)
    known = [row.field for row in parameters.rows(kind) if row.field != "severity"]
    rasters = {field.name for field in fields(kind) if field.metadata.get("raster")}
    for param, value in params.items():
        if param not in known and (param not in rasters or isinstance(value, Real)):
            raise BadParameter(
                f"hazard {name!r} has no parameter {param!r}; choose from: {', '.join(known)}"
            )
    return kind(severity=severity, **params)


def fields_of(name: str) -> list[FieldRow]:
    """Return (field, unit, default, doc) of each scalar parameter. Raises ``UnknownName``."""
    return parameters.rows(HAZARDS.find(name))


def hazard_of(event: str) -> str | None:
    """The hazard of an event such as ``palu-tsunami``; None if no hazard lists it."""
    return next((name for name, kind in HAZARDS.items() if event in kind.events), None)


def depiction_of(name: str) -> Depiction:
    """How the hazard ``name`` is drawn; a hazard that is not registered gets the default."""
    return HAZARDS[name].depiction if name in HAZARDS else Depiction()
