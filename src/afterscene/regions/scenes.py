"""Scene classification: 21 land-use classes, and how built-up a picture is.

A linear layer on the pooled last map of EfficientNet-Lite0 (Tan and Le 2019), whose ImageNet
weights come from the extra ``encoders``; only the layer, 27 kB, is shipped. Classes are those of
UC Merced (Yang and Newsam 2010), cut from USGS images of 0.3 m in windows of 256 pixels; larger
scenes are read window by window and the probabilities averaged. ``built_up`` is the sum over the
classes with buildings: it keeps scenes with something to damage and leaves out fields, woods and
water.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from afterscene import shipped
from afterscene.errors import BadWeights
from afterscene.geodata.scene import Scene
from afterscene.geodata.tiles import tiles
from afterscene.networks.efficientnet import EfficientNetLite0
from afterscene.pretrained import read_lite0, weights_path
from afterscene.tensors import to_tensor
from afterscene.weightfiles import load_into, read_tensors

KIND = "scenes"
SIDE = 256
CLASSES = (
    *("agricultural", "airplane", "baseballdiamond", "beach", "buildings", "chaparral"),
    *("denseresidential", "forest", "freeway", "golfcourse", "harbor", "intersection"),
    *("mediumresidential", "mobilehomepark", "overpass", "parkinglot", "river", "runway"),
    *("sparseresidential", "storagetanks", "tenniscourt"),
)
BUILT_UP = (
    *("buildings", "denseresidential", "mediumresidential", "mobilehomepark"),
    *("sparseresidential", "storagetanks", "intersection", "parkinglot", "tenniscourt"),
)
WINDOWS = 16
"""Maximum number of windows of a scene that are classified; they are spread evenly."""


@lru_cache(maxsize=1)
def _encoder() -> EfficientNetLite0:
    network = EfficientNetLite0()
    network.load_state_dict(read_lite0(weights_path()))
    return network.eval().requires_grad_(False)


def features(pictures: Sequence[Tensor]) -> Tensor:
    """(n, 320): the last map's mean over each (3, H, W) picture in [-1, 1].

    Raises:
        MissingExtra: the extra ``encoders`` is not installed.
    """
    with torch.no_grad():
        return torch.cat([_encoder()(p[None])[-1].mean((2, 3)) for p in pictures])


@dataclass(frozen=True, kw_only=True)
class SceneClassifier:
    """``classifier(scene)`` is (21,) probabilities in the order of :data:`CLASSES`."""

    head: nn.Linear

    def __call__(self, scene: Scene) -> np.ndarray:
        found = self.head(features(list(_windows(scene)))).softmax(1).mean(0)
        return found.detach().numpy()

    def built_up(self, scene: Scene) -> float:
        """Probability (0 to 1) that a window of the scene is built-up."""
        chance = self(scene)
        return float(sum(chance[CLASSES.index(name)] for name in BUILT_UP))


def _windows(scene: Scene) -> Iterator[Tensor]:
    height, width = scene.shape
    size = min(SIDE, height, width)
    every = tiles((height, width), size=size, overlap=0)
    step = max(1, len(every) // WINDOWS)
    for window in every[::step][:WINDOWS]:
        yield to_tensor(scene.crop(window))


def new_head() -> nn.Linear:
    """An untrained layer of the right shape."""
    return nn.Linear(EfficientNetLite0.channels[-1], len(CLASSES))


def load_scenes(name: str | Path = "scenes") -> SceneClassifier:
    """The shipped classifier, or one from a folder. Raises UnknownName, BadWeights."""
    folder = shipped.find(name, KIND)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if tuple(config.get("classes", ())) != CLASSES:
        raise BadWeights(f"{folder}: the classes are not the 21 of UC Merced; give another model")
    head = new_head()
    load_into(head, read_tensors(folder / "head.safetensors"), str(folder))
    return SceneClassifier(head=head.eval())
