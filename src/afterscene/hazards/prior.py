"""A coarse prior: where on the Earth a hazard is to be expected, as boxes drawn by hand.

The regions are those that each hazard's source names; the boxes and their weights are ours, at a
scale of ten degrees. They keep a sampler from drawing tornadoes in Lima and nothing more: inside a
box every town has the same weight, safe or not. For anything finer supply a layer
(:mod:`afterscene.regions.layers`).
"""

from dataclasses import dataclass

import numpy as np

CAVEAT = (
    "The built-in prior is a map of boxes at a scale of ten degrees, drawn by hand from the "
    "regions that its sources name: it weights places for sampling and says nothing about a single "
    "place."
)
Box = tuple[float, float, float, float, float]
"""West, south, east, north, weight in 0..1; where boxes overlap, the largest weight counts."""

PACIFIC: tuple[Box, ...] = (
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
"""The circum-Pacific belt, which several hazards share."""


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Weights of places: that of a box around the place, else ``elsewhere``; with their source."""

    boxes: tuple[Box, ...] = ()
    elsewhere: float
    source: str

    def weights(self, lng: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """(n,) weights in 0..1 of places at degrees ``lng``, ``lat``, (n,) each."""
        weight = np.full(np.shape(lng), self.elsewhere)
        for west, south, east, north, value in self.boxes:
            inside = (lng >= west) & (lng <= east) & (lat >= south) & (lat <= north)
            weight = np.where(inside, np.maximum(weight, value), weight)
        return weight
