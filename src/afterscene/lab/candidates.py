"""The post images that an evaluation compares, each a function of a pair and its seed.

========================  =====================================================================
pre-as-post               the pre image: the floor, without any damage
average                   mean of the training posts of the event
copy-paste                damaged buildings cut out of training posts
regression                our network in one step, mode edit, which gives E[post | pre, levels]
regression-reacquire      the same in mode reacquire
ours-edit                 the generator; pixels away from the damage do not change
ours-reacquire            the generator; the whole scene as a new acquisition
ours-reacquire-told       the same, given the style of the real acquisition: mean and contrast of
                          each channel where the hazard changed nothing (six numbers)
ours-reacquire-chosen     as ours-reacquire, each building from the sketch in which a critic (not
                          the assessor) finds its level best; only with a critic
real-in-edit-area         the real post where *edit* may change pixels, the pre image elsewhere: the
                          ceiling of that mode, which keeps the style of the pre image
real post                 the ceiling
========================  =====================================================================

A single step of the bridge from the pre image adds no noise: the network returns the conditional
mean, the minimum of its squared error. This is the regression baseline with the same weights and
without the sketch from which some hazards start. A network trained for a single step only might do
slightly better.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from afterscene.gbd.generator import Generator
from afterscene.gbd.pair import MARK
from afterscene.gbd.plan import item_seed
from afterscene.generators.appearance import measure_style
from afterscene.generators.choosing import Choice
from afterscene.generators.crops import affected_mask
from afterscene.generators.generator import BridgeGenerator
from afterscene.generators.render import RenderConfig
from afterscene.generators.tiles import REACH
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene, read_scene, read_tags, write_scene
from afterscene.hazards import depiction_of
from afterscene.hazards.real import hazard_name, real_damage
from afterscene.lab.baselines import TrainingPosts, copy_paste

FLOOR, CEILING = "pre-as-post", "real post"
EDIT_CEILING = "real-in-edit-area"
OURS = ("ours-edit", "ours-reacquire")
TOLD, CHOSEN = "ours-reacquire-told", "ours-reacquire-chosen"
SECONDS, CPU_SECONDS = "AFTERSCENE_SECONDS", "AFTERSCENE_CPU_SECONDS"
CRITIC = "AFTERSCENE_CRITIC"


def own_seed(seed: int, pair: LabelledPair) -> int:
    """The seed of a pair in a run of that seed."""
    return item_seed(seed, pair.id) % 2**31


#: From a pair and its seed to its post image (uint8 RGB on the grid of the pre image).
Candidate = Callable[[LabelledPair, int], Scene]


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A generator's mode and number of steps as a candidate."""

    generator: Generator
    mode: str
    steps: int | None = None

    @property
    def critic(self) -> str:
        """The critic that chose among sketches, with a hash of its weights; "" without one."""
        choice = self.generator.choice if isinstance(self.generator, BridgeGenerator) else None
        return choice.name if choice else ""

    def __call__(self, pair: LabelledPair, seed: int) -> Scene:
        damage = real_damage(pair)
        return self.generator.render(pair.pre, damage, seed=seed, mode=self.mode, steps=self.steps)


@dataclass(frozen=True, kw_only=True)
class ToldStyle(Rendered):
    """A new acquisition in the style of the real one, if enough unchanged ground shows it."""

    generator: BridgeGenerator
    mode: Literal["reacquire"] = "reacquire"

    def __call__(self, pair: LabelledPair, seed: int) -> Scene:
        return self.generator.render(
            pair.pre,
            real_damage(pair),
            seed=seed,
            mode=self.mode,
            steps=self.steps,
            style=real_style(pair),
        )


