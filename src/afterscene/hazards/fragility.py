"""From intensity to damage: lognormal fragility curves as capacities of single buildings.

A fragility curve is ``P(level >= k | x) = Phi(ln(x / theta_k) / beta_k)`` (HAZUS; Shinozuka et al.
2000). For one building this means that it reaches level k when ``x >= theta_k exp(beta_k g)``, its
capacity, with g standard normal. g is drawn once, from the seed and the building's uid, and never
depends on the hazard's strength, so that damage can only increase with intensity (common random
numbers) and does not change when other buildings are added or removed.

Neighbours are correlated because g is partly shared: ``g = sqrt(rho) s + sqrt(1 - rho) e`` with s a
smooth field over the scene and e the building's own.
"""

import hashlib
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from afterscene.geodata.damage import Building

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Fragility:
    """Lognormal curves for minor, major and destroyed.

    ``medians``: intensity at which half of the buildings reach the level (hazard's unit);
    ``betas``: standard deviation of ln(capacity); ``source``: author, year, table.
    """

    medians: tuple[float, float, float]
    betas: tuple[float, float, float]
    source: str

    def __post_init__(self) -> None:
        assert 0 < self.medians[0] <= self.medians[1] <= self.medians[2], self.medians
        assert min(self.betas) > 0, self.betas

    def capacities(self, g: Array) -> Array:
        """Return (n, 3) intensities at which buildings with quantiles ``g`` (n,) reach a level.

        Where curves of unequal beta cross, the higher level is not reached before the lower one.
        """
        theta, beta = np.array(self.medians), np.array(self.betas)
        return np.maximum.accumulate(theta * np.exp(beta * g[:, None]), axis=1)

    def probabilities(self, x: float) -> tuple[float, float, float]:
        """Return P(at least minor), P(at least major), P(destroyed) at intensity ``x``."""
        if x <= 0:
            return 0.0, 0.0, 0.0
        z = [math.log(x / m) / b for m, b in zip(self.medians, self.betas, strict=True)]
        p1, p2, p3 = (0.5 * (1 + math.erf(v / math.sqrt(2))) for v in z)
        return p1, min(p1, p2), min(p1, p2, p3)


def levels(x: Array, capacities: Array) -> NDArray[np.int64]:
    """Return (n,) damage levels 1..4 of buildings at intensities ``x`` (n,); x <= 0 gives 1."""
    return 1 + ((x[:, None] >= capacities) & (x[:, None] > 0)).sum(axis=1)


def lot(building: Building, seed: int, purpose: str) -> float:
    """Return a number in (0, 1) fixed by seed, purpose and the building's uid.

    A building without uid is identified by its position.
    """
    name = building.uid or building.polygon.wkt
    digest = hashlib.blake2b(f"{seed}/{purpose}/{name}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**64


def own_quantiles(buildings: tuple[Building, ...], seed: int) -> Array:
    """Return (n,) standard normal quantiles, one for each building."""
    normal = NormalDist()
    # 2**-54 keeps the argument inside (0, 1) after rounding to double.
    draws = (min(max(lot(b, seed, "capacity"), 2**-54), 1 - 2**-53) for b in buildings)
    return np.array([normal.inv_cdf(u) for u in draws], dtype=np.float64)
