"""What every hazard is: a record of parameters whose call turns a scene into a damage map.

    intensity field (physical unit, over the scene's grid) -> intensity at each footprint
    -> capacity of each building (fragility curve, seeded) -> damage level

A new hazard is one file with one subclass that holds everything about it: a name, a noun, a unit,
a fragility with its source, a prior of where it occurs, the laws that its events follow, and
``intensity``, which must not decrease anywhere when ``severity`` increases and must draw the same
random numbers whatever the severity. Then damage is monotone in severity, building by building,
for the same seed; severity 0 is no event at all and is handled here.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from afterscene.depiction import Depiction, Evidence
from afterscene.geodata.damage import Building, DamageLevel, DamageMap
from afterscene.geodata.scene import Scene
from afterscene.hazards import parameters
from afterscene.hazards.fragility import Fragility, levels, own_quantiles
from afterscene.hazards.ground import Ground
from afterscene.hazards.parameters import parameter
from afterscene.hazards.passage import Passage
from afterscene.hazards.prior import Prior
from afterscene.hazards.site import Site
from afterscene.hazards.spoken import Spoken

Realised = Mapping[str, float | str]
Fields = dict[str, float | str]


@dataclass(frozen=True, kw_only=True)
class Hazard(ABC):
    """A disaster with parameters in units; ``hazard(scene, buildings, rng) -> DamageMap``.

    Every hazard has a ``name``, the ``unit`` of its intensity, its ``noun`` with an article and a
    ``fragility``; the other class variables and :meth:`law` have defaults.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    noun: ClassVar[str]
    #: Words of sentences that mean it; without any, its name.
    spoken: ClassVar[Spoken] = Spoken()
    fragility: ClassVar[Fragility]
    #: What part of its damage is painted, and what is left to a network.
    depiction: ClassVar[Depiction] = Depiction()
    #: Largest extent of an event, km: beyond it one field makes no sense, because another valley,
    #: shore or slope begins. Our choice.
    reach_km: ClassVar[float] = 3.0
    #: Where on the Earth it is to be expected.
    prior: ClassVar[Prior] = Prior(elsewhere=1.0, source="none: the same everywhere")
    #: Events with this kind of damage in data sets of xBD's layout, as in the names of the tiles.
    events: ClassVar[tuple[str, ...]] = ()
    #: Share of the capacity's variance that neighbours have in common, and the distance in metres.
    agreement: ClassVar[float] = 0.35
    agreement_length: ClassVar[float] = 60.0

    severity: float = parameter(0.5, "1", "0: no event; 1: the event as given", low=0, high=1)

    def __post_init__(self) -> None:
        parameters.check(self)

    @classmethod
    def law(cls, rng: np.random.Generator) -> Fields:
        """Fields of one event drawn from published laws; the others keep their defaults."""
        return {}

    @classmethod
    def draw_event(cls, rng: np.random.Generator) -> Fields:
        """What :meth:`law` draws, rounded to four significant digits, exact in a plan file."""
        fields = cls.law(rng)
        return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in fields.items()}

    @abstractmethod
    def intensity(self, ground: Ground, rng: np.random.Generator) -> tuple[np.ndarray, Realised]:
        """Return the (H, W) field >= 0 in ``unit`` and what was drawn (origin, bearing, ...)."""

    def passage(self, ground: Ground, rng: np.random.Generator, damage: DamageMap) -> Passage:
        """How the event that made ``damage`` passes over ``ground``, in the time of a film.

        ``rng`` is in the state in which :meth:`intensity` gets it. Here: everywhere at once.
        """
        return Passage()

    @classmethod
    def observed(cls, pre: Evidence, post: Evidence) -> np.ndarray | None:
        """The (H, W) field in ``unit`` as seen in a real pair; None if a picture cannot show it.

        It says where the hazard acted, with one value that makes it visible, not how strongly: for
        comparing drawn post images with real ones.
        """
        return None

    @classmethod
    def told(cls, post: Evidence, field: np.ndarray) -> Fields:
        """Parameters of the event that a real post image shows where ``field`` was observed."""
        return {}

    def capacities(self, g: np.ndarray, buildings: Sequence[Building], seed: int) -> np.ndarray:
        """Return (n, 3) intensities at which each building reaches minor, major, destroyed."""
        return self.fragility.capacities(g)

    def thresholds(self, ground: Ground, seed: int) -> np.ndarray:
        """Return (n, 3) intensities from which each building of ``ground`` has levels 2, 3 and 4.

        ``seed`` is the first that a call draws from its ``rng``.
        """
        shared = ground.noise(self.agreement_length, np.random.default_rng(seed))
        kept, rho = tuple(ground.buildings), self.agreement
        g = np.sqrt(rho) * ground.sample(shared) + np.sqrt(1 - rho) * own_quantiles(kept, seed)
        return self.capacities(g, kept, seed)

    def __call__(
        self,
        scene: Scene,
        buildings: Sequence[Building],
        rng: np.random.Generator,
        site: Site | None = None,
    ) -> DamageMap:
        """Return the same buildings, in order, with their damage levels, and the intensity raster.

        With a ``site`` the scene is part of an event: tiles that get the same state of ``rng``
        share its field. Earlier levels are ignored. The raster is (H, W) float32 in ``unit``.
        """
        kept = tuple(buildings)
        ground = Ground(scene, kept, site)
        seed = int(rng.integers(2**63))
        field, realised = self.intensity(ground, rng)
        if self.severity == 0:
            field = np.zeros(ground.shape)
        field = np.asarray(field, dtype=np.float32)
        reached = levels(ground.sample(field), self.thresholds(ground, seed))
        struck = tuple(
            replace(b, level=DamageLevel(int(k))) for b, k in zip(kept, reached, strict=True)
        )
        return DamageMap(
            buildings=struck,
            intensity=field,
            unit=self.unit,
            hazard=self.name,
            parameters={**parameters.scalars(self), **realised, "gsd": ground.gsd},
        )
