"""Which places to draw disasters for: candidates, exposure, likelihood of a hazard.

Candidates (a gazetteer, or your own GeoJSON) -> exposure (footprints that others mapped) ->
likelihood (layers that others computed, or a coarse prior) -> weights for sampling. A layer at the
scale of a country says nothing about a house: weights select places, they are never labels.
"""

from afterscene.geodata.mapped import Footprint
from afterscene.regions.layers import Layer, read_layer
from afterscene.regions.places import Place, gazetteer, read_places

__all__ = [
    "Footprint",
    "Layer",
    "Place",
    "gazetteer",
    "read_layer",
    "read_places",
]
