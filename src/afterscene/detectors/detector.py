"""A trained detector: two scenes in, buildings and their damage out; and its folder on disk.

A folder contains ``model.safetensors`` (never a pickle), ``config.json`` (how it was made, how it
decides) and ``README.md`` (the card). Scenes of any size are cut into overlapping tiles whose
probabilities are blended; a pair of 1024 x 1024 is a single tile. For speed the batch norms of a
copy of the network are folded into its convolutions, memory layout is channels-last, and bfloat16
is used if the processor has instructions for it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from afterscene.computing import autocast
from afterscene.detectors.config import DetectorConfig
from afterscene.detectors.decision import Decision, decide
from afterscene.detectors.encoders import ENCODERS
from afterscene.detectors.objects import ObjectHead, pool
from afterscene.errors import NotFinite
from afterscene.geodata.damage import IGNORE, Building, instances
from afterscene.geodata.samegrid import same_grid
from afterscene.geodata.scene import Scene
from afterscene.geodata.tiles import feather, tiles
from afterscene.networks.siamese import SiameseUNet, fold_batch_norm
from afterscene.tensors import from_pixels
from afterscene.weightfiles import weights_hash

TILE = 1024
OVERLAP = 128


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What was found on the grid of the pre image.

    localization: (H, W) uint8, 1 on buildings. damage: (H, W) uint8, 1..4, valid on buildings.
    probabilities: (5, H, W) float32, background and the four levels; they sum to 1.
    seen: (H, W) bool, False where pre or post has no data; nothing is claimed there. None: all.
    """

    localization: np.ndarray
    damage: np.ndarray
    probabilities: np.ndarray
    seen: np.ndarray | None = None

    @property
    def target(self) -> np.ndarray:
        """(H, W) uint8, 0 background and 1..4, as an xBD target."""
        return self.damage * self.localization

    @property
    def known(self) -> np.ndarray:
        """The target with 255 where an image has no data."""
        return self.target if self.seen is None else np.where(self.seen, self.target, IGNORE)


