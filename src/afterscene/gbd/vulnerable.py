"""Where to draw disasters: vulnerability = hazard x exposure x fragility, as sampling weights.

hazard: the likelihood of the hazard, from a layer of the user (1 wherever it has a value) or the
coarse prior. exposure: the number of buildings, counted in footprints, else estimated from the
population. fragility: the share of buildings with at least major damage at the layer's intensity,
by the hazard's own curve (1 under the prior, which has no intensity). Places are drawn without
replacement in proportion to the product (Efraimidis and Spirakis 2006), at least ``apart`` km from
each other. A weight selects places; it is never a label.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from afterscene.errors import BadParameter
from afterscene.geodata.distance import distance_km
from afterscene.hazards import HAZARDS, Hazard
from afterscene.hazards.prior import CAVEAT
from afterscene.regions import Footprint, Layer, Place

PEOPLE_A_BUILDING = 4.0
"""Our choice, for places without footprints; only ratios between places matter."""


@dataclass(frozen=True, kw_only=True)
class WeighedPlace:
    """A place and a hazard with the three factors.

    ``basis`` says where hazard and exposure come from.
    """

    place: Place
    hazard: str
    likelihood: float
    exposure: float
    fragility: float
    basis: str

    @property
    def weight(self) -> float:
        """The product of the three factors."""
        return self.likelihood * self.exposure * self.fragility

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        place = self.place
        return {
            "name": place.name,
            "country": place.country,
            "lng": place.lng,
            "lat": place.lat,
            "hazard": self.hazard,
            "likelihood": round(self.likelihood, 6),
            "exposure_buildings": round(self.exposure, 1),
            "fragility": round(self.fragility, 6),
            "weight": round(self.weight, 6),
            "basis": self.basis,
            "source": place.source,
        }


def count_buildings(
    places: Sequence[Place], footprints: Iterable[Footprint], reach_km: float = 10.0
) -> np.ndarray:
    """(n,) footprints within ``reach_km`` of each place (by the outline's bounds)."""
    counts = np.zeros(len(places))
    lng = np.array([p.lng for p in places])
    lat = np.array([p.lat for p in places])
    for footprint in footprints:
        west, south, east, north = footprint.outline.bounds
        x, y = (west + east) / 2, (south + north) / 2
        near = np.flatnonzero(np.abs(lat - y) < reach_km / 100)
        if near.size:
            counts[near] += distance_km(x, y, lng[near], lat[near]) <= reach_km
    return counts


def weigh(
    places: Sequence[Place],
    hazards: Sequence[str],
    *,
    layers: Sequence[Layer] = (),
    buildings: np.ndarray | None = None,
) -> list[WeighedPlace]:
    """All candidates with a weight above 0, place by place.

    ``buildings`` are counts from :func:`count_buildings`; without them population is used.

    Raises:
        UnknownName: a hazard is not known.
    """
    kinds = [HAZARDS.find(name) for name in hazards]
    if buildings is None:
        exposure = np.array([p.population for p in places]) / PEOPLE_A_BUILDING
        counted = "people / 4"
    else:
        exposure, counted = buildings, "footprints"
    supplied = {layer.hazard: layer for layer in layers}
    found = []
    for kind in kinds:
        likely, fragile, basis = _factors(kind, places, supplied.get(kind.name))
        for k in np.flatnonzero(likely * exposure * fragile > 0).tolist():
            found.append(
                WeighedPlace(
                    place=places[k],
                    hazard=kind.name,
                    likelihood=float(likely[k]),
                    exposure=float(exposure[k]),
                    fragility=float(fragile[k]),
                    basis=f"{basis}; {counted}",
                )
            )
    return found


def _factors(
    kind: type[Hazard], places: Sequence[Place], layer: Layer | None
) -> tuple[np.ndarray, np.ndarray, str]:
    if layer is None:
        lng, lat = np.array([(p.lng, p.lat) for p in places]).reshape(-1, 2).T
        likely = kind.prior.weights(lng, lat)
        return likely, np.ones(len(places)), f"prior ({kind.prior.source})"
    intensity = layer.at(places)
    fragile = np.array([kind.fragility.probabilities(float(x))[1] for x in intensity])
    return (intensity > 0).astype(float), fragile, layer.source


def choose_places(
    candidates: Sequence[WeighedPlace], count: int, *, seed: int, apart_km: float = 50.0
) -> list[WeighedPlace]:
    """``count`` candidates (fewer if they run out), hazards alternating, in the order drawn.

    Raises:
        BadParameter: there is nothing to choose from.
    """
    if not candidates:
        raise BadParameter(
            "no place has a weight above 0; give places, footprints and layers that overlap"
        )
    rng = np.random.default_rng(seed)
    # Key log(u) / w: the largest are a weighted sample without replacement.
    keys = np.log(rng.uniform(size=len(candidates))) / [c.weight for c in candidates]
    order = [candidates[k] for k in np.argsort(-keys, kind="stable")]
    hazards = list(dict.fromkeys(c.hazard for c in candidates))
    queues = {h: [c for c in order if c.hazard == h] for h in hazards}
    chosen: list[WeighedPlace] = []
    while len(chosen) < count and any(queues.values()):
        for hazard in hazards:
            queue = queues[hazard]
            while queue and _crowded(queue[0], chosen, apart_km):
                queue.pop(0)
            if queue and len(chosen) < count:
                chosen.append(queue.pop(0))
    return chosen


def _crowded(candidate: WeighedPlace, chosen: Sequence[WeighedPlace], apart_km: float) -> bool:
    if not chosen:
        return False
    lng, lat = [c.place.lng for c in chosen], [c.place.lat for c in chosen]
    far = distance_km(candidate.place.lng, candidate.place.lat, lng, lat)
    return bool(far.min() < apart_km)


def caveats(candidates: Sequence[WeighedPlace]) -> tuple[str, ...]:
    """What a user of the weights must know."""
    words = ["Weights select places; they are never labels, and not a forecast."]
    if any(c.basis.startswith("prior") for c in candidates):
        words.append(CAVEAT)
    if any("people" in c.basis for c in candidates):
        words.append("Exposure is one building per 4 people, as no footprints were given.")
    return tuple(words)
