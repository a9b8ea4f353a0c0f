"""From the pre to the post image of one scene, in five steps on one record.

    prepare -> depict -> acquire -> refine -> compose

*Prepare* decodes the scene, paints water or ash over it and decides where the network may draw.
*Depict* paints what the hazard's :class:`~afterscene.depiction.Depiction` paints by rules: the
ground, and a sketch of the damage. *Acquire* changes all that as if another sensor had acquired it
on another day (in the mode *reacquire*): the disaster comes first, then the second image. *Refine*
runs the bridge. *Compose* combines what was kept and what was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from afterscene.conditioning import STYLE_SIZE, class_of
from afterscene.depiction import Depiction
from afterscene.generators.acquisition import Acquisition
from afterscene.generators.bridge import BridgeModel
from afterscene.generators.choosing import Choice
from afterscene.generators.crops import affected_mask, around
from afterscene.generators.render import RenderConfig, Watch, draw_scene, scene_condition
from afterscene.geodata.border import seen_pixels
from afterscene.geodata.damage import DamageMap, rasterize
from afterscene.geodata.resolution import metres_per_pixel
from afterscene.geodata.scene import Scene
from afterscene.hazards import depiction_of

Mode = Literal["edit", "reacquire", "redraw"]
MODES: tuple[Mode, ...] = ("edit", "reacquire", "redraw")


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A scene that is being drawn; pictures are ``(H, W, 3)`` uint8.

    Attributes:
        pre: The pre image; where it is not valid it stays.
        valid: ``(H, W)`` bool.
        damage, levels: The requested damage, as buildings and as ``(H, W)`` uint8.
        depiction: How the hazard is drawn.
        mode, seed, config: How the scene is rendered.
        gsd: Metres per pixel; None where neither the scene nor its buildings tell.
        style: ``(6,)`` style of the post image relative to ``pre`` (``Condition.style``).
        veiled: ``pre`` under water or ash.
        start: The scene so far: the start of the bridge, kept wherever it may not draw.
        area: ``(H, W)`` in [0, 1], where the bridge may draw; None: everywhere.
        sketch: ``start`` with its damage painted; None: the network draws it alone.
    """

    pre: np.ndarray
    valid: np.ndarray
    damage: DamageMap
    levels: np.ndarray
    depiction: Depiction
    mode: Mode
    seed: int
    config: RenderConfig
    gsd: float | None
    style: np.ndarray
    veiled: np.ndarray
    start: np.ndarray
    area: np.ndarray | None
    sketch: np.ndarray | None = None

    @property
    def acquisition(self) -> Acquisition:
        """The second acquisition of the scene, with that style."""
        return Acquisition.draw(self.style, self.seed)

    def masked(self, picture: np.ndarray) -> np.ndarray:
        """``picture`` with the pixels of ``pre`` where the scene is not valid."""
        return np.where(self.valid[..., None], picture, self.pre)

    def simulator(self) -> Callable[[np.ndarray], np.ndarray]:
        """Applies the acquisition to a state of this scene; only *reacquire* changes any."""
        if self.mode != "reacquire":
            return np.copy
        return self.acquisition.simulator(self.start, self.valid, self.veiled)


def prepare_frame(
    pre: Scene, damage: DamageMap, *, mode: Mode, seed: int, config: RenderConfig
) -> Frame:
    """The scene with only water or ash painted on it, in the style of ``pre``."""
    picture = pre.rgb()
    depiction = depiction_of(damage.hazard)
    levels = rasterize(damage.buildings, picture.shape[:2])
    frame = Frame(
        pre=picture,
        valid=seen_pixels(picture, pre.valid),
        damage=damage,
        levels=levels,
        depiction=depiction,
        mode=mode,
        seed=seed,
        config=config,
        gsd=metres_per_pixel(pre.grid, damage.buildings),
        style=np.zeros(STYLE_SIZE, np.float32),
        veiled=picture,
        start=picture,
        area=None,
    )
    veiled = frame.masked(depiction.overlay(picture, damage, seed))
    frame = replace(frame, veiled=veiled, start=veiled)
    return replace(frame, area=_area(frame))


def _area(frame: Frame) -> np.ndarray | None:
    """Where the network may draw: around damaged buildings, on water or ash if it learned it."""
    if frame.mode == "redraw":
        return None
    learned = frame.depiction.drawn(frame.levels)
    config = frame.config
    area = affected_mask(learned, config.reach(frame.depiction), config.feather)
    if frame.damage.hazard in config.covered:
        laid = (frame.veiled != frame.pre).any(axis=2)
        area = np.maximum(area, around(laid, config.close, config.feather))
    return area * frame.valid


