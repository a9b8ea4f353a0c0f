"""A hazard of another package, all of it; ``tests/test_hail.py`` installs and uses it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from afterscene.hazards import Fragility, Hazard
from afterscene.hazards.parameters import parameter
from afterscene.hazards.prior import Prior


@dataclass(frozen=True, kw_only=True)
class Hail(Hazard):
    """Hail: stones in mm, one size everywhere."""

    name: ClassVar[str] = "hail"
    unit: ClassVar[str] = "mm"
    noun: ClassVar[str] = "a hailstorm"
    fragility: ClassVar[Fragility] = Fragility(
        medians=(30.0, 60.0, 120.0), betas=(0.3, 0.3, 0.3), source="this test"
    )
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


def install(folder, monkeypatch, name="hail") -> None:
    """As pip does with a package that names Hail under ``afterscene.hazards``."""
    about = folder / "afterscene_hail-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: afterscene-hail\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[afterscene.hazards]\n{name} = tests.hail:Hail\n")
    monkeypatch.syspath_prepend(str(folder))
