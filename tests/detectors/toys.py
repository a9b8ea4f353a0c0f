"""Toy pairs: grey ground, bright square houses; what happened to a house is its colour after."""

import numpy as np

from afterscene.detectors import DetectorConfig
from afterscene.geodata.pair import LabelledPair, outlined
from afterscene.geodata.scene import Scene

AFTER = {1: (210, 210, 205), 2: (215, 200, 40), 3: (40, 90, 215), 4: (30, 20, 20)}

TINY = DetectorConfig(
    encoder="tiny",
    pretrained=False,
    width=16,
    steps=60,
    batch=4,
    crop=96,
    lr=1e-2,
    warmup=5,
    ema=0.9,
    shift=1,
    zoom=0.1,
    jitter=0.1,
)


def pair_of(
    pre: np.ndarray, post: np.ndarray, target: np.ndarray, *, id: str = "a", **more: bool
) -> LabelledPair:
    """Pictures (H, W, 3) with the connected parts of `target` as their buildings."""
    scenes = {"pre": Scene.of_rgb(pre), "post": Scene.of_rgb(post)}
    return LabelledPair(id=id, event="toy", buildings=outlined(target), **scenes, **more)


def toy_pair(seed: int, *, size: int = 128, synthetic: bool = False) -> LabelledPair:
    """Nine houses of 16 to 24 pixels on noise; every level occurs at least twice."""
    rng = np.random.default_rng(seed)
    ground = rng.normal((90, 105, 80), 8, size=(size, size, 3))
    ground += np.kron(rng.normal(0, 12, size=(size // 16, size // 16)), np.ones((16, 16)))[
        ..., None
    ]
    pre, post = ground.copy(), ground + rng.normal(0, 4, size=ground.shape)
    target = np.zeros((size, size), dtype=np.uint8)
    levels = rng.permutation([1, 1, 1, 2, 2, 3, 3, 4, 4])
    step = size // 3
    for number, level in enumerate(levels):
        side = int(rng.integers(16, 25))
        row = number // 3 * step + int(rng.integers(step - side))
        col = number % 3 * step + int(rng.integers(step - side))
        where = (slice(row, row + side), slice(col, col + side))
        pre[where] = (210, 210, 205)
        post[where] = AFTER[int(level)]
        target[where] = level
    pre, post = (
        np.clip(x + rng.normal(0, 5, x.shape), 0, 255).astype(np.uint8) for x in (pre, post)
    )
    return pair_of(pre, post, target, id=f"toy_{seed:08d}", synthetic=synthetic)
