# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---

# %% [markdown]
# # 10 Practice: disaster pairs, a data set, a damage model
#
# The whole way from end to end, with the tools that the earlier lessons explained:
#
# 1. **pairs**: the same place before and after, each building with its damage level;
# 2. **GBD**: new pairs from old places. A hazard decides which building suffers what, a diffusion
#    bridge draws the picture after;
# 3. **a damage model**: two pictures in, buildings and levels out; trained with and without the new
#    pairs, judged by the official xView2 score on pairs of other places.
#
# Where `AFTERSCENE_DATA` names a folder with `xbd/`, the pairs are real ones. Otherwise they are
# drawn, and the figures show only that the pipeline runs.

# %%
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from afterscene import generators, samples
from afterscene.conditioning import class_of
from afterscene.depiction import draw_aftermath
from afterscene.detectors import DetectorConfig, fit
from afterscene.files import write_json
from afterscene.gbd import PlanConfig, Rendering, build, draw_plan, find_sources, verify
from afterscene.generators.colour import to_rgb
from afterscene.generators.crops import affected_mask
from afterscene.generators.render import scene_condition, scene_states
from afterscene.geodata.damage import COLOURS, rasterize
from afterscene.geodata.leaks import check_leaks
from afterscene.geodata.pair import count_levels, read_pair
from afterscene.geodata.scene import read_scene
from afterscene.geodata.xbd import XbdTree, read_label
from afterscene.hazards import depiction_of, make_hazard
from afterscene.hazards.wildfire import Wildfire
from afterscene.hazards.wind import HurricaneWind
from afterscene.metrics.confusion import Confusion
from afterscene.school import lesson
from afterscene.tensors import from_pixels

# %% [markdown]
# ## 1. Pairs
#
# Training and test pairs come from different places: the next crop of the same town would be too
# easy a question.

# %%
keeper = tempfile.TemporaryDirectory()
ROOT = Path(keeper.name)
HAZARDS = (Wildfire.name, HurricaneWind.name)


class Painted:
    """A generator without a network: it paints the damage."""

    hash = "painted"

    def drawn_as(self, hazard):
        """Every hazard is painted as itself."""
        return hazard

    def render(self, pre, damage, *, seed, **_):
        """The painters' picture of the damage."""
        return draw_aftermath(pre, damage, depiction_of(damage.hazard), seed)


given = Path(os.environ.get("AFTERSCENE_DATA", "")) / "xbd"
if given.is_dir():
    real, source = given, "real pairs, xBD"
    every = {"train": 13, "test": 3}  # a part of the splits: this is a lesson
else:
    samples.copy(ROOT / "samples")
    places = find_sources(ROOT / "samples")
    asked = PlanConfig(hazards=HAZARDS, count=lesson.budget(8, 2), seed=0, severity=(0.45, 0.95))
    real, held = ROOT / "painted", lesson.budget(3, 1)
    painted = build(draw_plan(places, asked), real, Painted(), rendering=Rendering())
    ids = [row["id"] for row in painted.rows]
    write_json(real / "splits.json", {"train": ids[:-held], "test": ids[-held:]})
    source, every = "samples of the package with a painted aftermath", {"train": 1, "test": 1}
train, test = (
    [read_pair(pair) for pair in XbdTree(real).pairs(split)[:: every[split]]] for split in every
)
lesson.note(f"{len(train)} pairs to learn from, {len(test)} to be judged by: {source}")
for name, pairs in (("train", train), ("test", test)):
    listed = ", ".join(f"{level} {count}" for level, count in count_levels(pairs).items())
    lesson.note(f"{name}, pixels: {listed}")

# %% [markdown]
# In real data most buildings stand, and *minor* and *major* are rare. A model that calls everything
# undamaged looks good by accuracy and is useless; the score below takes the harmonic mean over the
# four levels, so that the weakest one counts most.
#
# ## 2. New pairs from old places
#
# A plan says what to build before anything is built: places, hazard, how many, how severe, one
# seed. It is a pure function, so a build can stop and go on. Every file it writes says that it is
# synthetic, and `verify` finds a picture that was changed afterwards.

# %%
generator = generators.load("default")
generator = replace(generator, config=replace(generator.config, precision="fp32"))
STEPS = lesson.budget(4, 1)
folders = []
for hazard in HAZARDS:
    asked = PlanConfig(
        hazards=(hazard,),
        count=lesson.budget(3, 1) if not given.is_dir() else 1,
        seed=1,
        severity=(0.5, 1.0),
    )
    plan = draw_plan(find_sources(real, "train")[: lesson.budget(3, 1)], asked)
    folder = ROOT / "gbd" / hazard
    build(plan, folder, generator, rendering=Rendering(steps=STEPS))
    folders.append(folder)
    verdicts = {v.verdict for v in verify(folder)}
    lesson.note(f"{hazard}: {plan.count} pairs, verified as {', '.join(sorted(verdicts))}")
