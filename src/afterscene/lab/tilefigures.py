"""The figures of one candidate on one tile, and of a set of tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from afterscene.depiction import Evidence
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.pair import LabelledPair
from afterscene.geodata.scene import Scene
from afterscene.hazards.real import hazard_name, real_damage, real_evidence
from afterscene.judging.assessor import Assessor
from afterscene.lab.features import Crops, FeatureSpace, crops_around, pooled
from afterscene.lab.fidelity import Recovered, recover
from afterscene.lab.woods import Woods
from afterscene.metrics.distances import (
    frechet_distance,
    kernel_distance,
    perceptual_distance,
    told_apart,
)
from afterscene.metrics.similarity import change, psnr, squared_error, ssim_map


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Similarity to another image on the roofs of undamaged buildings: sums over `pixels`."""

    ssim: float
    error: float
    pixels: int

    @classmethod
    def of(cls, one: np.ndarray, two: np.ndarray, where: np.ndarray) -> Kept:
        """Measured between two images (H, W, 3) at the pixels where `where` is True."""
        if not where.any():
            return cls(ssim=0.0, error=0.0, pixels=0)
        return cls(
            ssim=float(ssim_map(one, two)[where].sum()),
            error=float(squared_error(one, two)[where].sum()),
            pixels=int(where.sum()),
        )


