"""One pair: a checked source in, a synthetic post image with its labels out.

``make_post`` does it all for one pair: hazard -> damage per building -> diffusion -> image. What is
written about it, and the synthetic mark, is in :mod:`afterscene.gbd.provenance`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from afterscene.conditioning import words
from afterscene.conditioning.painted import read_sketch
from afterscene.errors import BadParameter, UnknownName
from afterscene.gbd.generator import Generator
from afterscene.gbd.plan import Item
from afterscene.geodata.border import seen_pixels
from afterscene.geodata.damage import Building, DamageLevel, DamageMap
from afterscene.geodata.named import read_named_places
from afterscene.geodata.scene import Scene
from afterscene.geodata.seen import known_target, unseen_unclassified
from afterscene.geodata.xbd import XbdLabel
from afterscene.hazards import Hazard
from afterscene.judging.quality import Checked, QualityControl, draw_checked

MODES = ("edit", "reacquire")
MARK = "AFTERSCENE_SYNTHETIC"


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """How images are drawn.

    ``edit`` keeps the pre image outside the affected area to the bit, ``reacquire`` first changes
    the whole scene as a new acquisition would; ``steps`` None is the model's default; ``control``
    checks what was drawn; ``chosen`` names the critic and the number of sketches.
    """

    mode: str = "edit"
    steps: int | None = None
    model: str = "default"
    control: QualityControl | None = None
    chosen: str = ""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UnknownName(f"mode {self.mode!r} is not known; choose one of: {', '.join(MODES)}")
        if self.steps is not None and self.steps < 1:
            raise BadParameter(f"{self.steps} steps draw nothing; give at least 1")

    def settings(self, model_hash: str) -> dict[str, Any]:
        """What must not change for a run to be resumed; a model counts by weights, not name."""
        judged = self.control.settings() if self.control else {}
        by = {"chosen": self.chosen} if self.chosen else {}
        return {"mode": self.mode, "steps": self.steps, "model_hash": model_hash, **judged, **by}


@dataclass(frozen=True, kw_only=True)
class Post:
    """A made pair in memory.

    The post scene (RGB), its label, its target, the result of its check, and which hazard the
    generator drew (``Generator.drawn_as``).
    """

    scene: Scene
    label: XbdLabel
    damage: DamageMap
    target: np.ndarray
    checked: Checked
    drawn_as: str


def item_hazard(item: Item, shape: tuple[int, int]) -> Hazard:
    """The item's hazard for a scene of that shape, as strong as it is asked to be."""
    asked = asked_of(item, shape)
    strength = None if asked is None else asked[0].strength
    return words.make_said(item.hazard, item.severity, strength, item.parameters)[0]


def as_seen(pre: Scene) -> Scene:
    """An RGB scene as a generator sees it.

    A picture without a mask may still be padded: no water or ash is to be drawn there.
    """
    return pre.replace(valid=seen_pixels(pre.rgb(), pre.valid))


def item_damage(item: Item, pre: Scene, label: XbdLabel) -> DamageMap:
    """The damage that the item's hazard does to its RGB scene, or that it is asked for."""
    asked = asked_of(item, pre.shape)
    if asked is None:
        hazard, rng = item_hazard(item, pre.shape), np.random.default_rng(item.field_seed)
        return hazard(pre, label.buildings, rng, item.site)
    return words.resolve(
        asked[0],
        item.hazard,
        pre,
        label.buildings,
        item.field_seed,
        severity=item.severity,
        fields=item.parameters,
        given=asked[1],
    )


def asked_of(item: Item, shape: tuple[int, int]) -> tuple[words.Saying, words.Given] | None:
    """What the sentence or the painted map of an item asks for; None: it has neither."""
    if item.sketch:
        return read_sketch(item.sketch, item.hazard, shape)
    if not item.say:
        return None
    places = read_named_places(item.places) if item.places else None
    return words.parse(item.say), words.Given(named=places)


def make_post(
    item: Item, scene: Scene, label: XbdLabel, rendering: Rendering, generator: Generator
) -> Post:
    """Draw the damage, then the image, again if the control requires it.

    A pure function of its arguments.

    Raises:
        LowFidelity: no scene passed the control.
    """
    pre = as_rgb(scene)
    shown = as_seen(pre)
    struck = item_damage(item, pre, label)
    damage = replace(struck, buildings=unseen_unclassified(struck.buildings, shown.valid))
    drawn = replace(struck, buildings=_standing(damage.buildings))

    def draw(seed: int) -> Scene:
        return generator.render(shown, drawn, seed=seed, mode=rendering.mode, steps=rendering.steps)

    checked = draw_checked(draw, pre, damage, item.seed, rendering.control)
    return Post(
        scene=checked.scene.replace(crs=pre.crs, transform=pre.transform, valid=pre.valid),
        label=replace(label, buildings=damage.buildings),
        damage=damage,
        target=known_target(damage.buildings, shown.valid),
        checked=checked,
        drawn_as=generator.drawn_as(item.hazard),
    )


def _standing(buildings: Sequence[Building]) -> tuple[Building, ...]:
    """The buildings as they are drawn: what is not seen is not damaged, whatever it lost."""
    return tuple(
        replace(b, level=DamageLevel.NO_DAMAGE) if b.level == DamageLevel.UNCLASSIFIED else b
        for b in buildings
    )


def as_rgb(scene: Scene) -> Scene:
    """The scene as 8-bit RGB, on its own grid (rule: :meth:`Scene.rgb`)."""
    return scene.replace(pixels=np.ascontiguousarray(scene.rgb().transpose(2, 0, 1)))
