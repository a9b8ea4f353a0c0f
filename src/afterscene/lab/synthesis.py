"""Synthetic pairs of a setting: the same pre images and damage maps for every renderer.

The protocol sets the number of pairs from other places; each labelled pair of the event and each
pre image of its region adds one. Copy-paste and generated pairs differ only in the renderer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from afterscene.detectors.calibration import Mix
from afterscene.files import pixel_hash
from afterscene.gbd.build import build
from afterscene.gbd.draw import draw_plan
from afterscene.gbd.generator import Generator
from afterscene.gbd.pair import Rendering, as_rgb, item_damage
from afterscene.gbd.plan import Plan, PlanConfig, Source
from afterscene.gbd.runs import RunOptions
from afterscene.gbd.sources import read_source
from afterscene.geodata.damage import DamageMap
from afterscene.geodata.scene import Scene
from afterscene.geodata.xbd import Pair, read_label
from afterscene.lab.baselines import Donor, copy_paste
from afterscene.lab.protocols import Protocol
from afterscene.lab.settings import Setting, rank


@dataclass(frozen=True)
class CopyPaste:
    """A renderer that pastes real ruins: it replaces the generator in a build."""

    donors: tuple[Donor, ...]

    @property
    def hash(self) -> str:
        """sha256 over the donors' pixels and levels."""
        parts = [f"{d.level} {d.hazard} {pixel_hash(d.pixels)}" for d in self.donors]
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()

    def drawn_as(self, hazard: str) -> str:
        """The hazard itself: its own donors are used."""
        return hazard

    def render(self, pre: Scene, damage: DamageMap, *, seed: int, **_: Any) -> Scene:
        """`pre` with a real ruin on each damaged building."""
        rng = np.random.default_rng(seed)
        pixels = copy_paste(pre.rgb(), damage.buildings, damage.hazard, self.donors, rng)
        return pre.replace(pixels=np.ascontiguousarray(pixels.transpose(2, 0, 1)))


def build_synthetic(
    protocol: Protocol,
    setting: Setting,
    pairs: Mapping[str, Pair],
    kind: str,
    renderer: Generator,
    out: Path,
) -> tuple[Path, ...]:
    """The folders with the synthetic pairs of a setting; finished ones are reused.

    A folder's name has a digest of its inputs, so settings with the same pairs share a folder.
    """
    folders = []
    for hazard, ids, count in _plans(protocol, setting, pairs):
        key = [kind, renderer.hash, hazard, count, protocol.severity, protocol.mode, protocol.draw]
        key.append(protocol.evaluations)
        digest = hashlib.sha256(repr([*key, sorted(ids)]).encode()).hexdigest()[:10]
        folder = out / f"{kind}-{hazard}-{digest}"
        build(
            _plan(protocol, hazard, [pairs[i] for i in ids], count),
            folder,
            renderer,
            rendering=Rendering(mode=protocol.mode, steps=protocol.evaluations or None, model=kind),
            options=RunOptions(on_error="skip"),
        )
        folders.append(folder)
    return tuple(folders)


def expected_mix(protocol: Protocol, setting: Setting, pairs: Mapping[str, Pair]) -> Mix:
    """Shares of the four levels that the hazards give on the pre images of the event's region.

    Without a region, on those of other places. No image is drawn and no damage label is read.
    """
    counts = np.zeros(6)
    plans = _plans(protocol, setting, pairs)
    near = [plan for plan in plans if {*plan[1]} & {*setting.own, *setting.region}] or plans
    for hazard, ids, count in near:
        for item in _plan(protocol, hazard, [pairs[i] for i in ids], count).items:
            scene, label = read_source(item.source)
            for building in item_damage(item, as_rgb(scene), label).buildings:
                counts[min(int(building.level or 0), 5)] += 1
    none, minor, major, destroyed = counts[1:5] / counts[1:5].sum()
    return float(none), float(minor), float(major), float(destroyed)


def _plan(protocol: Protocol, hazard: str, sources: Sequence[Pair], count: int) -> Plan:
    low, high = protocol.severity
    config = PlanConfig(hazards=(hazard,), count=count, seed=protocol.draw, severity=(low, high))
    return draw_plan([_source(pair) for pair in sources], config)


def _plans(
    protocol: Protocol, setting: Setting, pairs: Mapping[str, Pair]
) -> list[tuple[str, list[str], int]]:
    """(hazard, source ids, number of pairs): other places, and the event's own pre images."""
    built = [i for i in setting.real if _has_buildings(pairs[i])]
    own = sorted({*(i for i in built if i in setting.own), *setting.region})
    others = sorted((i for i in built if i not in own), key=lambda i: rank(protocol.draw, i))
    plans = []
    for hazard, share in setting.hazards.items():
        plans.append((hazard, others, max(1, round(share * protocol.synthetic))))
        if own:
            plans.append((hazard, own, len(own)))
    return plans


def _has_buildings(pair: Pair) -> bool:
    return pair.pre_label is not None and len(read_label(pair.pre_label).buildings) > 0


def _source(pair: Pair) -> Source:
    assert pair.pre_label is not None
    return Source(id=pair.id, event=pair.event, pre=pair.pre, label=pair.pre_label)