@dataclass(frozen=True, kw_only=True)
class TileFigures:
    """One candidate on one tile.

    recovered: what the assessor found. features (n, d), perceptual (n,) and levels (n,) describe
    the crops around the buildings and on struck ground (level 0); None without a feature space.
    to_real, to_pre: see :class:`Kept`.
    outside: largest change, changed pixels, and all pixels where *edit* may change nothing.
    seconds: wall and CPU seconds of drawing the image.
    """

    id: str
    event: str
    hazard: str
    recovered: Recovered
    features: np.ndarray | None
    perceptual: np.ndarray | None
    levels: np.ndarray
    woods: Woods
    to_real: Kept
    to_pre: Kept
    outside: tuple[int, int, int]
    seconds: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What all candidates on a pair share.

    damage: the request. before: what the pre image shows. crops: where images are described, with
    their maps in the real post (None: no feature space).
    """

    damage: DamageMap
    before: Evidence
    crops: Crops
    maps: list[Tensor] | None

    @classmethod
    def of(cls, pair: LabelledPair, space: FeatureSpace | None) -> Reference:
        """The reference of one pair."""
        damage = real_damage(pair)
        crops = crops_around(pair.buildings, pair.pre.shape, field=damage.intensity)
        maps = None if space is None else space.maps(crops.cut(pair.post.rgb()))
        return cls(damage=damage, before=real_evidence(pair, pair.pre), crops=crops, maps=maps)


def measure(
    pair: LabelledPair,
    post: Scene,
    assessor: Assessor,
    *,
    space: FeatureSpace | None,
    real: Reference,
    outside: np.ndarray,
    seconds: tuple[float, float],
) -> TileFigures:
    """All figures of one image."""
    rgb, before = post.rgb(), pair.pre.rgb()
    untouched = (pair.target == 1) & pair.valid
    features = perceptual = None
    levels = np.zeros(0, int)
    if space is not None and real.maps is not None:
        maps = space.maps(real.crops.cut(rgb))
        features, perceptual = pooled(maps), perceptual_distance(maps, real.maps)
        levels = real.crops.levels
    return TileFigures(
        id=pair.id,
        event=pair.event,
        hazard=hazard_name(pair),
        recovered=recover(assessor, pair, post),
        features=features,
        perceptual=perceptual,
        levels=levels,
        woods=Woods.of(real.before, real.damage.intensity, rgb, pair.post.rgb()),
        to_real=Kept.of(rgb, pair.post.rgb(), untouched),
        to_pre=Kept.of(rgb, before, untouched),
        outside=change(rgb, before, outside),
        seconds=seconds,
    )


def set_distances(tiles: Sequence[TileFigures], real: Sequence[TileFigures]) -> dict[str, Any]:
    """Fréchet, kernel and perceptual distance to the real posts, and a classifier's AUC.

    For the crops around all buildings, around damaged ones, and on struck ground. `crops` is their
    number; distances are None for fewer than two.
    """
    if any(t.features is None for t in (*tiles, *real)):
        return {"all": None, "damaged": None, "ground": None}
    levels = np.concatenate([t.levels for t in real])
    ours, theirs = (np.concatenate([_known(t.features) for t in s]) for s in (tiles, real))
    perceptual = np.concatenate([_known(t.perceptual) for t in tiles])
    places = np.repeat(np.arange(len(real)), [len(t.levels) for t in real])
    return {
        name: _distances(ours[chosen], theirs[chosen], perceptual[chosen], places[chosen])
        for name, chosen in (("all", levels > 0), ("damaged", levels > 1), ("ground", levels == 0))
    }


def _distances(
    ours: np.ndarray, theirs: np.ndarray, perceptual: np.ndarray, places: np.ndarray
) -> dict[str, Any]:
    enough, apart = len(ours) > 1, len(np.unique(places)) > 1
    return {
        "crops": len(ours),
        "frechet": round(frechet_distance(ours, theirs), 4) if enough else None,
        "kernel": round(kernel_distance(ours, theirs, paired=True), 5) if enough else None,
        "perceptual": round(float(perceptual.mean()), 4) if len(ours) else None,
        "told_apart": round(told_apart(ours, theirs, places), 4) if enough and apart else None,
    }


def real_apart(real: Sequence[TileFigures]) -> dict[str, Any]:
    """Distance between real posts: of every other tile to the rest, by hazard.

    Two sets of real images are not at distance 0, because they are small and places differ. None if
    a half has fewer than two crops, or without a feature space.
    """
    ordered = sorted(real, key=lambda tile: tile.hazard)
    halves = [ordered[::2], ordered[1::2]]
    found: dict[str, Any] = {"all": None, "damaged": None}
    if any(t.features is None for t in real) or len(real) < 2:
        return found
    levels = [np.concatenate([t.levels for t in half]) for half in halves]
    rows = [np.concatenate([_known(t.features) for t in half]) for half in halves]
    for name, above in (("all", 0), ("damaged", 1)):
        one, two = (r[at > above] for r, at in zip(rows, levels, strict=True))
        if min(len(one), len(two)) > 1:
            found[name] = {
                "crops": [len(one), len(two)],
                "frechet": round(frechet_distance(one, two), 4),
                "kernel": round(kernel_distance(one, two), 5),
            }
    return found


def _known(values: np.ndarray | None) -> np.ndarray:
    assert values is not None
    return values


def likeness(tiles: Sequence[TileFigures]) -> dict[str, Any]:
    """SSIM and PSNR on undamaged buildings, to the real post and to the pre image.

    PSNR uses the mean squared error over all pixels of the set; it is None for identical images
    (then `exact` is true).
    """
    found: dict[str, Any] = {"pixels": sum(t.to_real.pixels for t in tiles)}
    for name, parts in (
        ("real", [t.to_real for t in tiles]),
        ("pre", [t.to_pre for t in tiles]),
    ):
        pixels = sum(p.pixels for p in parts)
        error = sum(p.error for p in parts) / pixels if pixels else None
        decibels = None if error is None else psnr(error)
        found[f"to_{name}"] = {
            "ssim": round(sum(p.ssim for p in parts) / pixels, 4) if pixels else None,
            "psnr": None if decibels is None else round(decibels, 2),
            "exact": error == 0,
        }
    return found


def outside_change(tiles: Sequence[TileFigures]) -> dict[str, Any]:
    """Largest change and share of changed pixels where *edit* may change nothing."""
    changed, pixels = (sum(t.outside[k] for t in tiles) for k in (1, 2))
    return {
        "max": max(t.outside[0] for t in tiles),
        "share": round(changed / pixels, 6) if pixels else None,
        "pixels": pixels,
    }
