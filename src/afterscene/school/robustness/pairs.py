"""Crops of the samples before and after a disaster, for a generator that is told by words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from afterscene import samples
from afterscene.depiction import draw_aftermath
from afterscene.geodata.damage import Building, rasterize
from afterscene.geodata.scene import Scene
from afterscene.hazards import depiction_of, make_hazard
from afterscene.tensors import from_pixels

NOTHING = "nothing"
#: A crop counts where so much of it is building, a building where its level is one of these.
BUILT, DAMAGED = 0.08, (2, 4)

Crop = tuple[np.ndarray, ...]  # before, after, damaged, houses


@dataclass(frozen=True, kw_only=True)
class StruckCrops:
    """``before`` and ``after (N, 3, S, S)`` in [-1, 1], ``damaged (N, 1, S, S)`` 0 or 1.

    ``label (N,)`` is the index of what happened.
    """

    before: Tensor
    after: Tensor
    damaged: Tensor
    label: Tensor


def struck_crops(
    names: Sequence[str], *, places: int, size: int, each: int, seed: int = 0
) -> StruckCrops:
    """Up to ``each`` crops, at 1 m, of the first ``places`` samples after each of ``names``.

    A name is that of a hazard, at severity 0.9, or ``nothing``. Raises UnknownName.
    """
    rng = np.random.default_rng(seed)
    found: list[tuple[Crop, int]] = []
    for number, place in enumerate(samples.names()[:places]):
        sample = samples.read_sample(place)
        for label, name in enumerate(names):
            struck = _strike(sample, name, number)
            found += [(crop, label) for crop in _crops(struck, size, each, rng)]
    before, after, damaged = (np.stack([crop[k] for crop, _ in found]) for k in range(3))
    return StruckCrops(
        before=from_pixels(before),
        after=from_pixels(after),
        damaged=torch.from_numpy(damaged)[:, None],
        label=torch.tensor([label for _, label in found]),
    )


def _strike(sample: tuple[Scene, Sequence[Building]], name: str, seed: int) -> Crop:
    """The whole sample at 1 m: before, after, where buildings are damaged, where they stand."""
    before, buildings = sample
    after, levels = before, np.zeros(before.shape, np.uint8)
    if name != NOTHING:
        damage = make_hazard(name, 0.9)(before, buildings, np.random.default_rng(seed))
        after = draw_aftermath(before, damage, depiction_of(name), seed)
        levels = rasterize(damage.buildings, before.shape)
    low, high = DAMAGED
    return (
        *(np.asarray(Image.fromarray(scene.rgb()).reduce(2)) for scene in (before, after)),
        ((levels >= low) & (levels <= high))[::2, ::2].astype(np.float32),
        rasterize(buildings, before.shape)[::2, ::2] > 0,
    )


def _crops(struck: Crop, size: int, count: int, rng: np.random.Generator) -> Iterator[Crop]:
    """Crops at random places, without those that hold too few buildings."""
    height, width = struck[0].shape[:2]
    for _ in range(count):
        row, col = (int(rng.integers(side - size + 1)) for side in (height, width))
        crop = tuple(layer[row : row + size, col : col + size] for layer in struck)
        if crop[-1].mean() > BUILT:
            yield crop