def candidates(
    generator: Generator, training: TrainingPosts, choice: Choice | None = None
) -> Mapping[str, Candidate]:
    """Name to candidate, in the order of the tables.

    Two are left out without training pairs, one without a ``choice``.
    """
    found: dict[str, Candidate] = {FLOOR: lambda pair, _: _picture(pair, pair.pre.rgb())}
    if training.pairs:
        found["average"] = lambda pair, _: _picture(
            pair, training.average(pair.event, pair.pre.shape)
        )
        found["copy-paste"] = lambda pair, seed: _picture(
            pair,
            copy_paste(
                pair.pre.rgb(),
                pair.buildings,
                hazard_name(pair),
                training.donors,
                np.random.default_rng((seed, 11)),
            ),
        )
    plain = without_sketch(generator)
    found["regression"] = Rendered(generator=plain, mode="edit", steps=1)
    found["regression-reacquire"] = Rendered(generator=plain, mode="reacquire", steps=1)
    found["ours-edit"] = Rendered(generator=generator, mode="edit")
    found["ours-reacquire"] = Rendered(generator=generator, mode="reacquire")
    if isinstance(generator, BridgeGenerator):
        found[TOLD] = ToldStyle(generator=generator)
        if choice is not None:
            choosing = replace(generator, choice=choice)
            found[CHOSEN] = Rendered(generator=choosing, mode="reacquire")
    found[EDIT_CEILING] = lambda pair, _: _picture(pair, real_in_edit_area(pair, generator))
    found[CEILING] = lambda pair, _: _picture(pair, pair.post.rgb(), pair.post.valid)
    return found


def without_sketch(generator: Generator) -> Generator:
    """The generator without its sketch."""
    if not isinstance(generator, BridgeGenerator):
        return generator
    return replace(generator, config=replace(generator.config, sketch=False))


def _picture(pair: LabelledPair, rgb: np.ndarray, valid: np.ndarray | None = None) -> Scene:
    pixels = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    return Scene(pixels=pixels, valid=pair.pre.valid if valid is None else valid)


def outside(pair: LabelledPair, generator: Generator) -> np.ndarray:
    """(H, W) bool: where *edit* promises to change nothing."""
    return (
        affected_mask(pair.target, _config(generator).reach(depiction_of(hazard_name(pair))), 0)
        == 0
    )


def real_style(pair: LabelledPair) -> np.ndarray | None:
    """``(6,)`` of the real post image beside the pre image; None if too little is unchanged."""
    alone = (affected_mask(pair.target, REACH, 0) == 0) & pair.valid
    return measure_style(pair.pre.rgb(), pair.post.rgb(), alone)


def real_in_edit_area(pair: LabelledPair, generator: Generator) -> np.ndarray:
    """``(H, W, 3)`` uint8: the real post image blended into the pre image as *edit* blends.

    Uses the wider of the two reaches of *edit*, ``radius``, everywhere.
    """
    config = _config(generator)
    share = affected_mask(pair.target, config.radius, config.feather)[..., None]
    share = share * (pair.valid)[..., None]
    before, after = (one.rgb().astype(np.float32) for one in (pair.pre, pair.post))
    return (before + share * (after - before)).round().astype(np.uint8)


def _config(generator: Generator) -> RenderConfig:
    config = getattr(generator, "config", None)
    return config if isinstance(config, RenderConfig) else RenderConfig()


@dataclass(frozen=True, kw_only=True)
class PostStore:
    """Keeps drawn posts in ``folder/{candidate}/``, so that a run can be continued."""

    folder: Path | None
    model_hash: str

    def make(
        self, name: str, candidate: Candidate, pair: LabelledPair, seed: int
    ) -> tuple[Scene, tuple[float, float]]:
        """The post image, and the wall and CPU seconds that drawing it took."""
        if self.folder is None or not isinstance(candidate, Rendered):
            return _timed(candidate, pair, seed)
        path = self.folder / name / f"{pair.id}_post_disaster.png"
        tags = read_tags(path) if path.is_file() else {}
        kept = SECONDS in tags and CPU_SECONDS in tags
        if kept and tags.get(CRITIC, "") == candidate.critic:
            return read_scene(path), (float(tags[SECONDS]), float(tags[CPU_SECONDS]))
        post, (clock, cpu) = _timed(candidate, pair, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        tags = {
            MARK: "true",
            SECONDS: f"{clock:.3f}",
            CPU_SECONDS: f"{cpu:.3f}",
            "AFTERSCENE_MODEL": self.model_hash,
            "AFTERSCENE_SEED": str(seed),
            **({CRITIC: candidate.critic} if candidate.critic else {}),
        }
        write_scene(Scene(pixels=post.pixels, valid=post.valid), path, tags=tags)
        return post, (float(tags[SECONDS]), float(tags[CPU_SECONDS]))


def _timed(
    candidate: Candidate, pair: LabelledPair, seed: int
) -> tuple[Scene, tuple[float, float]]:
    clock, cpu = time.perf_counter(), time.process_time()
    post = candidate(pair, seed)
    return post, (time.perf_counter() - clock, time.process_time() - cpu)
