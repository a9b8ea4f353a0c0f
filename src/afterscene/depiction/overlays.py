"""Water and ash, painted over the scene by depth or load.

The field says how deep the water is or how much ash fell; :class:`~.evidence.Evidence` says what it
lies on. Colours were measured on `train` pairs of xBD's hurricane-florence and midwest-flooding:

* water (:mod:`.surface`): flooded woods keep their colour (33, 58, 31 before, 38, 60, 33 after).
  Shores are a pixel or two wide. Lakes and rivers of the image take the colour of the flood. Roofs
  stay above water until it reaches their eaves (assumed: 3 m per storey);
* ash: grey and dry. It hides a share 1 - exp(-load / 0.05 kPa) of the ground (0.05 kPa is about
  5 mm), less on leaves; tall things keep their shape and shadow. A flow buries everything.

Where the opacity is 0, the image does not change by a bit. A field in another unit changes nothing.
Nothing here is learned; the model card says which hazards are drawn this way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from afterscene.depiction.depiction import Uncovering
from afterscene.depiction.evidence import Evidence, rise
from afterscene.depiction.noise import combed_noise, smooth_noise
from afterscene.depiction.quake import shake
from afterscene.depiction.surface import Surface
from afterscene.geodata.damage import DamageLevel, DamageMap, instances, rasterize

EAVES, TREES = 3.0, 7.0  # metres: height of the eaves; depth that covers tree crowns
PITCH = 0.5  # metres that a roof rises for a metre from its edge
OPAQUE, DENSE = 0.15, 0.97  # metres of water at which it hides the most of the ground; that share
#: Unevenness of the ground: (pixels, metres).
SMALL = ((24, 0.05), (7, 0.03), (3, 0.02))
SHADOW, SHADE = 3.0, 0.35  # length of shadows in metres; share of light they take from water
LOAD, HIDES = 0.05, 0.9  # kPa of ash that hide 63% of that share; the largest share
FLOW = (2.0, 4.5)  # kPa over which a flow comes to cover the ground
DUSTED = 0.6  # the most that ash hides of what has fallen in
#: Colours of dry ash (by eye) and of a flow's deposit (post images of guatemala-volcano).
FALLEN, DEPOSIT = (0.50, 0.485, 0.455), (0.295, 0.29, 0.235)


@dataclass(frozen=True, kw_only=True)
class Water:
    """Standing water by depth in metres.

    turbid: 0 for dark clear water, 1 for muddy water; None: drawn from the seed. The parameters
    ``turbidity``, ``tone`` and ``waves`` of the damage map take precedence.
    """

    turbid: float | None = None

    def __call__(self, picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
        """``picture`` ``(H, W, 3)`` uint8 under water, same shape."""
        depth = damage.intensity.astype(np.float32)
        if damage.unit != "m" or not (depth > 0).any():
            return picture.copy()
        seen = Evidence.of(picture, damage)
        opacity = self.opacity(damage, seen, seed)
        surface = Surface.of(damage, self._turbidity(damage, seed), seed)
        layer = surface.painted(seen.light.shape, seen.gsd, seed)
        return veiled(picture, 255 * layer * self._shaded(seen)[..., None], opacity)

    def opacity(self, damage: DamageMap, seen: Evidence, seed: int) -> np.ndarray:
        """``(H, W)`` float32 in [0, 1]: how much of the ground the water hides.

        The shore is crisp and follows the unevenness of the ground. Crowns and roofs stay above
        the water until it is as deep as they are high. Water bodies that the flood reaches
        become part of it.
        """
        depth = damage.intensity.astype(np.float32)
        rng = np.random.default_rng((seed, 6))
        small = sum(smooth_noise(depth.shape, size, rng) * metres for size, metres in SMALL)
        over = np.where(depth > 0, depth - np.maximum(small, -depth), 0)
        over = np.where(seen.water & (seen.blurred(depth, 4.0) > 0.05), 9.0, over)
        opacity = np.clip(over / OPAQUE, 0, 1) * DENSE
        opacity *= 1 - seen.canopy * np.clip((TREES - over) / 2, 0, 1)
        inside = cv2.distanceTransform(seen.roofs.astype(np.uint8), cv2.DIST_L2, 3) * seen.gsd
        opacity[seen.roofs & (over < EAVES + PITCH * inside)] = 0
        return _seen(np.where(depth > 0, cv2.GaussianBlur(opacity, (0, 0), 0.6), opacity))

    def uncover(self, damage: DamageMap, seed: int) -> Uncovering:
        """How much of the final water a smaller depth shows: a crisp, uneven shore.

        On a roof none before it stands above the eaves there.
        """
        depth = damage.intensity
        roofs = instances(damage.buildings, depth.shape) > 0
        gsd = float(damage.parameters.get("gsd", 0.5))
        inside = cv2.distanceTransform(roofs.astype(np.uint8), cv2.DIST_L2, 3) * gsd
        rng = np.random.default_rng((seed, 6))
        small = sum(smooth_noise(depth.shape, size, rng) * metres for size, metres in SMALL)

        def shown(now: np.ndarray, progress: np.ndarray) -> np.ndarray:
            over = np.where(now > 0, now - np.maximum(small, -now), 0)
            last = np.maximum(depth - np.maximum(small, -depth), 1e-3)
            wet = np.clip(over / np.minimum(OPAQUE, last), 0, 1)
            return np.where(roofs, over >= EAVES + PITCH * inside, wet)

        return shown

    def _turbidity(self, damage: DamageMap, seed: int) -> float:
        drawn = float(np.random.default_rng((seed, 8)).uniform())
        otherwise = drawn if self.turbid is None else self.turbid
        return float(damage.parameters.get("turbidity", otherwise))

    def _shaded(self, seen: Evidence) -> np.ndarray:
        """``(H, W)``: light on the water, 1 in the open, less in shadows of roofs and crowns."""
        cast = seen.cast(seen.roofs | (seen.canopy > 0.5), SHADOW)
        return 1 - SHADE * cv2.GaussianBlur(cast.astype(np.float32), (0, 0), 0.7)


@dataclass(frozen=True, kw_only=True)
class Ash:
    """Fallen ash by load in kPa, and the deposit of a flow above :data:`FLOW` kPa."""

    def __call__(self, picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
        """``picture`` ``(H, W, 3)`` uint8 under ash, same shape."""
        if damage.unit != "kPa" or not (damage.intensity > 0).any():
            return picture.copy()
        seen = Evidence.of(picture, damage)
        under = veiled(picture, 255 * self._dust(seen), self.opacity(damage, seen))
        flow = rise(damage.intensity, *FLOW) * ~seen.roofs
        return veiled(under, 255 * self._deposit(seen, damage, seed), _seen(flow))

    def uncover(self, damage: DamageMap, seed: int) -> Uncovering:
        """How much of the final ash a smaller load shows."""
        last = np.maximum(1 - np.exp(-damage.intensity / LOAD), 1e-6)
        return lambda now, progress: np.clip((1 - np.exp(-now / LOAD)) / last, 0, 1)

    def bury(self, picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
        """``picture`` ``(H, W, 3)`` uint8 with its damaged houses: fallen in under ash, or buried.

        ``picture`` lies under ash already. Ruins are those of :func:`.quake.shake`, dusted; where a
        flow passed, the deposit covers destroyed houses but for some walls.
        """
        broken = shake(picture, damage, seed)
        if damage.unit != "kPa":
            return broken
        seen = Evidence.of(broken, damage)
        work = (broken != picture).any(axis=2)
        load = 1 - np.exp(-damage.intensity / LOAD)
        dusted = veiled(broken, 255 * self._dust(seen), _seen(DUSTED * load * work))
        passed = rise(damage.intensity, *FLOW)
        ground = _seen(passed * ~seen.roofs)  # rubble around a house is under the deposit
        dusted = veiled(dusted, picture.astype(np.float32), ground)
        rng = np.random.default_rng((seed, 9))
        rough = smooth_noise(work.shape, 7, rng) + 0.6 * smooth_noise(work.shape, 3, rng)
        gone = rasterize(damage.buildings, work.shape) == DamageLevel.DESTROYED
        flow = passed * gone * np.clip(0.8 - 0.35 * rough, 0, 1)
        return veiled(dusted, 255 * self._deposit(seen, damage, seed), _seen(flow))

    def _dust(self, seen: Evidence) -> np.ndarray:
        return np.array(FALLEN, np.float32) * self._relief(seen)[..., None]

    def opacity(self, damage: DamageMap, seen: Evidence) -> np.ndarray:
        """``(H, W)`` float32 in [0, 1]: how much of each surface the ash hides.

        Leaves and roof slopes hold less ash than ground and roads; in water it sinks.
        """
        if damage.unit != "kPa":
            return np.zeros(damage.intensity.shape, np.float32)
        holds = np.where(seen.water, 0.25, np.where(seen.roofs, 0.9, 1 - 0.25 * seen.canopy))
        return _seen((1 - np.exp(-damage.intensity / LOAD)) * HIDES * holds)

    def _relief(self, seen: Evidence) -> np.ndarray:
        """Brightness of the ash, 1 in the open: crowns and shadows keep their shape."""
        light = seen.blurred(seen.light, 0.35)
        around = seen.blurred(seen.light, 8.0)
        return np.clip(1 + 0.55 * (light - around) / np.maximum(around, 0.1), 0.45, 1.25)

    def _deposit(self, seen: Evidence, damage: DamageMap, seed: int) -> np.ndarray:
        """``(H, W, 3)``, 0 to 1: blocks and mud of a flow, in threads along its direction."""
        rng, shape = np.random.default_rng((seed, 7)), seen.light.shape
        bearing = float(damage.parameters.get("bearing", 0.0))
        threads = 1 - np.abs(combed_noise(shape, bearing, (150.0, 22.0), rng)) / 0.22
        lobes = combed_noise(shape, bearing, (90.0, 30.0), rng)
        fine = combed_noise(shape, bearing, (14.0, 3.0), rng)
        heaped = np.clip(smooth_noise(shape, 34, rng) - 0.5, 0, 1)
        blocks = heaped * np.clip(smooth_noise(shape, 2, rng) - 0.9, 0, 1)
        tone = 1 + 0.08 * lobes + 0.05 * fine + 0.12 * np.clip(threads, 0, 1) + 0.8 * blocks
        tone = tone + 0.05 * smooth_noise(shape, 9, rng) + seen.grain * rng.normal(0, 3, shape)
        return np.asarray(np.array(DEPOSIT, np.float32) * tone[..., None], np.float32)


def _seen(opacity: np.ndarray) -> np.ndarray:
    """float32, with invisibly small values set to 0."""
    return np.where(opacity < 0.02, 0, opacity).astype(np.float32)


def veiled(picture: np.ndarray, layer: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """``picture`` ``(H, W, 3)`` uint8 under ``layer`` (0 to 255) of that opacity ``(H, W)``."""
    if not opacity.any():
        return picture.copy()
    mixed = picture + opacity[..., None] * (layer - picture)
    return np.clip(mixed, 0, 255).round().astype(np.uint8)