def depict(frame: Frame, choice: Choice | None = None) -> Frame:
    """The ground painted by rules, and the damage, if the hazard begins with a sketch.

    With a ``choice``, each building comes from the sketch that its critic recognises best.
    """
    if frame.area is None or not frame.config.sketch:
        return frame
    grounded = replace(frame, start=_ground(frame))
    begins = frame.config.begins_with_sketch(frame.damage.hazard, frame.depiction)
    if not frame.area.any() or not begins:
        return grounded
    sketch = _sketch(grounded, choice)
    if frame.damage.hazard in frame.config.covered:  # the network redraws it with what it lies in
        return replace(grounded, start=_inside(sketch, grounded))
    area = frame.area * touched(sketch, grounded.start)
    return replace(grounded, sketch=sketch, area=area)


def _ground(frame: Frame) -> np.ndarray:
    """The ground after the hazard; *edit* changes it only where the network may draw."""
    ground = frame.depiction.ground(frame.veiled, frame.damage, frame.seed)
    if frame.mode == "edit" and frame.area is not None:
        change = frame.area[..., None] * (ground.astype(np.float32) - frame.veiled)
        ground = (frame.veiled + change).round().astype(np.uint8)
    return frame.masked(ground)


def _inside(sketch: np.ndarray, frame: Frame) -> np.ndarray:
    """``start`` with the sketch where the network may draw."""
    assert frame.area is not None
    return np.where(frame.area[..., None] > 0, sketch, frame.start)


def _sketch(frame: Frame, choice: Choice | None) -> np.ndarray:
    """``start`` with its damage, painted once or chosen among several."""
    painter, damage, ground = frame.depiction.sketch, frame.damage, frame.start
    assert painter is not None and frame.area is not None  # the hazard begins with a sketch
    first = painter(ground, damage, frame.seed)
    if choice is None:
        return first
    simulate = frame.simulator()
    return choice.best(
        first,
        lambda seed: painter(ground, damage, seed),
        lambda sketch: simulate(_inside(sketch, frame)),
        frame.pre,
        damage.buildings,
        frame.seed,
    )


def touched(first: np.ndarray, ground: np.ndarray, reach: int = 3) -> np.ndarray:
    """``(H, W)`` float32 in [0, 1]: where a sketch drew, enlarged by ``reach``, with a soft edge.

    The bridge need not change the rest: its grain on intact roofs would look like damage.
    """
    drawn = (first != ground).any(axis=2).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.GaussianBlur(cv2.dilate(drawn, kernel).astype(np.float32), (0, 0), 1.0)


def acquire(frame: Frame) -> Frame:
    """The scene and its sketch, as acquired again."""
    simulate = frame.simulator()
    sketch = None if frame.sketch is None else simulate(frame.sketch)
    return replace(frame, start=simulate(frame.start), sketch=sketch)


def refine(frame: Frame, model: BridgeModel, told: str, watch: Watch | None = None) -> np.ndarray:
    """What the bridge draws from ``start`` where it may, conditioned on that hazard.

    The style of ``start`` is kept, except in *redraw*. ``watch`` sees the scene before the first
    step and after each. Raises NotFinite.
    """
    if watch is not None:
        watch(frame.start if frame.sketch is None else frame.sketch, 0)
    if frame.area is not None and not frame.area.any():
        return frame.start
    style = frame.style if frame.mode == "redraw" else np.zeros(STYLE_SIZE, np.float32)
    condition = scene_condition(
        frame.start,
        frame.levels,
        hazard=class_of(told, model.config.hazards),
        style=style,
        affected=frame.area,
        gsd=frame.gsd,
        stride=model.config.stride,
    )
    how = {"seed": frame.seed, "config": frame.config, "sketch": frame.sketch, "watch": watch}
    return draw_scene(model, frame.start, condition, **how)  # type: ignore[arg-type]


def compose(frame: Frame, drawn: np.ndarray) -> np.ndarray:
    """The post image: ``drawn`` where the network was allowed to draw, ``start`` elsewhere."""
    may = frame.valid if frame.area is None else frame.valid & (frame.area > 0)
    picture = np.where(may[..., None], drawn, frame.start)
    if frame.mode != "reacquire":
        return picture
    return frame.masked(frame.acquisition.move(picture))
