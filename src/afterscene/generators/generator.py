"""The generator that users meet: ``load(name).render(scene, damage, seed=...)``.

A model folder holds the averaged weights (safetensors), ``config.json`` (process, network, the
looks of the real post images, defaults of rendering) and ``README.md`` (the card). Shipped
models lie in the package under ``weights/``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from afterscene import shipped
from afterscene.computing import prepared
from afterscene.conditioning import STYLE_SIZE, Condition, class_of
from afterscene.errors import BadParameter, BadWeights, UnknownName
from afterscene.generators.acquisition import Acquisition
from afterscene.generators.bridge import BridgeConfig, BridgeModel
from afterscene.generators.checkpoint import load_weights, weights_hash
from afterscene.generators.choosing import Choice
from afterscene.generators.colour import to_opponent, to_rgb
from afterscene.generators.crops import affected_mask, tone_of
from afterscene.generators.physical import draw_physics
from afterscene.generators.render import (
    RenderConfig,
    picture_tensor,
    scene_condition,
    scene_states,
)
from afterscene.generators.structural import draw_ground, sketch, touched
from afterscene.geodata.border import seen
from afterscene.geodata.damage import DamageMap, rasterize
from afterscene.geodata.scene import Scene
from afterscene.weightfiles import load_into

Mode = Literal["edit", "reacquire", "redraw"]
MODES: tuple[Mode, ...] = ("edit", "reacquire", "redraw")

#: Hazards without labelled real pairs borrow the look of broken buildings from one that has them.
BORROWED = MappingProxyType(
    {"earthquake": "wind", "tornado": "wind", "tsunami": "wind", "flood": "wind"}
)

#: A look is drawn among a quarter of the real pairs, the nearest by the tone of the pre image, yet
#: at least and at most so many.
FEWEST, ALIKE = 3, 12

#: How far *reacquire* goes towards a look that it draws: another place's, so a part of it suits.
DRAWN = 0.4

#: Lowest level that the network draws; below it a flooded roof stays as it was, in water.
LEARNED_FROM = MappingProxyType({"flood": 4, "tsunami": 3})


def load(name: str | Path = "default", kind: str = "bridge") -> Generator:
    """A shipped generator by name, or one from a folder.

    ``kind`` is ``bridge`` (post images) or ``layout`` (pre images, :mod:`.layouts`).

    Raises:
        UnknownName: neither a shipped name nor a folder with a model of that kind.
        BadWeights: a file is damaged or does not fit the network.
    """
    folder = shipped.find(name, kind)
    state, config = load_weights(folder)
    try:
        model = BridgeModel(BridgeConfig.of(config["model"]))
        looks, scenes = _rows(config["looks"]), _rows(config.get("scenes", {}))
        for name, rows in scenes.items():
            if rows.shape != looks[name].shape:
                raise ValueError(f"{len(rows)} scenes of {name} for {len(looks[name])} looks")
        render = RenderConfig(**_known(config.get("render", {})))
    except (KeyError, TypeError, ValueError) as error:
        raise BadWeights(
            f"{folder / 'config.json'} does not describe a generator ({error})"
        ) from error
    load_into(model, state, str(folder))
    return Generator(model=model.eval(), looks=looks, scenes=scenes, config=render, folder=folder)


def _known(render: dict[str, Any]) -> dict[str, Any]:
    """Without the exponent of models from before the grid that it has a meaning for."""
    return {k: v for k, v in render.items() if k != "power" or "rho" in render}


def _rows(values: dict[str, list[list[float]]]) -> dict[str, np.ndarray]:
    return {k: np.array(v, np.float32).reshape(-1, STYLE_SIZE) for k, v in values.items()}


@dataclass(frozen=True, kw_only=True)
class Generator:
    """A trained bridge with what it takes to render scenes.

    Attributes:
        model: The network between its preconditioning.
        looks: For each hazard ``(n, 6)`` looks of real post images (see ``Condition.style``).
        scenes: For each hazard ``(n, 6)`` tones of their pre images (:func:`.crops.tone_of`), in
            the same order; empty where the model does not say.
        config: Defaults of rendering.
        choice: Chooses among several sketches of the damage where a hazard begins with one; None:
            the first is taken.
        folder: Where it was loaded from, if it was.
    """

    model: BridgeModel
    looks: dict[str, np.ndarray] = field(default_factory=dict)
    scenes: dict[str, np.ndarray] = field(default_factory=dict)
    config: RenderConfig = field(default_factory=RenderConfig)
    choice: Choice | None = None
    folder: Path | None = None

    @cached_property
    def hash(self) -> str:
        """sha256 of the weights (names, shapes, values)."""
        return weights_hash(self.model.state_dict())

    @cached_property
    def fast(self) -> BridgeModel:
        """A copy that renders fast, in the precision of ``config``, without Winograd's rounding."""
        return prepared(self.model, self.config.precision, local=True)

    @property
    def card(self) -> str:
        """The model card, empty where there is none."""
        return shipped.card(self.folder) if self.folder else ""

    def render(
        self,
        pre: Scene,
        damage: DamageMap,
        *,
        seed: int,
        mode: Mode = "edit",
        steps: int | None = None,
        batch_size: int = 4,
        look: np.ndarray | None = None,
    ) -> Scene:
        """The post-disaster scene on the grid of ``pre``: uint8 RGB.

        Args:
            pre: Any bands and depth that ``Scene.rgb`` accepts, any size.
            damage: Which building suffers which damage; levels outside buildings are 0.
            seed: Equal seeds give equal pixels.
            mode: ``edit`` keeps every pixel outside the surroundings of damaged buildings, and
                outside the water or ash that physics puts there, exactly; ``reacquire`` takes
                the whole scene again (:mod:`afterscene.generators.acquisition`, its look drawn
                from real ones) and draws the damage into that; ``redraw`` lets the network draw
                the whole scene, for study: the shipped weights lose roofs and streets there.
            steps: Network evaluations; ``None``: the model's default.
            batch_size: Accepted for symmetry with other renderers; windows are evaluated one by
                one, so that it cannot change a pixel.
            look: ``(6,)`` look of the new acquisition beside ``pre`` (``Condition.style``; of a
                real pair :func:`~afterscene.generators.crops.measure_style` measures it); None:
                a part of that of a real post image of the hazard whose pre image had the tone of
                this one, drawn by ``seed`` (:meth:`look`). Not for ``edit``.

        Raises:
            UnknownName: ``mode`` is not one of the three.
            BadParameter: ``look`` is not six finite numbers, or given to ``edit``.
            NotFinite: the network returned NaN.
        """
        del batch_size
        if mode not in MODES:
            raise UnknownName(f"mode '{mode}' is not known; choose one of: {', '.join(MODES)}")
        picture = pre.rgb()
        valid = seen(picture, pre.valid)
        again = self._again(look, damage.hazard, seed, tone_of(picture, valid), mode)
        config = self.config if steps is None else replace(self.config, steps=steps)
        levels = rasterize(damage.buildings, picture.shape[:2])
        start, _ = draw_physics(picture, damage, seed)
        start[~valid] = picture[~valid]
        keep = ~valid
        before, style, affected, first = start, again.look, None, None
        if mode != "redraw":
            affected = _area(levels, damage.hazard, config)
            affected[~valid] = 0
            style = np.zeros(STYLE_SIZE, np.float32)
        if affected is not None and damage.hazard in config.sketched:
            within = affected if mode == "edit" else None
            start = draw_ground(before, damage, seed, within=within)
            start[~valid] = picture[~valid]
        # The disaster comes first, then the second picture of the place.
        take = again.taking(start, valid, before) if mode == "reacquire" else np.copy
        if affected is not None and affected.any() and damage.hazard in config.sketched:
            first = self._sketch(picture, (before, start), affected > 0, damage, seed, take)
            affected = affected if first is None else affected * touched(first, start)
        if affected is not None:
            keep = keep | (affected == 0)
        start, first = take(start), None if first is None else take(first)
        hazard = BORROWED.get(damage.hazard, damage.hazard)
        condition = self._condition(start, levels, hazard, style, affected)
        drawn = self._draw(start, condition, first, seed, config) if condition else start.copy()
        drawn[keep] = start[keep]
        if mode == "reacquire":
            drawn = again.move(drawn)
            drawn[~valid] = picture[~valid]
        pixels = np.ascontiguousarray(drawn.transpose(2, 0, 1))
        return pre.replace(pixels=pixels, source=f"afterscene:{self.hash[:12]}:{seed}")

    def repaint(
        self,
        picture: np.ndarray,
        levels: np.ndarray,
        *,
        look: np.ndarray,
        seed: int,
        steps: int | None = None,
    ) -> np.ndarray:
        """The other end of the bridge, everywhere and with no hazard said: ``(H, W, 3)`` uint8.

        Args:
            picture: ``(H, W, 3)`` uint8, where the bridge begins.
            levels: ``(H, W)`` uint8 levels, 0 off buildings.
            look: ``(6,)`` look of the result beside ``picture``.
            seed: Equal seeds give equal pixels.
            steps: Network evaluations; ``None``: the model's default.
        """
        config = self.config if steps is None else replace(self.config, steps=steps)
        condition = self._condition(picture, levels, "", look, None)
        assert condition is not None  # everything may change
        return self._draw(picture, condition, None, seed, config)

    def _again(
        self, look: np.ndarray | None, hazard: str, seed: int, tone: np.ndarray, mode: Mode
    ) -> Acquisition:
        """The new acquisition, of a look that was told or drawn. Raises BadParameter."""
        if look is None:  # another place's, followed in part
            look = (DRAWN if mode == "reacquire" else 1.0) * self.look(hazard, seed, tone)
        elif mode == "edit":
            raise BadParameter("edit keeps the look of the pre image; a look is for reacquire")
        if np.shape(look) != (STYLE_SIZE,) or not np.isfinite(look).all():
            raise BadParameter(f"a look is {STYLE_SIZE} finite numbers, got {look}")
        return Acquisition.draw(np.asarray(look, np.float32), seed)

    def look(self, hazard: str, seed: int, tone: np.ndarray | None = None) -> np.ndarray:
        """A look drawn from the real post images of ``hazard``, of all hazards if it has none.

        A look is relative, and taken from a green place to a grey one it paints trees purple: with
        the ``tone`` ``(6,)`` of the pre image it is drawn among the quarter of the pairs (3 to 12)
        whose pre images had the nearest tones, if the model knows these.
        """
        known = len(self.looks.get(hazard, ())) > 0
        names = [hazard] if known else list(self.looks)
        unchanged = () if known else (np.zeros((1, STYLE_SIZE), np.float32),)
        looks = np.concatenate([*(self.looks[name] for name in names), *unchanged])
        if tone is not None and names and all(name in self.scenes for name in names):
            scenes = np.concatenate([self.scenes[name] for name in names])
            order = np.argsort(np.linalg.norm(scenes - tone, axis=1), kind="stable")
            looks = looks[order[: min(max(len(order) // 4, FEWEST), ALIKE)]]
        return looks[np.random.default_rng((seed, 77)).integers(len(looks))]

    def _sketch(
        self,
        picture: np.ndarray,
        states: tuple[np.ndarray, np.ndarray],
        inside: np.ndarray,
        damage: DamageMap,
        seed: int,
        take: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray | None:
        """The damage on ``states``, the scene before it and its ground after it.

        None: nothing is drawn first for this hazard. All pictures ``(H, W, 3)`` uint8.
        """
        before, ground = states
        first = sketch(before, ground, damage, seed)
        if self.choice is None or first is None:
            return first

        def again(other: int) -> np.ndarray:
            return np.asarray(sketch(before, ground, damage, other))

        def post(one: np.ndarray) -> np.ndarray:
            return take(np.where(inside[..., None], one, ground))

        return self.choice.best(first, again, post, picture, damage.buildings, seed)

    def _condition(
        self,
        picture: np.ndarray,
        levels: np.ndarray,
        hazard: str,
        style: np.ndarray,
        affected: np.ndarray | None,
    ) -> Condition | None:
        """Of ``(H, W, 3)`` uint8 grown to the model's stride; None where nothing may change."""
        if affected is not None and not affected.any():
            return None
        grow = self._grow(picture)
        return scene_condition(
            np.pad(picture, (*grow, (0, 0)), mode="symmetric"),
            np.pad(levels, grow),
            hazard=class_of(hazard, self.model.config.hazards),
            style=style,
            affected=None if affected is None else np.pad(affected, grow),
        )

    def _grow(self, picture: np.ndarray) -> tuple[tuple[int, int], tuple[int, int]]:
        height, width = picture.shape[:2]
        stride = self.model.config.stride
        return (0, -height % stride), (0, -width % stride)

    def _draw(
        self,
        picture: np.ndarray,
        condition: Condition,
        first: np.ndarray | None,
        seed: int,
        config: RenderConfig,
    ) -> np.ndarray:
        """Run the bridge, and cut what it drew to the size of ``picture``.

        ``first`` is a sketch of the post image, of the shape of ``picture``.
        """
        sketched = None
        if first is not None:
            grown = np.pad(first, (*self._grow(first), (0, 0)), mode="symmetric")
            sketched = self.fast.inward(to_opponent(picture_tensor(grown)))
        condition = self.fast.inside(condition)
        for state in scene_states(self.fast, condition, seed=seed, config=config, sketch=sketched):
            x0 = state.x
        rgb = to_rgb(self.fast.outward(x0))[0]
        drawn = ((rgb + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
        return drawn[: picture.shape[0], : picture.shape[1]].copy()


def _area(levels: np.ndarray, hazard: str, config: RenderConfig) -> np.ndarray:
    """``(H, W)`` in [0, 1]: where the network may draw around buildings of that damage."""
    learned = np.where(levels >= LEARNED_FROM.get(hazard, 2), levels, 0)
    return affected_mask(learned, config.reach(hazard), config.feather)
