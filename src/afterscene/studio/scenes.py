"""An opened scene, and what a wish would do to it before anything is drawn."""

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any

from afterscene import gbd
from afterscene.conditioning import words
from afterscene.errors import BadImage, BadParameter
from afterscene.gbd.pair import as_rgb, item_damage
from afterscene.gbd.sources import read_source
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.overview import ImageFile
from afterscene.geodata.scene import Scene
from afterscene.geodata.xbd import XbdLabel
from afterscene.pages.damage_map import svg_path
from afterscene.pages.pictures import field_uri, jpeg
from afterscene.studio.asked import Wish
from afterscene.studio.store import Store

MOST_PIXELS = 4096 * 4096
SIDE = 1024
"""Largest side of a picture on the page."""
OPEN = 3
"""Scenes that stay decoded."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A decoded scene, its footprints, and the pair of files it came from."""

    source: gbd.Source
    scene: Scene
    label: XbdLabel

    def as_json(self) -> dict[str, Any]:
        """What the page shows of it; outlines are SVG paths in pixels."""
        height, width = self.scene.shape
        return {
            "width": width,
            "height": height,
            "placed": self.scene.placed,
            "buildings": [
                {"uid": b.uid, "path": svg_path(b.polygon)} for b in self.label.buildings
            ],
            "left_out": self.label.left_out.lines(),
        }

    def plan(self, wish: Wish, store: Store) -> gbd.Plan:
        """The plan that `synthesize` makes of it. Raises UnknownName, BadParameter, NotThere."""
        if wish.say and wish.sketch:
            raise BadParameter("a sentence and a painted map both tell what happens; give one")
        sketch = store.upload(wish.sketch, "scene") if wish.sketch else None
        return gbd.plan_each(
            [self.source],
            wished_hazard(wish),
            severity=wish.severity,
            seed=wish.seed,
            parameters=wish.parameters,
            told=gbd.Told(say=wish.say, sketch=sketch),
        )

    def damage(self, wish: Wish, store: Store) -> DamageMap:
        """What the wish does to its buildings. Raises as :meth:`plan`."""
        (item,) = self.plan(wish, store).items
        return item_damage(item, self.scene, self.label)


@dataclass(frozen=True)
class Scenes:
    """The last few scenes that somebody looked at; one is decoded at a time."""

    store: Store
    _open: "OrderedDict[str, Opened]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def opened(self, number: str) -> Opened:
        """The scene with that number. Raises NotThere, BadImage, BadLabel."""
        with self._lock:
            if number not in self._open:
                self._open[number] = open_source(self.store.source(number))
            self._open.move_to_end(number)
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
            return self._open[number]

    def picture(self, number: str) -> bytes:
        """The pre image as a JPEG."""
        return jpeg(self.opened(number).scene.rgb(), SIDE)

    def damage(self, number: str, wish: Wish) -> DamageMap:
        """What a wish does to a scene; one at a time, so that memory stays that of one scene."""
        opened = self.opened(number)
        with self._lock:
            return opened.damage(wish, self.store)

    def told(self, number: str, wish: Wish) -> dict[str, Any]:
        """Levels, field and meaning of a wish, as the page shows them."""
        damage = self.damage(number, wish)
        levels = [b.level.word if b.level else None for b in damage.buildings]
        return {
            "hazard": damage.hazard,
            "unit": damage.unit,
            "most": float(damage.intensity.max()),
            "field": field_uri(damage.intensity, SIDE // 2),
            "levels": levels,
            "counts": dict(Counter(level for level in levels if level)),
            "understood": understood(wish.say),
            "parameters": dict(damage.parameters),
        }


def open_source(source: gbd.Source) -> Opened:
    """Read a pair of files. Raises BadImage, BadLabel, BadParameter."""
    height, width = ImageFile(source.pre).grid.shape
    if height * width > MOST_PIXELS:
        raise BadImage(
            f"{source.pre}: {width} x {height} pixels are more than the studio takes "
            f"({MOST_PIXELS:,}); cut out a part, or use `afterscene gbd plan` and `gbd build`"
        )
    scene, label = read_source(source)
    return Opened(source=source, scene=as_rgb(scene), label=label)


def wished_hazard(wish: Wish) -> str:
    """The hazard that is asked for, or that the sentence names. Raises BadParameter."""
    if wish.say:
        return words.hazard_for(words.parse(wish.say), wish.hazard)
    if wish.hazard is None:
        raise BadParameter("no hazard is given; choose one, or say what happens")
    return wish.hazard


def understood(say: str) -> str:
    """The sentence said back in its language, "" for none."""
    return words.tell(words.parse(say), words.language_of(say)) if say else ""
