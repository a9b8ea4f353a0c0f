"""What physics lays over the scene: water and ash, where the picture says that they can lie.

A field says how deep the water stands, or how much ash fell; :class:`~.evidence.Evidence` says on
what. Measured on `train` pairs of xBD's hurricane-florence and midwest-flooding:

* water: flooded woods stay as they were (33, 58, 31 before, 38, 60, 33 after), open ground goes
  dark where the water is clear (38, 58, 45) and brown where it carries mud (124, 105, 79); shores
  are a pixel or two wide; the lakes and rivers of the picture take the colour of the flood. Roofs
  stand above it until the depth passes their eaves (3 m a storey is assumed);
* ash: grey and dry, 1 - exp(-load / 0.05 kPa) of the ground hidden (0.05 kPa is about 5 mm), less
  on leaves; what is tall keeps its shape and its shadow. A flow buries everything.

Where the opacity is 0 the picture is unchanged to the bit. A field in another unit changes nothing.
Nothing here is learned; the card says which hazards are drawn this way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from afterscene.depiction.evidence import Evidence, rise
from afterscene.depiction.quake import shake
from afterscene.geodata.damage import DamageLevel, DamageMap, rasterize

EAVES, TREES = 3.0, 7.0  # metres: eaves of a storey; crowns whose tops the water reaches
OPAQUE, DENSE = 0.15, 0.97  # metres of water that hide the ground as far as they ever do, and that
#: Colour of flood water: hurricane-florence, midwest-flooding.
CLEAR, MUD = (0.11, 0.20, 0.17), (0.48, 0.40, 0.30)
#: Small heights of ground: pixels, metres. Drifts of colour: pixels, brightness.
SMALL = ((24, 0.05), (7, 0.03), (3, 0.02))
DRIFTS = ((160, 0.012), (40, 0.006), (14, 0.002))
SHADOW, SHADE = 3.0, 0.35  # metres; share of light that a shadow takes from water
LOAD, HIDES = 0.05, 0.9  # kPa of ash that hide two thirds of the ground; the most it ever does
FLOW = (2.0, 4.5)  # kPa: from here to there a flow covers the ground
DUSTED = 0.6  # the most that ash hides of what has fallen in
#: Colour of dry ash (ours), and of the flow's deposit (posts of guatemala-volcano).
FALLEN, DEPOSIT = (0.50, 0.485, 0.455), (0.295, 0.29, 0.235)


@dataclass(frozen=True, kw_only=True)
class Water:
    """Standing water by depth in metres, over the ground that the picture shows.

    turbid: 0 for water that is dark and clear, 1 for mud; None: drawn from the seed. A
    ``turbidity`` among the parameters of the damage map comes first.
    """

    turbid: float | None = None

    def __call__(self, picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
        """``picture`` ``(H, W, 3)`` uint8 under water, same shape."""
        depth = damage.intensity.astype(np.float32)
        if damage.unit != "m" or not (depth > 0).any():
            return picture.copy()
        seen = Evidence.of(picture, damage)
        opacity = self.opacity(damage, seen, seed)
        layer = self._layer(seen, self._turbidity(damage, seed), seed)
        return _veiled(picture, 255 * layer * self._shaded(seen)[..., None], opacity)

    def opacity(self, damage: DamageMap, seen: Evidence, seed: int) -> np.ndarray:
        """``(H, W)`` float32 in [0, 1]: how much of the ground the water hides.

        The shore is crisp and follows the small heights of the ground; crowns stand above the water
        until it is as deep as they are high, roofs until it passes their eaves. Water that was
        there before joins what reaches it.
        """
        depth = damage.intensity.astype(np.float32)
        rng = np.random.default_rng((seed, 6))
        small = sum(smooth_noise(depth.shape, size, rng) * metres for size, metres in SMALL)
        over = np.where(depth > 0, depth - np.maximum(small, -depth), 0)
        over = np.where(seen.water & (seen.blurred(depth, 4.0) > 0.05), 9.0, over)
        opacity = np.clip(over / OPAQUE, 0, 1) * DENSE
        opacity *= 1 - seen.canopy * np.clip((TREES - over) / 2, 0, 1)
        opacity[seen.roofs & (over < EAVES)] = 0
        return _seen(np.where(depth > 0, cv2.GaussianBlur(opacity, (0, 0), 0.6), opacity))

    def _layer(self, seen: Evidence, turbid: float, seed: int) -> np.ndarray:
        """Its colour, 0 to 1, with drifts of mud and the grain of the picture: ``(H, W, 3)``."""
        rng, shape = np.random.default_rng((seed, 5)), seen.light.shape
        tone = np.array(CLEAR) + turbid * np.subtract(MUD, CLEAR)
        tone = np.maximum(tone, np.quantile(seen.picture, 0.01, axis=(0, 1)))
        drift = sum(smooth_noise(shape, size, rng) * weight for size, weight in DRIFTS)
        grain = cv2.GaussianBlur(rng.normal(0, 1, shape).astype(np.float32), (0, 0), 0.45) / 0.72
        light = (0.3 + 0.7 * turbid) * drift + seen.grain * grain
        return np.asarray(tone + light[..., None] * np.array((1.0, 0.95, 0.85)), np.float32)

    def _turbidity(self, damage: DamageMap, seed: int) -> float:
        drawn = float(np.random.default_rng((seed, 8)).uniform())
        otherwise = drawn if self.turbid is None else self.turbid
        return float(damage.parameters.get("turbidity", otherwise))

    def _shaded(self, seen: Evidence) -> np.ndarray:
        """Light that reaches the water beside roofs and crowns, 1 in the open: ``(H, W)``."""
        cast = seen.cast(seen.roofs | (seen.canopy > 0.5), SHADOW)
        return 1 - SHADE * cv2.GaussianBlur(cast.astype(np.float32), (0, 0), 0.7)


@dataclass(frozen=True, kw_only=True)
class Ash:
    """Fallen ash by its load in kPa, and what a flow of more than :data:`FLOW` kPa left behind."""

    def __call__(self, picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
        """``picture`` ``(H, W, 3)`` uint8 under ash, same shape."""
        if damage.unit != "kPa" or not (damage.intensity > 0).any():
            return picture.copy()
        seen = Evidence.of(picture, damage)
        under = _veiled(picture, 255 * self._dust(seen), self.opacity(damage, seen))
        flow = rise(damage.intensity, *FLOW) * ~seen.roofs
        return _veiled(under, 255 * self._deposit(seen, damage, seed), _seen(flow))

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
        dusted = _veiled(broken, 255 * self._dust(seen), _seen(DUSTED * load * work))
        passed = rise(damage.intensity, *FLOW)
        ground = _seen(passed * ~seen.roofs)  # rubble around a house is under the deposit
        dusted = _veiled(dusted, picture.astype(np.float32), ground)
        rng = np.random.default_rng((seed, 9))
        rough = smooth_noise(work.shape, 7, rng) + 0.6 * smooth_noise(work.shape, 3, rng)
        gone = rasterize(damage.buildings, work.shape) == DamageLevel.DESTROYED
        flow = passed * gone * np.clip(0.8 - 0.35 * rough, 0, 1)
        return _veiled(dusted, 255 * self._deposit(seen, damage, seed), _seen(flow))

    def _dust(self, seen: Evidence) -> np.ndarray:
        return np.array(FALLEN, np.float32) * self._relief(seen)[..., None]

    def opacity(self, damage: DamageMap, seen: Evidence) -> np.ndarray:
        """``(H, W)`` float32 in [0, 1]: how much of each surface the ash hides.

        Leaves and slopes of roofs hold less of it than ground and roads; in water it sinks.
        """
        if damage.unit != "kPa":
            return np.zeros(damage.intensity.shape, np.float32)
        holds = np.where(seen.water, 0.25, np.where(seen.roofs, 0.9, 1 - 0.25 * seen.canopy))
        return _seen((1 - np.exp(-damage.intensity / LOAD)) * HIDES * holds)

    def _relief(self, seen: Evidence) -> np.ndarray:
        """How light ash lies on each place, 1 in the open: crowns and shadows keep their shape."""
        light = seen.blurred(seen.light, 0.35)
        around = seen.blurred(seen.light, 8.0)
        return np.clip(1 + 0.55 * (light - around) / np.maximum(around, 0.1), 0.45, 1.25)

    def _deposit(self, seen: Evidence, damage: DamageMap, seed: int) -> np.ndarray:
        """Blocks and mud of a flow in threads along its way, 0 to 1: ``(H, W, 3)``."""
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


def turbidity_of(colour: np.ndarray) -> float:
    """The ``turbidity`` whose water is nearest in colour, ``(3,)`` 0 to 1."""
    way = np.subtract(MUD, CLEAR)
    return float(np.clip((colour - np.array(CLEAR)) @ way / (way @ way), 0, 1))


def _seen(opacity: np.ndarray) -> np.ndarray:
    """Without what nobody would see: float32."""
    return np.where(opacity < 0.02, 0, opacity).astype(np.float32)


def _veiled(picture: np.ndarray, layer: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    if not opacity.any():
        return picture.copy()
    mixed = picture + opacity[..., None] * (layer - picture)
    return np.clip(mixed, 0, 255).round().astype(np.uint8)


def smooth_noise(shape: tuple[int, int], size: int, rng: np.random.Generator) -> np.ndarray:
    """Unit-variance smooth noise with features of ``size`` pixels: ``(H, W)`` float32."""
    height, width = shape
    coarse = rng.normal(0, 1, (height // size + 3, width // size + 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def combed_noise(
    shape: tuple[int, int], bearing: float, sizes: tuple[float, float], rng: np.random.Generator
) -> np.ndarray:
    """Smooth noise with features so many pixels long along a compass bearing, and wide: float32."""
    far = float(np.hypot(*shape)) / 2
    knots = [int(np.ceil(2 * far / size)) + 4 for size in sizes]
    coarse = rng.normal(0, 1, knots).astype(np.float32)
    y, x = (np.arange(n, dtype=np.float32) - n / 2 for n in shape)
    turn = np.deg2rad(bearing)
    along = (x[None] * np.sin(turn) - y[:, None] * np.cos(turn) + far) / sizes[0] + 1
    across = (x[None] * np.cos(turn) + y[:, None] * np.sin(turn) + far) / sizes[1] + 1
    maps = (across.astype(np.float32), along.astype(np.float32))
    return np.asarray(cv2.remap(coarse, *maps, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT))
