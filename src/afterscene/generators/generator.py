"""The generator for users: ``load(name).render(scene, damage, seed=...)``.

A trained bridge with the styles of the real post images that it was trained on. The steps for one
scene are in :mod:`.frame`, sampling in :mod:`.render`, loading a model in :mod:`.loading`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from afterscene import shipped
from afterscene.computing import prepared
from afterscene.conditioning import STYLE_SIZE
from afterscene.errors import BadParameter, UnknownName
from afterscene.generators.appearance import tone_of
from afterscene.generators.bridge import BridgeModel
from afterscene.generators.choosing import Choice
from afterscene.generators.frame import (
    MODES,
    Frame,
    Mode,
    acquire,
    compose,
    depict,
    prepare_frame,
    refine,
)
from afterscene.generators.render import RenderConfig, Watch, draw_scene, scene_condition
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.scene import Scene
from afterscene.hazards import depiction_of
from afterscene.weightfiles import weights_hash

#: In labels and manifests, the drawn hazard if the weights do not know the requested one.
NOT_SAID = "not said"

#: A style is drawn from the nearest quarter of the real pairs, at least and at most so many.
FEWEST, ALIKE = 3, 12

#: How far *reacquire* goes towards a drawn style: only part of it fits, as it is another place's.
DRAWN = 0.4


@dataclass(frozen=True, kw_only=True)
class BridgeGenerator:
    """A trained bridge with everything needed to render scenes.

    Attributes:
        model: The preconditioned network.
        styles: For each hazard ``(n, 6)`` styles of real post images (see ``Condition.style``).
        scenes: For each hazard ``(n, 6)`` tones of their pre images (:func:`.appearance.tone_of`),
            in the same order; empty if the model does not say.
        config: Defaults of rendering.
        choice: Selects among several sketches of the damage, if a hazard begins with one; None:
            the first is used.
        watch: Sees each step of a scene, for a preview; it may raise to stop the scene.
        folder: The folder that it was loaded from, if any.
    """

    model: BridgeModel
    styles: dict[str, np.ndarray] = field(default_factory=dict)
    scenes: dict[str, np.ndarray] = field(default_factory=dict)
    config: RenderConfig = field(default_factory=RenderConfig)
    choice: Choice | None = None
    watch: Watch | None = field(default=None, compare=False)
    folder: Path | None = None

    @cached_property
    def hash(self) -> str:
        """sha256 of the weights (names, shapes, values)."""
        return weights_hash(self.model.state_dict())

    @cached_property
    def fast(self) -> BridgeModel:
        """A copy that renders fast, in the precision of ``config``."""
        return prepared(self.model, self.config.precision)

    @property
    def card(self) -> str:
        """The model card, empty if there is none."""
        return shipped.card(self.folder) if self.folder else ""

    def render(
        self,
        pre: Scene,
        damage: DamageMap,
        *,
        seed: int,
        mode: Mode = "edit",
        steps: int | None = None,
        style: np.ndarray | None = None,
    ) -> Scene:
        """The post-disaster scene on the grid of ``pre``: uint8 RGB.

        Args:
            pre: Any bands and bit depth that ``Scene.rgb`` accepts, any size.
            damage: Which building suffers which damage; levels outside buildings are 0.
            seed: Equal seeds give equal pixels.
            mode: ``edit`` keeps every pixel exactly, except around damaged buildings and under
                water or ash; ``reacquire`` changes the whole scene as a new acquisition would
                (:mod:`afterscene.generators.acquisition`, with a style drawn from real ones) and
                draws the damage into that; ``redraw`` lets the network draw the whole scene, for
                study only: the shipped weights lose roofs and streets.
            steps: Network evaluations; ``None``: the model's default.
            style: ``(6,)`` style of the new acquisition relative to ``pre`` (``Condition.style``;
                :func:`.appearance.measure_style` measures that of a real pair); None: part of the
                style of a real post image of the hazard whose pre image had a similar tone, drawn
                by ``seed`` (:meth:`draw_style`). Not for ``edit``.

        Raises:
            UnknownName: ``mode`` is not one of the three.
            BadParameter: ``style`` is not six finite numbers, or given to ``edit``.
            NotFinite: the network returned NaN.
        """
        if mode not in MODES:
            raise UnknownName(f"mode '{mode}' is not known; choose one of: {', '.join(MODES)}")
        config = self._config(steps)
        frame = prepare_frame(pre, damage, mode=mode, seed=seed, config=config)
        frame = replace(
            frame, style=self._style_of(frame) if style is None else _checked(style, mode)
        )
        frame = acquire(depict(frame, self.choice))
        drawn = refine(frame, self.fast, self.drawn_as(damage.hazard), self.watch)
        pixels = np.ascontiguousarray(compose(frame, drawn).transpose(2, 0, 1))
        return pre.replace(pixels=pixels, source=f"afterscene:{self.hash[:12]}:{seed}")

    def drawn_as(self, hazard: str) -> str:
        """The hazard that the network is conditioned on for ``hazard``.

        The same one, or another one with similar damage (``Depiction.drawn_as``);
        :data:`NOT_SAID` if the weights do not know it: then it draws damage of no specific hazard.
        """
        name = depiction_of(hazard).drawn_as or hazard
        return name if name in self.model.config.hazards else NOT_SAID

    def repaint(
        self,
        picture: np.ndarray,
        levels: np.ndarray,
        *,
        style: np.ndarray,
        seed: int,
        steps: int | None = None,
    ) -> np.ndarray:
        """The other end of the bridge, everywhere and without a hazard: ``(H, W, 3)`` uint8.

        Args:
            picture: ``(H, W, 3)`` uint8, the start of the bridge.
            levels: ``(H, W)`` uint8 levels, 0 outside buildings.
            style: ``(6,)`` style of the result relative to ``picture``.
            seed: Equal seeds give equal pixels.
            steps: Network evaluations; ``None``: the model's default.
        """
        condition = scene_condition(
            picture,
            levels,
            hazard=-1,
            style=style,
            affected=None,
            stride=self.model.config.stride,
        )
        config = self._config(steps)
        return draw_scene(self.fast, picture, condition, seed=seed, config=config)

    def _config(self, steps: int | None) -> RenderConfig:
        return self.config if steps is None else replace(self.config, steps=steps)

    def _style_of(self, frame: Frame) -> np.ndarray:
        """The style of a new acquisition: that of another place, used in part in *reacquire*."""
        if frame.mode == "edit":
            return frame.style
        drawn = self.draw_style(frame.damage.hazard, frame.seed, tone_of(frame.pre, frame.valid))
        return (DRAWN if frame.mode == "reacquire" else 1.0) * drawn

    def draw_style(self, hazard: str, seed: int, tone: np.ndarray | None = None) -> np.ndarray:
        """A style drawn from the real post images of ``hazard``, of all hazards if it has none.

        A style is relative: applied from a green place to a grey one it makes trees purple. So with
        the ``tone`` ``(6,)`` of the pre image it is drawn from the quarter of the pairs (3 to 12)
        whose pre images had the nearest tones, if the model knows these.
        """
        known = len(self.styles.get(hazard, ())) > 0
        names = [hazard] if known else list(self.styles)
        unchanged = () if known else (np.zeros((1, STYLE_SIZE), np.float32),)
        styles = np.concatenate([*(self.styles[name] for name in names), *unchanged])
        if tone is not None and names and all(name in self.scenes for name in names):
            scenes = np.concatenate([self.scenes[name] for name in names])
            order = np.argsort(np.linalg.norm(scenes - tone, axis=1), kind="stable")
            styles = styles[order[: min(max(len(order) // 4, FEWEST), ALIKE)]]
        return styles[np.random.default_rng((seed, 77)).integers(len(styles))]


def _checked(style: np.ndarray, mode: Mode) -> np.ndarray:
    """The given style. Raises BadParameter."""
    if mode == "edit":
        raise BadParameter("edit keeps the style of the pre image; a style is for reacquire")
    if np.shape(style) != (STYLE_SIZE,) or not np.isfinite(style).all():
        raise BadParameter(f"a style is {STYLE_SIZE} finite numbers, got {style}")
    return np.asarray(style, np.float32)