class Detector:
    """Network, decision rule and provenance; ``predict`` applies it."""

    def __init__(
        self,
        network: SiameseUNet,
        config: DetectorConfig,
        *,
        decision: Decision | None = None,
        provenance: Mapping[str, Any] | None = None,
        objects: ObjectHead | None = None,
    ) -> None:
        self.network = network.eval()
        self.objects = objects
        self.config = config
        self.decision = decision or Decision()
        self.provenance: Mapping[str, Any] = dict(provenance or {})
        folded = fold_batch_norm(copy.deepcopy(network).eval())
        self._fast = folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def deciding(
        self,
        decision: Decision | None = None,
        objects: ObjectHead | None = None,
        **provenance: Any,
    ) -> Detector:
        """The same network with another decision or object head, and more provenance."""
        return Detector(
            self.network,
            self.config,
            decision=decision or self.decision,
            objects=objects or self.objects,
            provenance={**self.provenance, **provenance},
        )

    def predict(
        self,
        pre: Scene,
        post: Scene,
        *,
        footprints: Sequence[Building] | None = None,
        flips: bool = False,
    ) -> Prediction:
        """Buildings and their levels; nothing is claimed where pre or post has no data.

        `footprints` replace the network's own localisation, and the object head, where there is
        one, decides their levels. `flips` averages over four mirrored
        views (four times the work); the decision is calibrated without them, and on the real
        validation split they helped the localisation but not the levels under that decision.
        16-bit and float scenes are stretched each by its own limits, as xBD's pictures were.
        Raises BadImage (not on one grid), NotFinite.
        """
        same_grid(pre.grid, post.grid)
        by_object = footprints is not None and self.objects is not None
        planes = self.planes(pre.rgb(), post.rgb(), flips=flips, features=by_object)
        building, levels = planes[0], planes[1:5]
        seen = pre.seen & post.seen
        building = np.where(seen, building, 0).astype(np.float32)
        mask, damage = decide(building, levels, self.decision, footprints)
        if by_object and footprints and self.objects is not None:
            owner = instances(footprints, pre.shape)
            levels = self.objects.paint(planes, owner, levels)
            damage = np.where(owner > 0, levels.argmax(axis=0) + 1, damage).astype(np.uint8)
        mask = mask * seen.astype(np.uint8)
        everything = np.concatenate([1 - building[None], building * levels])
        return Prediction(localization=mask, damage=damage, probabilities=everything, seen=seen)

    @property
    def hash(self) -> str:
        """SHA-256 of the network's weights (names, shapes, values)."""
        return weights_hash(self.network.state_dict())

    def building_levels(
        self, pre: np.ndarray, post: np.ndarray, buildings: Sequence[Building]
    ) -> np.ndarray:
        """(n, 4): probabilities of the levels of each building between (H, W, 3) uint8 pictures.

        Those of the object head where there is one, else the mean over the footprint under the
        biases of the decision.
        """
        found = self.predict(Scene.of_rgb(pre), Scene.of_rgb(post), footprints=buildings)
        owner = instances(buildings, pre.shape[:2])
        sums = pool(found.probabilities, owner, len(buildings))  # pixels, nothing, four levels
        levels = np.maximum(sums[:, 2:6], 1e-6)
        if self.objects is None:
            levels = levels * np.exp(self.decision.level_bias)
        return np.asarray(levels / levels.sum(axis=1, keepdims=True))

    def probabilities(
        self, pre: np.ndarray, post: np.ndarray, *, flips: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """(H, W, 3) uint8 twice -> (H, W) of a building, (4, H, W) of its levels, float32."""
        planes = self.planes(pre, post, flips=flips)
        return planes[0], planes[1:]

    def planes(
        self, pre: np.ndarray, post: np.ndarray, *, flips: bool = False, features: bool = False
    ) -> np.ndarray:
        """(5, H, W): building and levels; with `features` the decoder's last map behind them."""
        shape = pre.shape[:2]
        count = 5 + (self.network.features_width if features else 0)
        total = np.zeros((count, *shape), dtype=np.float32)
        weight = np.zeros(shape, dtype=np.float32)
        for window in tiles(shape, size=TILE, overlap=OVERLAP):
            rows, cols = window.slices
            part = self._tile(pre[rows, cols], post[rows, cols], flips=flips, features=features)
            fade = feather((window.height, window.width), OVERLAP)
            total[:, rows, cols] += part * fade
            weight[rows, cols] += fade
        total /= weight
        return total

    def _tile(
        self, pre: np.ndarray, post: np.ndarray, *, flips: bool, features: bool
    ) -> np.ndarray:
        """The planes of one tile."""
        height, width = pre.shape[:2]
        a, b = (_padded(rgb, self.network.multiple) for rgb in (pre, post))
        views: tuple[tuple[int, ...], ...] = ((), (3,), (2,), (2, 3)) if flips else ((),)
        with torch.inference_mode(), autocast(self.config.precision):
            total = torch.zeros(())
            for axes in views:
                x = self._fast.features(a.flip(axes), b.flip(axes))
                logits = self._fast.heads(x, a.shape[-2:])
                parts = [logits.localization.sigmoid(), logits.damage.softmax(dim=1)]
                if features:
                    parts.append(functional.interpolate(x.float(), size=a.shape[-2:]))
                total = total + torch.cat(parts, dim=1).flip(axes)
        if not bool(torch.isfinite(total).all()):
            raise NotFinite("the detector's network returned NaN or infinity; train it again")
        return (total[0] / len(views)).numpy()[:, :height, :width]

    def save(self, folder: Path | str) -> Path:
        """Write the folder that ``load_detector`` reads; each file atomically."""
        from afterscene.detectors.storage import save_detector

        return save_detector(self, Path(folder))


def build_network(config: DetectorConfig) -> SiameseUNet:
    """The network of `config` with random weights (from torch's current random state)."""
    encoder = ENCODERS[config.encoder](config)
    pre_only = config.localization == "pre"
    return SiameseUNet(encoder, width=config.width, words=config.words, pre_only=pre_only)


def _padded(rgb: np.ndarray, multiple: int) -> Tensor:
    """(h, w, 3) uint8 -> (1, 3, H, W) in [-1, 1], the border repeated up to the multiple."""
    height, width = rgb.shape[:2]
    below, right = -height % multiple, -width % multiple
    rgb = np.pad(rgb, ((0, below), (0, right), (0, 0)), mode="edge")
    return from_pixels(rgb)[None]