made = [read_pair(pair, synthetic=True) for folder in folders for pair in XbdTree(folder).pairs()]
check_leaks([p.fingerprint for p in (*train, *made)], [p.fingerprint for p in test])
lesson.note("leak check passed: no test place is among the sources of the new pairs")
listed = ", ".join(f"{level} {count}" for level, count in count_levels(made).items())
lesson.note(f"synthetic, pixels: {listed}")

# %% [markdown]
# How one of them is drawn: the bridge begins at the picture before, not at noise, and walks to the
# picture after. Only the surroundings of damaged buildings may change.

# %%
place = find_sources(real, "train")[0]
before = read_scene(place.pre)
struck = make_hazard(HAZARDS[0], 0.9)(
    before, read_label(place.label).buildings, np.random.default_rng(1)
)
levels = rasterize(struck.buildings, before.shape)
window = (slice(0, lesson.budget(256, 128)),) * 2
condition = scene_condition(
    before.rgb()[window],
    levels[window],
    hazard=class_of(HAZARDS[0], generator.model.config.hazards),
    style=np.zeros(6, np.float32),
    affected=affected_mask(levels, generator.config.radius, generator.config.feather)[window],
)
config = replace(generator.config, steps=lesson.budget(8, 4))
walk = scene_states(generator.model, condition, seed=1, config=config)
states = [to_rgb(condition.pre)] + [to_rgb(state.x) for state in walk]
lesson.animation("10_practice", states, side=256, pause=250)

# %% [markdown]
# ## 3. A damage model with and without them
#
# A small Siamese U-Net: both pictures pass the same encoder, the decoder sees the difference. Both
# trainings have the same seed and the same number of steps; only the pairs differ.

# %%
settings = DetectorConfig(
    encoder="tiny",
    pretrained=False,
    width=lesson.budget(24, 8),
    steps=lesson.budget(140, 2),
    batch=lesson.budget(8, 2),
    crop=lesson.budget(128, 64),
    lr=4e-3,
    warmup=lesson.budget(10, 1),
    ema=0.97,
    precision="fp32",
)


def score_of(detector) -> dict[str, float]:
    """The official figures on the test pairs, un-classified buildings ignored."""
    confusion = Confusion()
    for pair in test:
        found = detector.predict(pair.pre, pair.post)
        confusion = confusion.add(found.localization, found.damage, pair.target)
    return confusion.result().official()


detectors = {
    "real": fit(settings, train, seed=0),
    "real + synthetic": fit(settings, [*train, *made], seed=0),
}
scores = {name: score_of(detector) for name, detector in detectors.items()}
for name, figures in scores.items():
    listed = ", ".join(f"{key} {value:.3f}" for key, value in figures.items())
    lesson.note(f"{name}: {listed}")
gain = scores["real + synthetic"]["score"] - scores["real"]["score"]
lesson.note(f"difference of the score: {gain:+.3f}, from one seed and {len(test)} pairs")
if gain <= 0:
    lesson.note("The synthetic pairs were worth nothing here. That is a result, too.")

# %%
PALETTE = np.array([(0, 0, 0), *COLOURS.values()], np.uint8)


def picture(rgb: np.ndarray) -> torch.Tensor:
    """``(H, W, 3)`` uint8 as a picture in [-1, 1], its middle cut out."""
    side = min(*rgb.shape[:2], 384)
    top, left = ((length - side) // 2 for length in rgb.shape[:2])
    part = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    return from_pixels(part)


def map_of(target: np.ndarray) -> torch.Tensor:
    """Levels as colours: blue stands, red is destroyed."""
    return picture(PALETTE[np.where(target > 4, 0, target)])


rows = []
telling = sorted(test, key=lambda pair: -int((pair.target % 255 > 1).sum()))[:2]
for number, pair in enumerate(telling):
    found = [
        map_of(detector.predict(pair.pre, pair.post).target) for detector in detectors.values()
    ]
    shown = [picture(pair.pre.rgb()), picture(pair.post.rgb()), map_of(pair.target), *found]
    rows.append((f"test {number + 1}: before, after,\ntruth, found by real,\nby both", shown))
for number, pair in enumerate(made[:2]):
    shown = [picture(pair.pre.rgb()), picture(pair.post.rgb()), map_of(pair.target)]
    rows.append((f"synthetic {number + 1}: before,\nafter, its label", shown))
lesson.figure("10_practice", [(title, torch.stack(x)) for title, x in rows], side=160)
keeper.cleanup()

# %% [markdown]
# One seed and a handful of pairs prove nothing: two trainings that differ in their seed alone can
# lie further apart than most published gains. The honest comparison takes several seeds, an
# interval, and many more steps, and it is one command:
#
# `afterscene compare given --xbd xbd --gbd gbd --out compare`
#
# Then look at what the model misses, change the plan (more of that hazard, another severity), and
# build again. That loop is what the data set is for.
