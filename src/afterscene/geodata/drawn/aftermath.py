"""The aftermath of a drawn town: a crude physical rendering of what a damage map did.

For training posts of drawn towns in tests and in the demo without data, where no real post image
exists. What the map damages is repainted (ash and rubble, torn roofs and tarps, water by depth,
grey deposits), the ground follows the intensity field; a pixel that nothing reached
keeps its value.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from afterscene.errors import BadParameter, UnknownName
from afterscene.geodata.damage import DamageLevel, DamageMap
from afterscene.geodata.drawn.ruin import ASHES, BRICK, WOOD, Wreck
from afterscene.geodata.scene import Scene

MINOR, MAJOR, DESTROYED = DamageLevel.MINOR, DamageLevel.MAJOR, DamageLevel.DESTROYED
TARP = (0.16, 0.33, 0.62)
SCRAPS = ((0.80, 0.79, 0.76), (0.62, 0.54, 0.44), (0.38, 0.34, 0.30), (0.70, 0.66, 0.60))


def draw_aftermath(scene: Scene, damage: DamageMap, seed: int) -> Scene:
    """Return ``scene`` (8-bit RGB) after ``damage``, on the same grid, drawn from ``seed``.

    ``source`` gets " | drawn aftermath: <hazard>, seed <seed>". Raises ``UnknownName`` for a hazard
    without a drawing and ``BadParameter`` when scene and damage map differ in size.
    """
    if damage.intensity.shape != scene.shape:
        raise BadParameter(
            f"damage map of {damage.intensity.shape} for a scene of {scene.shape}; "
            "make the map from this scene"
        )
    after = paint_aftermath(scene.rgb(), damage, seed)
    return scene.replace(
        pixels=np.ascontiguousarray(after.transpose(2, 0, 1)),
        source=f"{scene.source} | drawn aftermath: {damage.hazard}, seed {seed}",
    )


def paint_aftermath(picture: np.ndarray, damage: DamageMap, seed: int) -> np.ndarray:
    """The same on a picture ``(H, W, 3)`` uint8. Raises ``UnknownName``."""
    if damage.hazard not in _DRAWERS:
        raise UnknownName(
            f"no drawing of hazard {damage.hazard!r}; choose one of: {', '.join(_DRAWERS)}"
        )
    rng = np.random.default_rng([seed, 0xAF7E])
    wreck = Wreck.of(picture, damage, rng)
    _DRAWERS[damage.hazard](wreck)
    return wreck.rgb()


def _rise(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return 0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _collapse(wreck: Wreck, colours: tuple, *, spread: float, grain: float = 2.2) -> None:
    """Turn destroyed footprints into heaps that spill over their edges."""
    heap = wreck.ragged(wreck.at(DESTROYED), spread)
    wreck.paint(wreck.rubble(colours, grain=grain), 0.95 * heap)


def _wildfire(wreck: Wreck) -> None:
    burnt = _rise(wreck.damage.intensity, 4, 14)
    patchy = burnt * np.clip(0.8 + 0.35 * wreck.noise(30.0, 12.0), 0, 1)
    grey = wreck.picture.mean(axis=2, keepdims=True)
    trees, grass = wreck.crowns(), wreck.green()
    open_ground = patchy * (wreck.index == 0) * (1 - wreck.blue())
    ash = np.array((1.05, 0.97, 0.86), np.float32) * (0.72 * grey + 0.07)
    wreck.paint(ash, open_ground * np.clip(0.35 + 0.6 * grass, 0, 1))
    black = np.array((0.20, 0.18, 0.15), np.float32) * (1 + 0.3 * wreck.noise(2.0, 4.0))[..., None]
    wreck.paint(black, open_ground * trees * np.clip(0.75 + 0.4 * wreck.noise(14.0), 0, 1))
    scorch = wreck.around(MAJOR, 9.0) * (wreck.index == 0) * burnt
    wreck.shade(1 - 0.3 * np.clip(0.6 + 0.5 * wreck.noise(8.0, 4.0), 0, 1), scorch)
    _collapse(wreck, ASHES, spread=2.5, grain=1.8)
    soot = wreck.noise(5.0, 2.5) > 0.6
    wreck.shade(np.full(wreck.shape, 0.62, np.float32), soot * wreck.at(DESTROYED))
    half = wreck.parts(MAJOR, (0.4, 0.65), lumpy=0.3)
    wreck.paint(0.55 * wreck.rubble(ASHES), 0.95 * half)
    wreck.paint((0.14, 0.13, 0.12), 0.75 * wreck.parts(MINOR, (0.1, 0.22), lumpy=0.5))


def _torn(wreck: Wreck) -> None:
    """Open roofs: tarps and bare boards on minor, rafters and holes on major."""
    boards = wreck.rubble(WOOD, grain=1.6)
    wreck.paint(boards, 0.9 * wreck.parts(MINOR, (0.06, 0.16), lumpy=0.7))
    tarp = wreck.parts(MINOR, (0.0, 0.3), lumpy=0.0)
    wreck.paint(np.array(TARP) * (1 + 0.06 * wreck.noise(2.5))[..., None], 0.9 * tarp)
    wreck.paint(boards, 0.95 * wreck.parts(MAJOR, (0.35, 0.6), lumpy=0.45))
    wreck.paint((0.13, 0.12, 0.11), 0.85 * wreck.parts(MAJOR, (0.1, 0.25), lumpy=0.8))


def _wind(wreck: Wreck) -> None:
    gust = _rise(wreck.damage.intensity, 30, 65)
    trees = wreck.crowns() * gust
    bare = np.array((0.36, 0.31, 0.24), np.float32)
    twigs = (1 + 0.28 * wreck.noise(1.8, 4.0))[..., None]
    stripped = np.clip(0.55 + 0.5 * wreck.noise(20.0, 8.0), 0, 1)
    wreck.paint(bare * twigs, 0.85 * trees * stripped)
    _torn(wreck)
    _collapse(wreck, WOOD, spread=6.0)
    litter = 0.02 * gust**2 * (0.3 + wreck.around(MINOR, 14.0))
    litter = litter + 0.06 * wreck.around(MAJOR, 12.0) + 0.16 * wreck.around(DESTROYED, 16.0)
    wreck.debris(litter * np.clip(0.6 + 0.5 * wreck.noise(12.0), 0, 2), SCRAPS)


def _tornado(wreck: Wreck) -> None:
    swath = _rise(wreck.damage.intensity, 35, 75)
    soil = np.array((0.47, 0.41, 0.33), np.float32) * (1 + 0.12 * wreck.noise(3.0, 9.0))[..., None]
    wreck.paint(soil, 0.7 * swath * wreck.green() * np.clip(0.6 + 0.5 * wreck.noise(15.0), 0, 1))
    wreck.debris(0.12 * swath * np.clip(0.7 + 0.6 * wreck.noise(10.0), 0, 2), SCRAPS)
    _wind(wreck)


def _water(wreck: Wreck, murk: tuple[float, float, float]) -> np.ndarray:
    """Lay brown water by depth around the houses; return how wet each pixel is (0..1)."""
    depth = wreck.damage.intensity
    wet = np.where(depth > 0.02, 1 - np.exp(-depth / 0.45), 0) * 0.94
    silt = (1 + 0.05 * wreck.noise(60.0, 20.0, 6.0) + 0.015 * wreck.noise(1.5))[..., None]
    standing = (wreck.index > 0) & (wreck.level < DESTROYED)
    poking = 0.45 * wreck.crowns() * (depth < 3)  # crowns stand out of the water
    wreck.paint(np.array(murk, np.float32) * silt, wet * ~standing * (1 - poking))
    return np.asarray(wet)


def _flood(wreck: Wreck) -> None:
    wet = _water(wreck, (0.45, 0.38, 0.28))
    # The roof of a drowned house is just seen through the water.
    wreck.shade(np.clip(0.9 + 0.25 * wreck.noise(5.0), 0.6, 1.1), 0.5 * wreck.at(DESTROYED))
    mud = (wreck.level == MAJOR) * (wreck.ragged(wreck.index == 0, 2.0) > 0.5)
    wreck.paint((0.36, 0.30, 0.23), 0.6 * mud * wet)
    wreck.debris(0.015 * wet * wreck.around(MAJOR, 10.0), SCRAPS)


def _tsunami(wreck: Wreck) -> None:
    reached = _rise(wreck.damage.intensity, 0.05, 1.2)
    mud = (
        np.array((0.43, 0.38, 0.31), np.float32)
        * (1 + 0.14 * wreck.noise(20.0, 6.0, 2.5))[..., None]
    )
    wreck.paint(mud, 0.8 * reached * (wreck.level < MAJOR) * (wreck.index == 0))
    pools = _rise(0.3 * wreck.damage.intensity + wreck.noise(45.0, 18.0), 1.6, 2.1)
    wreck.paint((0.33, 0.31, 0.26), 0.85 * pools * reached * (wreck.index == 0))
    _torn_by_water(wreck)
    wreck.debris(reached * (0.02 + 0.12 * wreck.around(DESTROYED, 16.0)), SCRAPS)


def _torn_by_water(wreck: Wreck) -> None:
    slab = np.array((0.58, 0.55, 0.51), np.float32) * (1 + 0.1 * wreck.noise(4.0))[..., None]
    gone = wreck.at(DESTROYED)
    wreck.paint(slab, 0.9 * gone)
    wreck.paint(wreck.rubble(WOOD), 0.9 * gone * (wreck.noise(9.0, 4.0) > -0.1))
    wreck.paint(wreck.rubble(BRICK), 0.95 * wreck.parts(MAJOR, (0.35, 0.55), lumpy=0.3))
    wreck.paint((0.40, 0.35, 0.29), 0.7 * wreck.parts(MINOR, (0.1, 0.2), lumpy=0.4))


def _volcano(wreck: Wreck) -> None:
    load = wreck.damage.intensity
    dust = np.where(load > 0.01, 1 - np.exp(-load / 0.45), 0) * 0.85
    grain = (1 + 0.07 * wreck.noise(40.0, 12.0, 2.5))[..., None]
    steep = 1 - 0.35 * (wreck.index > 0)
    grey = np.array((0.43, 0.42, 0.41), np.float32)
    seen = 0.65 + 0.7 * wreck.picture.mean(axis=2, keepdims=True)  # relief shows through
    wreck.paint(grey * grain * seen, dust * steep)
    flow = _rise(load + 0.6 * wreck.noise(8.0, 4.0) * (load > 2), 3.0, 5.5)
    lobes = (1 + 0.11 * wreck.noise(40.0, 14.0, 5.0, 2.0))[..., None]
    spared = 1 - 0.75 * ((wreck.level > 0) & (wreck.level < DESTROYED))
    wreck.paint(np.array((0.40, 0.37, 0.34), np.float32) * lobes, 0.93 * flow * spared)
    stubs = wreck.at(DESTROYED) & (wreck.noise(4.0, 2.0) > 0.75)
    wreck.paint((0.52, 0.50, 0.47), 0.6 * stubs)
    _collapse_under_ash(wreck)


def _collapse_under_ash(wreck: Wreck) -> None:
    fallen = wreck.parts(MAJOR, (0.35, 0.6), lumpy=0.35)
    wreck.paint(0.8 * wreck.rubble(BRICK), 0.85 * fallen)
    slow = wreck.at(DESTROYED) * (wreck.damage.intensity < 4)
    wreck.paint(0.75 * wreck.rubble(BRICK), 0.85 * slow)


def _earthquake(wreck: Wreck) -> None:
    _collapse(wreck, BRICK, spread=6.5, grain=2.4)
    fallen = wreck.ragged(wreck.parts(MAJOR, (0.35, 0.6), lumpy=0.2) > 0, 3.0)
    wreck.paint(wreck.rubble(BRICK), 0.95 * fallen)
    wreck.paint(wreck.rubble(WOOD, grain=1.4), 0.9 * wreck.parts(MINOR, (0.05, 0.14), lumpy=0.8))
    cracks = np.abs(wreck.noise(9.0)) < 0.05
    wreck.shade(
        np.full(wreck.shape, 0.55, np.float32), (cracks & wreck.at(MINOR)).astype(np.float32)
    )
    dust = 0.25 * wreck.around(DESTROYED, 12.0) * (wreck.index == 0)
    wreck.paint((0.60, 0.57, 0.52), dust * np.clip(0.6 + 0.5 * wreck.noise(10.0), 0, 1))
    litter = 0.10 * wreck.around(DESTROYED, 9.0) + 0.03 * wreck.around(MAJOR, 7.0)
    wreck.debris(litter, BRICK)


_DRAWERS: Mapping[str, Callable[[Wreck], None]] = MappingProxyType(
    {
        "earthquake": _earthquake,
        "wind": _wind,
        "tornado": _tornado,
        "wildfire": _wildfire,
        "flood": _flood,
        "tsunami": _tsunami,
        "volcano": _volcano,
    }
)
