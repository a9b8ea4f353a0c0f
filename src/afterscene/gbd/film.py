"""A film of an event: frames from the image before to the image after, each with its labels.

Only a few whole scenes are drawn by the generator, with one seed: the scene after the event, which
is the one that ``synthesize`` draws without a film; the scene with the event's ground but no
damage; and the scene with all damage held at a lower level, for each level that a frame shows on a
building that ends at a higher one. The frames are put together from these: each pixel of the ground
goes from before to after when the event has come there
(:class:`~afterscene.hazards.passage.Passage`), each building and its surroundings when it reaches
a level. Over the frames between the first and the last the hazard's painter draws what is seen only
while it passes. So a pixel that the event has not reached is that of the first frame, one that it
has left is that of the last, both to the bit, and nothing flickers.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from afterscene.depiction import Moment
from afterscene.gbd.generator import Generator
from afterscene.gbd.pair import Post, Rendering, as_rgb, as_seen, item_hazard, make_post
from afterscene.gbd.plan import Item
from afterscene.geodata.damage import Building, DamageLevel, instances
from afterscene.geodata.scene import Scene
from afterscene.geodata.seen import known_target
from afterscene.geodata.xbd import XbdLabel
from afterscene.hazards import depiction_of
from afterscene.hazards.ground import Ground
from afterscene.hazards.passage import Passage, levels_in_time

#: Metres around a building that change when it does, and over which that fades into the ground.
OWN, AROUND = 4.0, 26.0


@dataclass(frozen=True)
class Film:
    """The frames of one event over one scene; see the module."""

    item: Item
    scene: Scene
    label: XbdLabel
    rendering: Rendering
    generator: Generator
    frames: int

    def post(self, number: int) -> Post:
        """The pair of a frame: its picture, and the levels reached by then."""
        last = self.last
        if number == self.frames - 1:
            return last
        buildings = self._at(self.levels[number])
        pixels = np.ascontiguousarray(self.picture(number).transpose(2, 0, 1))
        scene = last.scene.replace(pixels=pixels)
        return replace(
            last,
            scene=scene,
            label=replace(last.label, buildings=buildings),
            damage=replace(last.damage, buildings=buildings),
            target=known_target(buildings, self.shown.valid),
            checked=replace(last.checked, scene=scene),
        )

    def picture(self, number: int) -> np.ndarray:
        """``(H, W, 3)`` uint8: the frame with that number."""
        if number == 0:
            return self._before
        if number == self.frames - 1:
            return self._after
        standing = self.standing(number)
        painted = depiction_of(self.item.hazard).during(standing, self._moment(number))
        return np.where(self.shown.valid[..., None], painted, standing)

    def standing(self, number: int) -> np.ndarray:
        """A frame without what is seen only while the event passes."""
        level, final = self.levels[number], self.levels[-1]
        done, drawn = level == final, self._drawn[number]
        near, own = self._near
        reached = np.where(np.append(done, True)[near], np.float32(1), 1 - own)
        progress = self.passage.progress(self.times[number], self.scene.shape)
        shown = self._uncover(progress * self.last.damage.intensity, progress)
        shown = np.maximum(shown, own * np.append(drawn, False)[near])
        onto = self._held(int(DamageLevel.NO_DAMAGE))
        for held in (DamageLevel.MINOR, DamageLevel.MAJOR):
            here = np.append((level == held) & ~done & drawn, False)[near]
            if here.any():
                onto = np.where(here[..., None], self._held(int(held)), onto)
        before = self._before.astype(np.float32)
        later = onto + reached[..., None] * (self._after.astype(np.float32) - onto)
        ended = self.passage.ended(self.times[number])
        if np.any(ended < 1):
            ended = np.maximum(ended, self._roofs & np.append(drawn, False)[near])
            later = self._early + ended[..., None] * (later - self._early)
        mixed = np.rint(before + shown[..., None] * (later - before)).astype(np.uint8)
        return np.where(self._changed[..., None], mixed, self._before)

    @cached_property
    def times(self) -> list[float]:
        """Film time of each frame, 0 to 1."""
        return [k / (self.frames - 1) for k in range(self.frames)]

    @cached_property
    def last(self) -> Post:
        """What ``synthesize`` makes without a film."""
        return make_post(self.item, self.scene, self.label, self.rendering, self.generator)

    @cached_property
    def shown(self) -> Scene:
        """The pre image as the generator sees it."""
        return as_seen(as_rgb(self.scene))

    @cached_property
    def levels(self) -> np.ndarray:
        """``(frames, n)`` int: the level of each building in each frame."""
        limits = self._hazard.thresholds(self._ground, self._seed)
        return levels_in_time(self.last.damage, limits, self._ground, self.passage, self.times)

    @cached_property
    def passage(self) -> Passage:
        """How the event passes over the scene."""
        rng = np.random.default_rng(self.item.field_seed)
        rng.integers(2**63)  # the seed of the capacities, as a hazard's call draws it
        return self._hazard.passage(self._ground, rng, self.last.damage)

    @cached_property
    def _hazard(self) -> Any:
        return item_hazard(self.item, self.scene.shape)

    @cached_property
    def _seed(self) -> int:
        return int(np.random.default_rng(self.item.field_seed).integers(2**63))

    @cached_property
    def _ground(self) -> Ground:
        return Ground(as_rgb(self.scene), self.label.buildings, self.item.site)

    @cached_property
    def _drawn(self) -> np.ndarray:
        """``(frames, n)`` bool: whether the damage of a building is seen in a frame."""
        known = self.levels <= DamageLevel.DESTROYED
        shown = depiction_of(self.item.hazard).drawn(self.levels) > DamageLevel.NO_DAMAGE
        return np.asarray(shown & known)

    @cached_property
    def _uncover(self) -> Any:
        return depiction_of(self.item.hazard).uncover(self.last.damage, self.last.checked.seed)

    @cached_property
    def _after(self) -> np.ndarray:
        return self.last.scene.rgb()

    @cached_property
    def _before(self) -> np.ndarray:
        calm = np.zeros_like(self.last.damage.intensity)
        return self._render(np.ones_like(self.levels[0]), calm)

    @cached_property
    def _changed(self) -> np.ndarray:
        """``(H, W)`` bool: what differs between first and last frame; nothing else ever changes."""
        return (self._before != self._after).any(axis=2)

    @cached_property
    def _scenes(self) -> dict[int, np.ndarray]:
        return {}

    def _held(self, most: int) -> np.ndarray:
        """The scene after the event with no level above ``most``, float32."""
        if most not in self._scenes:
            final = self.levels[-1]
            held = np.where(final > DamageLevel.DESTROYED, 1, np.minimum(final, most))
            picture = self._render(held, self.last.damage.intensity)
            self._scenes[most] = picture.astype(np.float32)
        return self._scenes[most]

    @cached_property
    def _early(self) -> np.ndarray:
        """The scene before the last phase of the event, without damage, float32."""
        share = self.passage.before_last()
        field = (self.last.damage.intensity * share).astype(np.float32)
        return self._render(np.ones_like(self.levels[0]), field).astype(np.float32)

    def _render(self, levels: np.ndarray, intensity: np.ndarray) -> np.ndarray:
        damage = replace(self.last.damage, buildings=self._at(levels), intensity=intensity)
        how = self.rendering
        seed = self.last.checked.seed
        made = self.generator.render(self.shown, damage, seed=seed, mode=how.mode, steps=how.steps)
        return made.replace(valid=self.last.scene.valid).rgb()

    def _at(self, levels: np.ndarray) -> tuple[Building, ...]:
        return tuple(
            replace(b, level=DamageLevel(int(k)))
            for b, k in zip(self.last.damage.buildings, levels, strict=True)
        )

    @cached_property
    def _index(self) -> np.ndarray:
        return instances(self.last.damage.buildings, self.scene.shape)

    @cached_property
    def _roofs(self) -> np.ndarray:
        return self._index > 0

    @cached_property
    def _near(self) -> tuple[np.ndarray, np.ndarray]:
        """The index of the next building (n: none near), and how much a pixel belongs to it."""
        index = self._index
        if not index.any():
            return np.zeros(self.scene.shape, int), np.zeros(self.scene.shape, np.float32)
        away, label = cv2.distanceTransformWithLabels(
            (index == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        owner = np.zeros(int(label.max()) + 1, np.int32)
        owner[label[index > 0]] = index[index > 0]
        own = np.clip((AROUND - away * self._ground.gsd) / (AROUND - OWN), 0, 1)
        own = (own * own * (3 - 2 * own)).astype(np.float32)
        return np.where(own > 0, owner[label] - 1, len(self.last.damage.buildings)), own

    @cached_property
    def _struck(self) -> np.ndarray:
        """``(n,)``: film time at which damage is first drawn on a building; infinite: never."""
        drawn = self._drawn
        return np.where(drawn.any(axis=0), np.array(self.times)[drawn.argmax(axis=0)], np.inf)

    def _moment(self, number: int) -> Moment:
        t, shape = self.times[number], self.scene.shape
        since = t - np.append(np.inf, self._struck)[self._index]
        passage = self.passage
        return Moment(
            t=t,
            damage=self.last.damage,
            progress=passage.progress(t, shape),
            age=t - passage.arrival(shape),
            struck=np.where(since >= 0, since, -1).astype(np.float32),
            roofs=self._roofs,
            changed=self._changed,
            bearing=passage.bearing,
            height=passage.height(t),
            rising=passage.height(t) >= passage.height(self.times[number - 1]),
            centre=passage.centre(t),
            gsd=self._ground.gsd,
            seed=self.last.checked.seed,
        )
