"""A hazard of another package, all of it; ``tests/test_hail.py`` installs and uses it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from afterscene.depiction import Depiction
from afterscene.geodata.damage import rasterize
from afterscene.hazards import Fragility, Hazard
from afterscene.hazards.parameters import parameter
from afterscene.hazards.prior import Prior
from tests import plugins


def dent(picture, damage, seed):
    """Pale dots on damaged roofs."""
    dots = np.random.default_rng(seed).random(picture.shape[:2]) < 0.3
    hit = (rasterize(damage.buildings, picture.shape[:2]) > 1) & dots
    return np.where(hit[..., None], np.uint8(230), picture)


@dataclass(frozen=True, kw_only=True)
class Hail(Hazard):
    """Hail: stones in mm, one size everywhere."""

    name: ClassVar[str] = "hail"
    unit: ClassVar[str] = "mm"
    noun: ClassVar[str] = "a hailstorm"
    fragility: ClassVar[Fragility] = Fragility(
        medians=(30.0, 60.0, 120.0), betas=(0.3, 0.3, 0.3), source="this test"
    )
    depiction: ClassVar[Depiction] = Depiction(sketch=dent, smeared=True, drawn_as="wind")
    reach_km: ClassVar[float] = 10.0
    prior: ClassVar[Prior] = Prior(
        boxes=((-104, 28, -80, 48, 1.0),), elsewhere=0.1, source="this test"
    )
    events: ClassVar[tuple[str, ...]] = ("munich-hail",)

    largest: float = parameter(100.0, "mm", "stones at severity 1", low=5, high=200)

    @classmethod
    def law(cls, rng):
        return {"largest": 60.0 + 100.0 * float(rng.uniform())}

    def intensity(self, ground, rng):
        return np.full(ground.shape, self.largest * self.severity), {"cloud": "cumulonimbus"}


def install(folder, monkeypatch, package="ice", name="hail") -> None:
    """As pip does with a ``package`` that names Hail under ``afterscene.hazards``."""
    plugins.install(folder, monkeypatch, package, f"hazards:{name}=tests.hail:Hail")
