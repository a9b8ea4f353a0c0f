"""A coarse prior: where on the Earth a hazard is no surprise, as boxes drawn by hand.

The belts are those that the sources below name; the boxes and their weights are ours, at a scale
of ten degrees. They keep a sampler from drawing tornadoes in Lima and nothing more: inside a box
every town has the same weight, safe or not. For anything finer supply a layer
(:mod:`afterscene.regions.layers`).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from afterscene.errors import UnknownName
from afterscene.regions.places import Place

CAVEAT = (
    "The built-in prior is a map of boxes at a scale of ten degrees, drawn by hand from the belts "
    "that its sources name: it weighs places for sampling and says nothing about any one of them."
)
Box = tuple[float, float, float, float, float]
"""West, south, east, north, weight in 0..1; where boxes overlap the largest weight holds."""

_PACIFIC: tuple[Box, ...] = (
    (-82, -46, -62, 2, 1.0),  # the Andes
    (-106, 7, -77, 22, 1.0),  # Mexico and Central America
    (-126, 22, -110, 50, 0.8),  # California to Vancouver
    (-170, 50, -140, 64, 0.8),  # Alaska
    (128, 30, 150, 48, 1.0),  # Japan, Kurils
    (118, 4, 128, 26, 1.0),  # Philippines, Taiwan
    (94, -12, 156, 6, 1.0),  # Indonesia, New Guinea
    (156, -24, 180, -8, 0.8),  # Solomon Islands, Vanuatu
    (165, -48, 180, -34, 0.8),  # New Zealand
)
_ALPIDE: tuple[Box, ...] = (
    (-10, 34, 30, 46, 0.6),  # Mediterranean
    (26, 34, 63, 43, 0.9),  # Anatolia, Caucasus, Iran
    (63, 27, 98, 42, 0.9),  # Hindu Kush, Himalaya
    (98, 22, 106, 36, 0.8),  # Yunnan, Sichuan
)
_CYCLONES: tuple[Box, ...] = (
    (-100, 10, -55, 45, 1.0),  # North Atlantic, Caribbean, Gulf
    (-118, 14, -98, 32, 0.7),  # Pacific Mexico
    (105, 8, 146, 42, 1.0),  # western North Pacific
    (66, 6, 100, 26, 0.8),  # Bay of Bengal, Arabian Sea
    (32, -28, 60, -10, 0.7),  # Madagascar, Mozambique
    (112, -30, 180, -10, 0.7),  # Australia, South Pacific
)
_FIRE: tuple[Box, ...] = (
    (-125, 30, -114, 50, 1.0),  # US West
    (-10, 34, 30, 45, 0.9),  # Mediterranean
    (-76, -42, -69, -30, 0.8),  # central Chile
    (17, -35, 30, -30, 0.6),  # Cape
    (113, -44, 154, -27, 0.9),  # southern Australia
    (-125, 48, -100, 60, 0.5),  # western Canada
)

#: hazard -> (boxes, weight elsewhere, source)
PRIOR: Mapping[str, tuple[tuple[Box, ...], float, str]] = MappingProxyType(
    {
        "earthquake": (
            (*_PACIFIC, *_ALPIDE),
            0.03,
            "circum-Pacific and Alpide belts after USGS, Where do earthquakes occur? (FAQ)",
        ),
        "tsunami": (
            (*_PACIFIC, (80, 5, 98, 22, 0.5), (-10, 34, 36, 42, 0.4)),
            0.01,
            "Pacific rim first, after NOAA/NCEI, Tsunami Data and Information; coast not checked",
        ),
        "volcano": (
            (*_PACIFIC, (29, -4, 42, 14, 0.5), (12, 36, 16, 42, 0.6), (-25, 63, -13, 67, 0.8)),
            0.0,
            "arcs and rifts after Smithsonian Institution, Global Volcanism Program",
        ),
        "wind": (_CYCLONES, 0.0, "tropical cyclone basins after Knapp et al. 2010 (IBTrACS)"),
        "tornado": (
            ((-104, 28, -80, 48, 1.0), (86, 20, 94, 26, 0.6), (-65, -38, -48, -24, 0.5)),
            0.05,
            "Plains, Bangladesh, Rio de la Plata after Brooks et al. 2003 (Atmos. Res. 67-68)",
        ),
        "wildfire": (_FIRE, 0.05, "Mediterranean climates after Bowman et al. 2009 (Science 324)"),
        "flood": (
            ((66, 5, 125, 35, 1.0), (-90, 25, -75, 42, 0.7), (-5, 43, 30, 55, 0.6)),
            0.4,
            "river floods occur on every inhabited continent; Asia first after UNDRR 2020",
        ),
    }
)


def prior(hazard: str, places: Sequence[Place]) -> np.ndarray:
    """(n,) weights in 0..1. Raises UnknownName."""
    if hazard not in PRIOR:
        raise UnknownName(f"hazard {hazard!r} has no prior; choose one of: {', '.join(PRIOR)}")
    boxes, elsewhere, _ = PRIOR[hazard]
    lng = np.array([p.lng for p in places])
    lat = np.array([p.lat for p in places])
    weight = np.full(len(places), elsewhere)
    for west, south, east, north, value in boxes:
        inside = (lng >= west) & (lng <= east) & (lat >= south) & (lat <= north)
        weight = np.where(inside, np.maximum(weight, value), weight)
    return weight
